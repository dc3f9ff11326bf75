# SPDX-License-Identifier: Apache-2.0
"""A quota of a CPU holds. Witnesses: /proc/PID/stat, the clock, cpu.stat."""
import os
import pathlib
import time

import netns
from cpu_quota import PERIOD_US, with_quota
from puppet import Puppet

ALONE = "measures what it gets of a CPU"
PERIODS = 10
BUSY = "while True: pass"


def cpu_s(pid):
    """What the process has used, user and system."""
    words = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def check(quota, pid):
    """A busy process gets what the quota says, no more, and no less in the periods that it was made to wait in: in others somebody
    else had the CPU."""
    before, began, used_s = quota.stat(), time.monotonic(), cpu_s(pid)
    netns.wait_until(lambda: quota.stat()["nr_periods"] >= before["nr_periods"] + PERIODS, f"{PERIODS} periods", seen=quota.stat)
    after, used_s, took_s = quota.stat(), cpu_s(pid) - used_s, time.monotonic() - began
    throttled = after["nr_throttled"] - before["nr_throttled"]
    each_s = PERIOD_US * quota.percent / 1e8
    print(f"{100 * used_s / took_s:.1f} % of a CPU, made to wait in {throttled} periods, {before} {after}")
    most_s = each_s * (took_s * 1e6 / PERIOD_US + 1)  # the measurement may begin and end within a period
    assert throttled > 0 and 0.75 * each_s * throttled <= used_s <= 1.1 * most_s, (used_s, took_s, before, after)


def test_what_starts_there(net):
    quota = with_quota(net, 30)
    puppet = Puppet(quota.place(net.namespace("one")))
    puppet.start(BUSY)
    check(quota, puppet.pid)


def test_what_is_moved_there(net):
    quota = with_quota(net, 30)
    puppet = Puppet(net.namespace("one"))
    quota.add(puppet.pid)
    puppet.start(BUSY)
    check(quota, puppet.pid)


def test_nothing_stays(net):
    quota = with_quota(net, 30)
    assert quota.cgroup.is_dir()
    Puppet(quota.place(net.host))
    net.close()
    assert not quota.cgroup.exists()
