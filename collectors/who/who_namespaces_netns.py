# SPDX-License-Identifier: Apache-2.0
"""`who` of network namespaces that no process is in and no name leads to, against `ss` run there by whoever made them."""
import json

import netns
from hidden_namespaces import FEW, Holder, by_descriptor, by_file, by_socket, by_thread, refused
from who_netns import expect_same, in_namespaces, parsed, who

ALONE = "looks at the sockets of the whole machine"


def expect_there(net, holder):
    told = dict(parsed(line, holder.inode) for line in holder.lines)
    expect_same(in_namespaces(who(net), [holder]), told)


def test_held_by_a_thread(net):
    expect_there(net, by_thread(net, "open"))


def test_held_by_a_thread_and_no_socket(net):
    expect_there(net, by_thread(net, "closed"))


def test_held_by_a_file(net):
    expect_there(net, by_file(net, "open"))


def test_held_by_a_file_and_no_socket(net):
    expect_there(net, by_file(net, "closed"))


def test_held_by_a_socket(net):
    expect_there(net, by_socket(net, "open"))


def test_held_by_a_descriptor_and_no_socket(net):
    expect_there(net, by_descriptor(net, "closed"))


def test_one_that_may_not_be_followed(net):
    """What is missing is said, and --strict fails; what --netns leaves out is not missing."""
    holder = Holder(net, "socket")
    few = [netns.require("setpriv"), *FEW, netns.program_of("SOCKEYE"), "who", "--strict"]
    done = net.host.run(few, check=False)
    assert done.code == 1 and f"could not be looked into: {refused(holder)}" in done.stderr, done
    done = net.host.run([*few, "--netns", net.namespace("other").inode], check=False)
    assert done.code == 0 and "could not" not in done.stderr, done


def test_wanted_alone(net):
    holder = Holder(net, "socket")
    done = net.host.run([netns.program_of("SOCKEYE"), "who", "--json", "--strict", "--netns", holder.inode])
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 8 and {row["netns"] for row in rows} == {holder.inode}, rows
