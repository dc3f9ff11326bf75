# SPDX-License-Identifier: Apache-2.0
"""What /proc tells of a process: CPU and memory."""
import contextlib
import os
import pathlib
import re

TICKS = os.sysconf("SC_CLK_TCK")
MIB = 1 << 20
# Rings of BPF and buffers of perf events that a process has mapped: they belong to the kernel, and their pages count in
# its resident memory, a BPF ring's data pages twice.
SHARED_BUFFERS = re.compile(r"bpf-map|bpf_ringbuf|\[perf_event\]")
MAPPING = re.compile(r"[0-9a-f]+-[0-9a-f]+ ")


def cpu_seconds(pid):
    """Of all its threads, to the nanosecond, and of the children it has waited for."""
    own = 0
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
            own += int((thread / "schedstat").read_text(encoding="ascii").split()[0])
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rsplit(")", 1)[1].split()
    children = int(fields[13]) + int(fields[14])  # cutime, cstime: fields 16 and 17 of proc(5), of which 2 are cut off
    return own / 1e9 + children / TICKS


def parse_memory(status, smaps):
    """MiB: resident now, of it mapped buffers, and the peak, from /proc/<pid>/status and smaps."""
    kib = {key: int(value) for key, value in re.findall(r"^(Vm\w+):\s+(\d+) kB", status, re.MULTILINE)}
    buffers = 0
    is_buffer = False
    for line in smaps.splitlines():
        if MAPPING.match(line):
            is_buffer = SHARED_BUFFERS.search(line) is not None
        elif is_buffer and line.startswith("Rss:"):
            buffers += int(line.split()[1])
    return {"resident": kib["VmRSS"] / 1024, "buffers": buffers / 1024, "beside": (kib["VmRSS"] - buffers) / 1024,
            "peak": kib["VmHWM"] / 1024}


def memory(pid):
    folder = pathlib.Path(f"/proc/{pid}")
    return parse_memory((folder / "status").read_text(encoding="utf-8", errors="replace"),
                        (folder / "smaps").read_text(encoding="utf-8", errors="replace"))
