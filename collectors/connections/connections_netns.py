# SPDX-License-Identifier: Apache-2.0
"""`connections`: each connection once on each side, with its process; filters, replay. Witnesses: what the programs
counted, ss, nstat."""
import collections
import errno
import time

import netns
from connections_tools import check_event, ends, of_type, the_only
from puppet import Puppet
from ready import start_ready
from scenario import PORT, expect, watch
from witness import nstat, wait_ss
from workload import MPTCP, drop, numbers, pass_all, require_mptcp, run_load, set_sysctl

CONNECTIONS = 300


# ---- those that succeed ----

def each_side(net, family):
    client, server = net.client_and_server()
    sockeye = watch(net, "connections", client, server)
    began = time.monotonic()
    caller, listener = run_load(client, server, server.addresses[family], CONNECTIONS, PORT)
    took_us = (time.monotonic() - began) * 1e6
    run = sockeye.stop()
    connects, accepts = of_type(run, "connect"), of_type(run, "accept")
    assert len(connects) == len(accepts) == CONNECTIONS == numbers(caller)["connections"], (len(connects), len(accepts))
    for event in run.events:
        check_event(event)
        assert event["outcome"] == "established" and event["family"] == f"ipv{family}", event
        assert 0 <= event["duration_us"] < took_us, (event, took_us)  # nothing waits longer than all of them took
    assert sorted(map(ends, connects)) == sorted(map(ends, accepts))
    assert len(set(map(ends, connects))) == CONNECTIONS
    expect(connects).each(pid=caller.pid, netns=client.inode, owner_source="connect")
    expect(accepts).each(pid=listener.pid, netns=server.inode, owner_source=lambda source: source in ("accept", "use"))
    assert nstat(client, "TcpActiveOpens") == [CONNECTIONS] == [numbers(listener)["accepted"]], listener.stdout


def accepts_of_mptcp(net, family):
    """Each accepted connection of MPTCP is told once: one that its process uses, and one that it only closes."""
    require_mptcp()
    pair = net.tcp_pair(family)
    sockeye = pair.watch("connections", places=[pair.server.place])
    pair.server.do(f"l = listen({pair.address!r}, {PORT}, {MPTCP})")
    ports = []
    for serving in ("s.recv(1), s.sendall(b'y'), s.recv(1)", "0"):
        pair.client.do(f"c = connect({pair.address!r}, {PORT}, {MPTCP}); c.sendall(b'xx')")
        ports.append(pair.client.do("c.getsockname()[1]"))
        pair.server.do(f"s, _ = l.accept(); {serving}; s.close()")
        pair.client.do("c.close()")
    for port in ports:
        sockeye.wait_for(lambda event, port=port: event["sport"] == port)
    accepts = expect(of_type(sockeye.stop(), "accept"))
    for port in ports:
        accepts.one(sport=port, pid=pair.server.pid, mptcp=True)
    accepts.times(2)


def test_accepts_of_mptcp_ipv4(net):
    accepts_of_mptcp(net, 4)


def test_accepts_of_mptcp_ipv6(net):
    accepts_of_mptcp(net, 6)


def test_each_side_once_ipv4(net):
    each_side(net, 4)


def test_each_side_once_ipv6(net):
    each_side(net, 6)


def test_a_connect_that_waits_for_the_first_write(net):
    """TCP_FASTOPEN_CONNECT: the SYN goes out half a second after connect(). The attempt took what the SYN took."""
    for pair in net.tcp_pairs():
        for process in (pair.client, pair.server):
            set_sysctl(process.place, "net/ipv4/tcp_fastopen", 3)
        pair.server.do(f"l = listen({pair.address!r}, {PORT}); l.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 8)")
        for words in ([], ["--connect-errors"]):
            sockeye = pair.watch("connections", *words, places=[pair.client.place])
            pair.client.do(f"c = tcp({pair.address!r}); c.setsockopt(socket.IPPROTO_TCP, 30, 1); c.connect({pair.to})")
            pair.client.do("import select; select.select([], [], [], 0.5); c.sendall(b'x')")
            pair.server.do("a, _ = l.accept(); a.recv(1); a.close()")
            pair.client.do("c.close()")
            event = the_only(sockeye.stop(), outcome="established")
            assert event["sport"] and 0 < event["duration_us"] < 400_000, event


def test_an_ipv4_client_of_an_ipv6_listener(net):
    """The ends of both events are the same, though one socket is of IPv4 and the other of IPv6."""
    pair = net.tcp_pair(4)
    sockeye = pair.watch("connections")
    pair.server.do(f"l4 = listen('::', {PORT})")
    pair.client.do(f"c = connect({pair.address!r}, {PORT})")
    pair.accepted().close()
    run = sockeye.stop()
    assert ends(the_only(run, family="ipv4")) == ends(the_only(run, "accept", family="ipv6")), run.events


def wait_for_type(sockeye, event_type):
    return sockeye.wait_for(lambda event: event["event"] == "connections" and event["event_type"] == event_type)


