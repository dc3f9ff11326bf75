# SPDX-License-Identifier: Apache-2.0
"""What the kernel hides on a machine with a guarded process 1 (docs/limitations.md): while that is the current task, no tracing
program runs, also not for packets and timers that are handled on top of it. perf counts tracepoints there all the same, so a
scenario knows how many events no program can have seen."""
import ctypes
import os
import platform
import struct

TRACING = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
EVENTS = ("sock/inet_sock_set_state", "tcp/tcp_retransmit_skb", "tcp/tcp_retransmit_synack", "tcp/tcp_send_reset",
          "tcp/tcp_receive_reset")

# Of <linux/perf_event.h> and <asm/unistd.h>
PERF_EVENT_OPEN = {"x86_64": 298, "aarch64": 241}
TYPE_TRACEPOINT = 2
ATTRIBUTE_BYTES = 128
INHERIT = 1 << 1
CLOSE_ON_EXEC = 1 << 3


def event_ids():
    """The numbers of EVENTS, as far as this kernel has them and tracefs is mounted."""
    ids = []
    for event in EVENTS:
        for folder in TRACING:
            try:
                with open(f"{folder}/events/{event}/id", encoding="ascii") as file:
                    ids.append(int(file.read()))
                break
            except OSError:
                pass
    return ids


def open_counter(event_id, tid):
    """The descriptor of a counter of this tracepoint while thread `tid`, or one that it starts, is the current task; None:
    refused."""
    head = struct.pack("=IIQQQQQ", TYPE_TRACEPOINT, ATTRIBUTE_BYTES, event_id, 0, 0, 0, INHERIT)
    attribute = ctypes.create_string_buffer(head, ATTRIBUTE_BYTES)
    libc = ctypes.CDLL(None, use_errno=True)
    number = PERF_EVENT_OPEN.get(platform.machine())
    if number is None:
        return None
    fd = libc.syscall(number, attribute, int(tid), -1, -1, CLOSE_ON_EXEC)
    return fd if fd >= 0 else None


class Hidden:
    """Counts from its making on. A test machine guards no process: there nothing is hidden."""

    def __init__(self):
        self._counters = []
        if "SOCKEYE_MACHINE" in os.environ:
            return
        for event_id in event_ids():
            self._counters += [open_counter(event_id, tid) for tid in os.listdir("/proc/1/task")]

    def count(self):
        """How many events came on top of process 1; None: this machine does not let it be counted."""
        if "SOCKEYE_MACHINE" in os.environ:
            return 0
        if not self._counters or None in self._counters:
            return None
        return sum(struct.unpack("=Q", os.read(fd, 8))[0] for fd in self._counters)

    def explains(self, missing):
        """Whether so many missing events may all have been hidden; where it cannot be counted, they may."""
        hidden = self.count()
        return missing == 0 or missing > 0 and (hidden is None or missing <= hidden)

    def close(self):
        for fd in self._counters:
            if fd is not None:
                os.close(fd)
        self._counters = []
