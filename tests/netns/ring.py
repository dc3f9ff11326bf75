# SPDX-License-Identifier: Apache-2.0
"""The ring of a running sockeye as the kernel has it: how far it has been written and read."""
import ctypes
import mmap
import os
import platform
import struct

from bpf_objects import ids_of, in_kernel

BPF_MAP_GET_FD_BY_ID = 14  # of <linux/bpf.h>
BPF_SYSCALL = {"x86_64": 321, "aarch64": 280}  # __NR_bpf
libc = ctypes.CDLL(None, use_errno=True)


class Ring:
    """The pages of the kernel's struct bpf_ringbuf that user space may map: consumer position, producer position."""

    def __init__(self, net, sockeye):
        maps = in_kernel(net, "map")
        ring, = (number for number in ids_of(sockeye.process.pid, "map") if maps[number]["name"] == "ring")
        attributes = ctypes.create_string_buffer(struct.pack("I", ring), 128)
        fd = libc.syscall(BPF_SYSCALL[platform.machine()], BPF_MAP_GET_FD_BY_ID, attributes, 128)
        assert fd >= 0, os.strerror(ctypes.get_errno())
        page = mmap.PAGESIZE
        self._consumer = mmap.mmap(fd, page, prot=mmap.PROT_READ)
        self._producer = mmap.mmap(fd, page, prot=mmap.PROT_READ, offset=page)
        os.close(fd)
        net.on_exit(self._consumer.close)
        net.on_exit(self._producer.close)

    @property
    def written(self):
        """Bytes, ever."""
        return struct.unpack_from("Q", self._producer)[0]

    @property
    def read(self):
        return struct.unpack_from("Q", self._consumer)[0]