def test_a_process_that_accepts_and_waits(net):
    """It is told when it has the connection, and how long that waited, not when it uses it."""
    pair = net.tcp_pair()
    sockeye = pair.watch("connections")
    pair.connected()
    connect = wait_for_type(sockeye, "connect")
    worker = pair.server.do("child(lambda: (l4.accept(), l4.accept()))")
    accept = wait_for_type(sockeye, "accept")
    expect([accept]).one(pid=worker, owner_source="accept")
    waited_us = (accept["timestamp_ns"] - connect["timestamp_ns"]) / 1000
    assert 0 < accept["duration_us"] <= waited_us + 1000, (accept, waited_us)
    expect(sockeye.stop()).times(2)


def test_an_accept_that_does_not_wait(net):
    """A child is in the listener's queue before it is ESTABLISHED: a program that asks in a loop may have it before that."""
    pair = net.tcp_pair()
    sockeye = pair.watch("connections")
    number = netns.scaled(3000)
    pair.listen()
    pair.server.do("l4.setblocking(False); had = []")
    pair.server.do("def accept():\n try:\n  had.append(l4.accept()[0].close())\n except BlockingIOError: pass")
    began = time.monotonic()
    pair.server.start(f"while len(had) < {number}: accept()")
    pair.client.do(f"for _ in range({number}): connect({pair.address!r}, {PORT}).close()", timeout=60)
    pair.server.finish()
    took_us = (time.monotonic() - began) * 1e6
    accepts = of_type(sockeye.stop(), "accept")
    wrong = [event for event in accepts if event["duration_us"] is None or event["duration_us"] > took_us]
    told = collections.Counter(ends(event) for event in accepts)
    twice = [event for event in accepts if told[ends(event)] > 1]
    assert len(accepts) == number and not wrong, (len(accepts), wrong[:3], twice[:4])


def test_without_the_peers_address(net):
    """accept() that asks for no address may not be seen; then the first use shows who has the connection."""
    pair = net.tcp_pair()
    sockeye = pair.watch("connections")
    c = pair.connected()
    c.send(1)
    worker = pair.server.do("child(lambda: os.read(ctypes.CDLL(None).accept(l4.fileno(), None, None), 1))")
    accept = wait_for_type(sockeye, "accept")
    assert accept["pid"] == worker and accept["owner_source"] in ("accept", "use"), accept
    pair.server.do(f"os.waitpid({worker}, 0)")
    expect(sockeye.stop()).times(2)


def test_never_accepted(net):
    """What no process ever took is no accept."""
    pair = net.tcp_pair()
    sockeye = pair.watch("connections")
    c = pair.connected()
    wait_ss(pair.server.place, f"sport = :{PORT}", "ESTAB")
    pair.stop_listening()
    c.close()
    run = sockeye.stop()
    the_only(run, outcome="established")
    expect(run).none(event_type="accept")


def test_not_blocking(net):
    """EINPROGRESS is no failure, and asking again is no second connect."""
    pair = net.tcp_pair()
    pair.listen()
    sockeye = pair.watch("connections", places=[pair.client.place])
    pair.client.do("import select; c = tcp('1.2.3.4'); c.setblocking(False)")
    assert pair.client.do(f"c.connect_ex({pair.to})") == errno.EINPROGRESS
    pair.client.do("select.select([], [c], [], 5)[1][0]")
    assert pair.client.do(f"c.connect_ex({pair.to})") in (0, errno.EISCONN)
    pair.client.do("c.close()")
    the_only(sockeye.stop(), outcome="established", pid=pair.client.pid)


def test_under_way_at_the_start(net):
    """What was in SYN_SENT before sockeye was there has its outcome as well; when it began is not known."""
    pair = net.tcp_pair()
    client, server = pair.client.place, pair.server.place
    drop(server, "input", f"tcp dport {PORT}")
    pair.listen()
    pair.client.do("c = [tcp('1.2.3.4') for _ in 'ab']; [each.setblocking(False) for each in c]")
    pair.client.do(f"[each.connect_ex({pair.to}) for each in c]")
    wait_ss(client, f"dport = :{PORT}", "SYN-SENT", "SYN-SENT")
    sockeye = pair.watch("connections", "--direction", "out")
    pair.client.do("c.pop().close()")
    wait_ss(client, f"dport = :{PORT}", "SYN-SENT")
    pass_all(server)
    wait_ss(client, f"dport = :{PORT}", "ESTAB", timeout=30)
    events = expect(sockeye.stop())
    for event in events.each(pid=pair.client.pid, duration_us=None, dport=PORT):
        check_event(event)
    cancelled, established = events.times(2)
    assert (cancelled["outcome"], established["outcome"]) == ("cancelled", "established"), events.events
    assert established["syn_retransmits"] > 0, established


