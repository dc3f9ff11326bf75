# SPDX-License-Identifier: Apache-2.0
"""What the kernel knows of a process's BPF programs: which it holds, how often they ran and for how long."""
import contextlib
import ctypes
import json
import os
import platform
import struct
import subprocess

import netns
import ring

BPF_ENABLE_STATS = 32     # of <linux/bpf.h>
BPF_STATS_RUN_TIME = 0
ATTRIBUTE_BYTES = 128


@contextlib.contextmanager
def run_times():
    """While it lasts, the kernel measures how long BPF programs run. Held by a descriptor: it ends with this process at
    the latest."""
    attributes = ctypes.create_string_buffer(struct.pack("I", BPF_STATS_RUN_TIME), ATTRIBUTE_BYTES)
    fd = ring.libc.syscall(ring.BPF_SYSCALL[platform.machine()], BPF_ENABLE_STATS, attributes, ATTRIBUTE_BYTES)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "BPF_ENABLE_STATS: " + os.strerror(ctypes.get_errno()))
    try:
        yield
    finally:
        os.close(fd)


def programs_of(pid):
    """{name: (runs, ns)} of the programs whose descriptors the process holds, since they were loaded. Several of one
    name are added up."""
    held = ring.ids_of(pid, "prog")
    shown = subprocess.run([netns.require("bpftool"), "-j", "prog", "show"], capture_output=True, check=True).stdout
    programs = {}
    for entry in json.loads(shown):
        if entry["id"] in held:
            runs, time = programs.get(entry.get("name", "?"), (0, 0))
            programs[entry.get("name", "?")] = runs + entry.get("run_cnt", 0), time + entry.get("run_time_ns", 0)
    return programs


def difference(before, after):
    """What ran in between, without programs that did not."""
    changed = {}
    for name, (runs, time) in after.items():
        runs_before, time_before = before.get(name, (0, 0))
        if runs > runs_before:
            changed[name] = runs - runs_before, time - time_before
    return changed
