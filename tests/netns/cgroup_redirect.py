# SPDX-License-Identifier: Apache-2.0
"""A cgroup whose processes connect to something else than they ask for, as socket load balancers do it (Cilium): a program at its connect()
puts a backend in the place of a service."""
import ctypes
import ipaddress
import os
import pathlib
import platform
import struct

import netns
from puppet import Puppet

BPF_CALL = {"x86_64": 321, "aarch64": 280}  # of <asm/unistd.h>
# Of <linux/bpf.h>.
PROG_LOAD, PROG_ATTACH, CGROUP_SOCK_ADDR, ALLOW_MULTI = 5, 8, 18, 2
CONNECT = {4: 10, 6: 11}  # BPF_CGROUP_INET4_CONNECT, BPF_CGROUP_INET6_CONNECT
USER_IP4, USER_IP6, USER_PORT = 4, 8, 24  # of struct bpf_sock_addr
LDX_W, STX_W, JNE32, MOV32, MOV64, EXIT = 0x61, 0x63, 0x56, 0xb4, 0xb7, 0x95


def instruction(code, destination=0, source=0, offset=0, value=0):
    return struct.pack("=BBhI", code, source << 4 | destination, offset, value)


def words_of(address, port):
    """What a program sees of an end: its family, and the words of struct bpf_sock_addr with their offsets."""
    packed = ipaddress.ip_address(address).packed
    first = USER_IP4 if len(packed) == 4 else USER_IP6
    words = [(first + at, struct.unpack_from("=I", packed, at)[0]) for at in range(0, len(packed), 4)]
    return (4 if len(packed) == 4 else 6), [*words, (USER_PORT, struct.unpack("=H", struct.pack("!H", port))[0])]


def rewriting(asked, real):
    """Instructions (r1: the context) that put `real` where `asked` is: each an address and a port."""
    family, was = words_of(*asked)
    same_family, to_be = words_of(*real)
    assert family == same_family, (asked, real)
    rest = 2 * len(was) + 2 * len(to_be)
    code = b""
    for offset, value in was:
        rest -= 2
        code += instruction(LDX_W, 2, 1, offset) + instruction(JNE32, 2, 0, rest, value)
    for offset, value in to_be:
        code += instruction(MOV32, 2, value=value) + instruction(STX_W, 1, 2, offset)
    return family, code


def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes, 128)
    result = netns.libc.syscall(BPF_CALL[platform.machine()], command, buffer, len(buffer))
    return result, os.strerror(ctypes.get_errno() if result < 0 else 0)


def attach(cgroup, family, code):
    """A program of this code at connect() of the cgroup's processes. It goes with the cgroup."""
    code += instruction(MOV64, 0, value=1) + instruction(EXIT)
    instructions, name = ctypes.create_string_buffer(code, len(code)), ctypes.create_string_buffer(b"GPL")
    program, error = bpf(PROG_LOAD, struct.pack("=IIQQIIQII16sII", CGROUP_SOCK_ADDR, len(code) // 8, ctypes.addressof(instructions),
                                                ctypes.addressof(name), 0, 0, 0, 0, 0, b"redirect", 0, CONNECT[family]))
    if program < 0:
        netns.skip(f"a program at connect() is refused: {error}")
    folder = os.open(cgroup, os.O_RDONLY)
    try:
        attached, error = bpf(PROG_ATTACH, struct.pack("=IIII", folder, program, CONNECT[family], ALLOW_MULTI))
        assert attached == 0, error
    finally:
        os.close(folder)
        os.close(program)


def cgroup2():
    for line in pathlib.Path("/proc/self/mounts").read_text(encoding="ascii").splitlines():
        if line.split()[2] == "cgroup2":
            return pathlib.Path(line.split()[1])
    return netns.skip("no cgroup v2 hierarchy is mounted")


def remove(cgroup):
    """When the last process has left it, which takes a while."""
    netns.wait_until(lambda: not (cgroup / "cgroup.procs").read_text(encoding="ascii"), f"{cgroup} to be empty")
    cgroup.rmdir()


def redirected_cgroup(net, redirections):
    """A new cgroup. redirections: pairs of what is asked for and what is connected to, each an address and a port."""
    netns.require_root()
    cgroup = cgroup2() / f"sockeye-{os.getpid()}-redirected"
    try:
        cgroup.mkdir()
    except OSError as error:
        netns.skip(f"no cgroup can be made: {error}")
    net.on_exit(lambda: remove(cgroup))
    code_of = {}
    for asked, real in redirections:
        family, code = rewriting(asked, real)
        code_of[family] = code_of.get(family, b"") + code
    for family, code in code_of.items():
        attach(cgroup, family, code)
    return cgroup


def puppet_in(cgroup, place):
    puppet = Puppet(place)
    (cgroup / "cgroup.procs").write_text(str(puppet.pid), encoding="ascii")
    return puppet