def test_a_listener_of_the_kernel(net):
    """RDS listens on a port of TCP in each namespace: what the kernel accepts has one event, and no process."""
    if net.host.run([netns.require("modprobe"), "rds_tcp"], check=False).code != 0:
        netns.skip("this kernel has no module rds_tcp")
    sockeye = net.sockeye("connections", "--port", 16385)  # RDS_TCP_PORT of net/rds/tcp.h
    client, server = net.client_and_server()
    assert server.listens(16385), "RDS does not listen"
    left = Puppet(client)
    left.do(f"c = connect({server.addresses[4]!r}, 16385)")
    wait_for_type(sockeye, "accept")
    left.do("c.close()")
    wait_ss(server, "sport = :16385")
    run = sockeye.stop()
    the_only(run, "accept", owner_source="kernel")
    expect(run).times(2)


def start_server(place, address, how):
    return start_ready(lambda fd: place.uring("server", address, 7000, 50, how, fd, pass_fds=[fd]))


def test_io_uring(net):
    client, server = net.client_and_server()
    for family in (4, 6):
        sockeye = watch(net, "connections", client, server)
        serving = start_server(server, server.addresses[family], "plain")
        calling = client.uring("client", server.addresses[family], 7000, 50, "plain")
        assert calling.wait() == 0 and serving.wait() == 0, (calling.stderr, serving.stderr)
        wait_ss(server, "sport = :7000")
        run = sockeye.stop()
        connects, accepts = of_type(run, "connect"), of_type(run, "accept")
        assert sorted(map(ends, connects)) == sorted(map(ends, accepts)) and len(connects) == 50, len(connects)
        expect(connects).each(pid=calling.pid)
        expect(accepts).each(pid=serving.pid)


# ---- filters and replay ----

def test_src_and_dst(net):
    """--dst-port shows both ends of the connections to that port, --port as well, --local-port one."""
    client, server = net.client_and_server()
    runs = [(words, watch(net, "connections", client, server, words=words)) for words in (
        ["--dst-port", PORT], ["--src-ip", client.addresses[4]], ["--port", PORT])]
    local = watch(net, "connections", client, server, words=["--local-port", PORT])
    none = watch(net, "connections", client, server, words=["--src-port", PORT])
    run_load(client, server, server.addresses[4], 20, PORT)
    for words, sockeye in runs:
        assert len(sockeye.stop().events) == 40, words
    events = local.stop().events
    assert len(events) == 20 and {event["event_type"] for event in events} == {"accept"}, events
    assert not none.stop().events


def test_replay(net):
    """The same bytes, and with a filter the events of a run that had it."""
    client, server = net.client_and_server()
    recording = net.folder() / "recording"
    shown = watch(net, "connections", client, server, words=["--record", recording])
    of_clients = watch(net, "connections", client, server, words=["--direction", "out"])
    run_load(client, server, server.addresses[6], 100, PORT)
    events, wanted = shown.stop().events, of_clients.stop().events
    sockeye = netns.program_of("SOCKEYE")
    again = netns.parse_lines(net.host.run([sockeye, "replay", recording, "--json"]).stdout.splitlines())
    assert again == events and len(events) == 200, (len(again), len(events))
    some = net.host.run([sockeye, "replay", recording, "--json", "--src-ip", client.addresses[6], "--direction", "out"])
    some = netns.parse_lines(some.stdout.splitlines())
    assert sorted(map(ends, some)) == sorted(map(ends, wanted)) and len(some) == 100, len(some)


# ---- translated destinations ----

def test_translated(net):
    """A rule sends what is meant for one address to another: both are shown, the client's socket knows the first alone."""
    asked = {4: "10.99.0.1", 6: "2001:db8:99::1"}
    for pair in net.tcp_pairs():
        to = f"[{pair.address}]" if pair.family == 6 else pair.address
        word = {4: "ip", 6: "ip6"}[pair.family]
        client = pair.client.place
        client.run([netns.require("nft"), f"add table {word} n; add chain {word} n o {{ type nat hook output priority -100; }};"
                    f" add rule {word} n o {word} daddr {asked[pair.family]} tcp dport 80 dnat to {to}:{PORT}"])
        client.ip("route", "add", "default", "via", pair.address, "dev", "veth0")
        recording = net.folder() / "recording"
        sockeye = pair.watch("connections", "--record", recording)
        pair.listen()
        pair.client.do(f"c = connect({asked[pair.family]!r}, 80); d = connect({pair.address!r}, {PORT})")
        pair.server.do(f"a = [l{pair.family}.accept(), l{pair.family}.accept()]")
        run = sockeye.stop()
        events = expect(run)
        events.one(event_type="connect", daddr=asked[pair.family], dport=80, nat_daddr=pair.address, nat_dport=PORT)
        events.one(event_type="connect", daddr=pair.address, dport=PORT, nat_daddr=None, nat_dport=None)
        events.times(2, event_type="accept", daddr=pair.address, dport=PORT)
        again = net.host.run([netns.program_of("SOCKEYE"), "replay", recording, "--json"]).stdout.splitlines()
        assert netns.parse_lines(again) == run.events
