# SPDX-License-Identifier: Apache-2.0
"""A program that loads and does not attach: the next method is taken, and the run says what doctor says."""
import ctypes
import os
import struct

import doctor_netns
import netns

ALONE = "counts what is loaded on the machine"
BPF_SYSCALL = 321  # x86_64
PROG_LOAD, PROG_ATTACH, PROG_DETACH = 5, 8, 9
TYPE_SOCK_OPS, AT_SOCK_OPS = 13, 3
# return 1
GO_ON = struct.pack("<BBhi", 0xb7, 0, 0, 1) + struct.pack("<BBhi", 0x95, 0, 0, 0)


def bpf(command, words):
    result = ctypes.CDLL(None, use_errno=True).syscall(BPF_SYSCALL, command, ctypes.create_string_buffer(words, 128), 128)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def alone_at_the_root_cgroup(net):
    """A sockops program that was attached as most loaders of before do it: it allows no other beside it."""
    netns.require_root()
    if os.uname().machine != "x86_64":
        netns.skip("the number of the system call is that of x86_64")
    found = [line.split()[1] for line in open("/proc/mounts", encoding="utf-8") if line.split()[2] == "cgroup2"]
    if not found:
        netns.skip("no cgroup v2 hierarchy is mounted")
    code, licence = ctypes.create_string_buffer(GO_ON), ctypes.create_string_buffer(b"GPL")
    program = bpf(PROG_LOAD, struct.pack("=IIQQ", TYPE_SOCK_OPS, len(GO_ON) // 8, ctypes.addressof(code), ctypes.addressof(licence)))
    cgroup = os.open(found[0], os.O_RDONLY | os.O_DIRECTORY)
    net.on_exit(lambda: (os.close(program), os.close(cgroup)))
    try:
        bpf(PROG_ATTACH, struct.pack("=IIII", cgroup, program, AT_SOCK_OPS, 0))
    except PermissionError:
        netns.skip("another program is at the root cgroup already")
    net.on_exit(lambda: bpf(PROG_DETACH, struct.pack("=IIII", cgroup, program, AT_SOCK_OPS, 0)))


def test_sockops_that_allows_no_other(net):
    client, server = net.client_and_server()
    alone_at_the_root_cgroup(net)
    told = doctor_netns.look(net, [])
    hook = doctor_netns.hooks_of(told)["syn_sent"]
    assert "does not attach: Operation not permitted" in doctor_netns.why_not(hook, "sockops"), hook
    assert "bpftool cgroup tree" in hook["refused"][0]["remedy"], hook
    assert (hook["method"] == "fentry") == told["machine"]["programs"]["trampoline"]["allowed"], (hook, told["machine"])
    assert hook["method"] or hook["loses"], hook

    run = net.sockeye("states")
    for family in (4, 6):
        listener = server.load("server", "--addr", server.addresses[family], "--port", 7000)
        server.wait_listen(7000)
        made = client.load("client", "--addr", server.addresses[family], "--port", 7000, "--connections", 20)
        assert made.wait() == 0, made.stderr
        assert listener.stop() == 0, listener.stderr
    events = run.stop().events
    for family in (4, 6):
        sent = [event for event in events if event["new_state"] == "SYN_SENT" and event["raddr"] == server.addresses[family]]
        opened = [event for event in events if event["old_state"] == "SYN_SENT" and event["raddr"] == server.addresses[family]]
        assert len(sent) == len(opened) == 20, (family, len(sent), len(opened))
        assert sorted(event["lport"] for event in sent) == sorted(event["lport"] for event in opened), (sent, opened)


def test_it_is_sockops_again_once_that_is_gone(net):
    inner = netns.Net()
    try:
        alone_at_the_root_cgroup(inner)
    finally:
        inner.close()
    told = doctor_netns.look(net, [])
    assert doctor_netns.hooks_of(told)["syn_sent"]["method"] == "sockops", told
