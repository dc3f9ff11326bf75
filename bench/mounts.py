# SPDX-License-Identifier: Apache-2.0
"""What peers look for on the machine: tracefs, which bpftrace and older libbpf know below debugfs. Where it is not mounted it
is mounted for the bench alone, in a mount namespace of its own, which ends with the last of its processes."""
import ctypes
import os
import pathlib
import subprocess

import own_mounts

WANTED = (("tracefs", "/sys/kernel/tracing"), ("debugfs", "/sys/kernel/debug"))
CLONE_NEWNS = 0x00020000  # of <linux/sched.h>
libc = ctypes.CDLL(None, use_errno=True)


def missing(mounted):
    """Of WANTED, what is not in the text of /proc/mounts."""
    there = {(kind, point) for _, point, kind, *_ in (line.split() for line in mounted.splitlines())}
    return [wanted for wanted in WANTED if wanted not in there]


def mount_missing(say):
    """From here on this process and those that it starts see all that is wanted, as far as this kernel has it."""
    wanted = missing(pathlib.Path("/proc/mounts").read_text(encoding="utf-8"))
    if not wanted:
        return
    if libc.unshare(CLONE_NEWNS) != 0:
        say("no mount namespace of its own: " + os.strerror(ctypes.get_errno()))
        return
    commands = [["sh", "-c", own_mounts.PRIVATE]] + [["mount", "-t", kind, kind, point] for kind, point in wanted]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            say(" ".join(command) + ": " + done.stderr.strip())
