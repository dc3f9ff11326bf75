# SPDX-License-Identifier: Apache-2.0
"""`counts` of network namespaces that no process is in and no name leads to, against `ss` run there by whoever made them:
whether they were there before or come while it runs, their sockets are seen, and are no drift."""
import collections
import json

import netns
from counts_by_netns import fresh_reading, groups_of, once
from counts_netns import STATES, Counts, assert_no_drift
from hidden_namespaces import FEW, Holder, by_descriptor, by_file, by_socket, by_thread, refused

ALONE = "counts the sockets of the whole machine"


def expect_counted(net, make, keeps):
    counts = Counts(net, "--watch", "300ms", "--by", "netns")
    netns.wait_until(counts.readings, "a reading")
    holder = make(net, keeps)
    told = dict(collections.Counter(STATES[line.split()[0]] for line in holder.lines))
    assert groups_of(fresh_reading(counts), "netns").get(holder.inode) == told
    assert_no_drift(counts.stop())
    reading = once(net, "netns")
    assert groups_of(reading, "netns").get(holder.inode) == told, (reading, told)
    assert_no_drift([reading])


def test_held_by_a_thread(net):
    expect_counted(net, by_thread, "open")


def test_held_by_a_file(net):
    expect_counted(net, by_file, "open")


def test_held_by_a_file_and_no_socket(net):
    expect_counted(net, by_file, "closed")


def test_held_by_a_socket(net):
    expect_counted(net, by_socket, "open")


def test_held_by_a_descriptor_and_no_socket(net):
    expect_counted(net, by_descriptor, "closed")


def test_one_that_may_not_be_followed(net):
    """What is missing is said, and no drift is claimed."""
    holder = Holder(net, "socket")
    few = [netns.require("setpriv"), *FEW, netns.program_of("SOCKEYE"), "counts", "--json"]
    reading = json.loads(net.host.run(few).stdout)
    assert reading["drift"] is None and refused(holder) in reading["drift_unknown"], reading
