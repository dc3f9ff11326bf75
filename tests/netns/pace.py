# SPDX-License-Identifier: Apache-2.0
"""How long scenarios wait and how much they do, on a machine that may be slow; what is skipped, and which programs
there have to be."""
import os
import shutil

# How much slower than a usual host this machine is. tests/vm/ says it of its machines, which have no KVM.
SLOW = float(os.environ.get("SOCKEYE_SLOW") or 1)

# `./dev evidence load` says so.
IS_EVIDENCE = "SOCKEYE_EVIDENCE" in os.environ

SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


class Skip(Exception):
    """The scenario cannot run here; the text says what is missing."""


def skip(reason):
    raise Skip(reason)


def patience(seconds):
    """A limit of time as it is on this machine. What waits here (wait_until, wait, run, ...) does that itself."""
    return seconds * SLOW


def scaled(number):
    """As many of something as a slow machine makes in the time that `number` takes a usual one; not less than 100."""
    return int(max(number / SLOW, min(number, 100)))


def under_load(number):
    """So many connections of a scenario that makes as many as it can: all of them in `./dev evidence load`, else a quarter."""
    return scaled(number if IS_EVIDENCE else number / 4)


def require(*programs):
    """Full paths of programs, or a skip that names those that are missing."""
    path = os.environ.get("PATH", "") + ":" + SBIN
    found = [shutil.which(program, path=path) for program in programs]
    missing = [program for program, where in zip(programs, found) if not where]
    if missing:
        skip("not installed: " + ", ".join(missing))
    return found[0] if len(found) == 1 else found
