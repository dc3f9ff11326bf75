# SPDX-License-Identifier: Apache-2.0
"""Processes that may use only so much of a CPU: a cgroup with a quota, v2 (cpu.max) or v1 (cpu.cfs_quota_us)."""
import contextlib
import copy
import fcntl
import os
import pathlib
import tempfile

import netns

PERIOD_US = 100_000  # what the kernel takes where nobody says; the least is 1,000
SUFFIX = "-quota"


class Quota:
    """The cgroup; percent: of one CPU, 200 are two."""

    def __init__(self, cgroup, percent):
        self.cgroup, self.percent = cgroup, percent

    def add(self, pid):
        """Moves a process, with all its threads. What it starts afterwards is there as well, what it has started is not."""
        (self.cgroup / "cgroup.procs").write_text(str(pid), encoding="ascii")

    def place(self, place):
        """The same place, where everything runs under the quota from its first instruction."""
        limited = copy.copy(place)
        limited.prefix = ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', str(self.cgroup), *place.prefix]
        return limited

    def stat(self):
        """cpu.stat by name: nr_periods, nr_throttled (periods that a process had to wait in), ..."""
        lines = (self.cgroup / "cpu.stat").read_text(encoding="ascii").splitlines()
        return {name: int(value) for name, value in map(str.split, lines)}


def hierarchy():
    """(root, its version) of the hierarchy that the cpu controller is in."""
    for line in pathlib.Path("/proc/self/mounts").read_text(encoding="ascii").splitlines():
        _, point, kind, options = line.split()[:4]
        root = pathlib.Path(point)
        if kind == "cgroup" and "cpu" in options.split(","):
            return root, 1
        if kind == "cgroup2" and "cpu" in (root / "cgroup.controllers").read_text(encoding="ascii").split():
            return root, 2
    return netns.skip("no cgroup hierarchy with the cpu controller is mounted")


class Locked:
    """What is done with the root of a hierarchy is done by one scenario at a time."""

    def __init__(self, root):
        self._root = root

    def __enter__(self):
        self._folder = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._folder, fcntl.LOCK_EX)

    def __exit__(self, *_):
        os.close(self._folder)


def switch_on(net, root):
    """v2: the root controls the CPU of its children until the scenario is over, or the last of those that need it."""
    setting = root / "cgroup.subtree_control"
    if "cpu" in setting.read_text(encoding="ascii").split():
        return
    setting.write_text("+cpu", encoding="ascii")

    def switch_off():
        with Locked(root):
            if not any(root.glob(f"sockeye-*{SUFFIX}")):
                setting.write_text("-cpu", encoding="ascii")

    net.on_exit(switch_off)


def remove(cgroup):
    """When the last process has left it, which takes a while."""
    netns.wait_until(lambda: not (cgroup / "cgroup.procs").read_text(encoding="ascii"), f"{cgroup} to be empty")
    cgroup.rmdir()


def remove_leftovers(root):
    """Of runs that were killed."""
    for cgroup in root.glob(f"sockeye-*{SUFFIX}"):
        if not os.path.exists(f"/proc/{cgroup.name.split('-')[1]}"):
            with contextlib.suppress(OSError):  # another run was faster, or its last process is still ending
                cgroup.rmdir()


def make_cgroup(net, root, version):
    """An empty one directly below the root."""
    try:
        with Locked(root):
            remove_leftovers(root)
            if version == 2:
                switch_on(net, root)
            cgroup = pathlib.Path(tempfile.mkdtemp(dir=root, prefix=f"sockeye-{os.getpid()}-", suffix=SUFFIX))
    except OSError as error:
        netns.skip(f"no cgroup with the cpu controller can be made: {error}")
    net.on_exit(lambda: remove(cgroup))
    return cgroup


def with_quota(net, percent):
    """A Quota of so much of one CPU, which goes with the net."""
    netns.require_root()
    root, version = hierarchy()
    cgroup = make_cgroup(net, root, version)
    quota_us = PERIOD_US * percent // 100
    file, text = ("cpu.max", f"{quota_us} {PERIOD_US}") if version == 2 else ("cpu.cfs_quota_us", str(quota_us))
    if not (cgroup / file).exists():
        netns.skip(f"this kernel has no {file} (CONFIG_CFS_BANDWIDTH)")
    if version == 1:
        (cgroup / "cpu.cfs_period_us").write_text(str(PERIOD_US), encoding="ascii")
    (cgroup / file).write_text(text, encoding="ascii")
    return Quota(cgroup, percent)
