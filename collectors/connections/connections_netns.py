# SPDX-License-Identifier: Apache-2.0
"""`connections`: each connection once on each side, with its process; filters, replay. Witnesses: what the programs
counted, ss, nstat."""
import collections
import time

import netns
from connections_tools import PORT, check_event, ends, of_type, the_only, watch
from ready import start_ready
from puppet import Puppet
from witness import nstat, wait_ss
from workload import drop, numbers, pass_all, require_mptcp, run_load, set_sysctl

CONNECTIONS = 300


# ---- those that succeed ----

def each_side(net, family):
    client, server = net.client_and_server()
    sockeye = watch(net, client, server)
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
    assert {(event["pid"], event["netns"], event["owner_source"]) for event in connects} == {(caller.pid, client.inode, "connect")}
    assert {(event["pid"], event["netns"]) for event in accepts} == {(listener.pid, server.inode)}
    assert {event["owner_source"] for event in accepts} <= {"accept", "use"}, accepts[0]
    assert nstat(client, "TcpActiveOpens") == [CONNECTIONS] == [numbers(listener)["accepted"]], listener.stdout


def accepts_of_mptcp(net, family):
    """Each accepted connection of MPTCP is told once: one that its process uses, and one that it only closes."""
    require_mptcp()
    client, server = net.client_and_server()
    sockeye = watch(net, server)
    left, right = Puppet(client), Puppet(server)
    right.do(f"l = listen({server.addresses[family]!r}, {PORT}, 262)")  # IPPROTO_MPTCP of <linux/in.h>
    ports = []
    for serving in ("s.recv(1), s.sendall(b'y'), s.recv(1)", "0"):
        left.do(f"c = connect({server.addresses[family]!r}, {PORT}, 262); c.sendall(b'xx')")
        ports.append(left.do("c.getsockname()[1]"))
        right.do(f"s, _ = l.accept(); {serving}; s.close()")
        left.do("c.close()")
    for port in ports:
        sockeye.wait_for(lambda event, port=port: event["sport"] == port)
    accepts = of_type(sockeye.stop(), "accept")
    assert [(event["sport"], event["pid"], event.get("mptcp")) for event in accepts] == [
        (port, right.pid, True) for port in ports], (ports, right.pid, accepts)


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
    client, server = net.client_and_server()
    for place in (client, server):
        set_sysctl(place, "net/ipv4/tcp_fastopen", 3)
    left, right = Puppet(client), Puppet(server)
    for family in (4, 6):
        address = server.addresses[family]
        right.do(f"l = listen({address!r}, {PORT}); l.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 8)")
        for words in ([], ["--connect-errors"]):
            sockeye = watch(net, client, words=words)
            left.do(f"c = tcp({address!r}); c.setsockopt(socket.IPPROTO_TCP, 30, 1); c.connect(({address!r}, {PORT}))")
            left.do("import select; select.select([], [], [], 0.5); c.sendall(b'x')")
            right.do("a, _ = l.accept(); a.recv(1); a.close()")
            left.do("c.close()")
            event = the_only(sockeye.stop())
            assert event["outcome"] == "established" and event["sport"] and 0 < event["duration_us"] < 400_000, event
        right.do("l.close()")


def test_an_ipv4_client_of_an_ipv6_listener(net):
    """The ends of both events are the same, though one socket is of IPv4 and the other of IPv6."""
    client, server = net.client_and_server()
    sockeye = watch(net, client, server)
    left, right = Puppet(client), Puppet(server)
    right.do(f"l = listen('::', {PORT})")
    left.do(f"c = connect({server.addresses[4]!r}, {PORT})")
    right.do("a, _ = l.accept(); a.close()")
    left.do("c.close()")
    run = sockeye.stop()
    connect, accept = the_only(run), the_only(run, "accept")
    assert ends(connect) == ends(accept) and (connect["family"], accept["family"]) == ("ipv4", "ipv6"), (connect, accept)


def test_a_process_that_accepts_and_waits(net):
    """It is told when it has the connection, and how long that waited, not when it uses it."""
    client, server = net.client_and_server()
    sockeye = watch(net, client, server)
    left, right = Puppet(client), Puppet(server)
    right.do(f"l = listen({server.addresses[4]!r}, {PORT})")
    left.do(f"c = connect({server.addresses[4]!r}, {PORT})")
    connect = sockeye.wait_for(lambda event: event["event"] == "connections" and event["event_type"] == "connect")
    worker = right.do("child(lambda: (l.accept(), l.accept()))")
    accept = sockeye.wait_for(lambda event: event["event"] == "connections" and event["event_type"] == "accept")
    assert (accept["pid"], accept["owner_source"]) == (worker, "accept"), accept
    waited_us = (accept["timestamp_ns"] - connect["timestamp_ns"]) / 1000
    assert 0 < accept["duration_us"] <= waited_us + 1000, (accept, waited_us)
    left.do("c.close()")
    assert len(sockeye.stop().events) == 2


def test_an_accept_that_does_not_wait(net):
    """A child is in the listener's queue before it is ESTABLISHED: a program that asks in a loop may have it before that."""
    client, server = net.client_and_server()
    sockeye = watch(net, client, server)
    left, right = Puppet(client), Puppet(server)
    number = netns.scaled(3000)
    right.do(f"l = listen({server.addresses[4]!r}, {PORT}); l.setblocking(False); had = []")
    right.do("def take():\n try:\n  had.append(l.accept()[0].close())\n except BlockingIOError: pass")
    began = time.monotonic()
    right.start(f"while len(had) < {number}: take()")
    left.do(f"for _ in range({number}): connect({server.addresses[4]!r}, {PORT}).close()", timeout=60)
    right.finish()
    took_us = (time.monotonic() - began) * 1e6
    accepts = of_type(sockeye.stop(), "accept")
    wrong = [event for event in accepts if event["duration_us"] is None or event["duration_us"] > took_us]
    told = collections.Counter(ends(event) for event in accepts)
    twice = [event for event in accepts if told[ends(event)] > 1]
    assert len(accepts) == number and not wrong, (len(accepts), wrong[:3], twice[:4])


def test_without_the_peers_address(net):
    """accept() that asks for no address may not be seen; then the first use shows who has the connection."""
    client, server = net.client_and_server()
    sockeye = watch(net, client, server)
    left, right = Puppet(client), Puppet(server)
    right.do(f"l = listen({server.addresses[4]!r}, {PORT})")
    left.do(f"c = connect({server.addresses[4]!r}, {PORT}); c.sendall(b'x')")
    worker = right.do("child(lambda: os.read(ctypes.CDLL(None).accept(l.fileno(), None, None), 1))")
    accept = sockeye.wait_for(lambda event: event["event"] == "connections" and event["event_type"] == "accept")
    assert accept["pid"] == worker and accept["owner_source"] in ("accept", "use"), accept
    left.do("c.close()")
    right.do(f"os.waitpid({worker}, 0)")
    assert len(sockeye.stop().events) == 2


def test_never_accepted(net):
    """What no process ever took is no accept."""
    client, server = net.client_and_server()
    sockeye = watch(net, client, server)
    left, right = Puppet(client), Puppet(server)
    right.do(f"l = listen({server.addresses[4]!r}, {PORT})")
    left.do(f"c = connect({server.addresses[4]!r}, {PORT})")
    wait_ss(server, f"sport = :{PORT}", "ESTAB")
    right.do("l.close()")
    left.do("c.close()")
    run = sockeye.stop()
    assert the_only(run)["outcome"] == "established" and not of_type(run, "accept"), run.events


def test_not_blocking(net):
    """EINPROGRESS is no failure, and asking again is no second connect."""
    client, server = net.client_and_server()
    sockeye = watch(net, client, server)
    left, right = Puppet(client), Puppet(server)
    right.do(f"l = listen({server.addresses[4]!r}, {PORT})")
    left.do("import select; c = tcp('1.2.3.4'); c.setblocking(False)")
    assert left.do(f"c.connect_ex(({server.addresses[4]!r}, {PORT}))") == 115  # EINPROGRESS
    left.do("select.select([], [c], [], 5)[1][0]")
    assert left.do(f"c.connect_ex(({server.addresses[4]!r}, {PORT}))") in (0, 106)  # EISCONN
    left.do("c.close()")
    event = the_only(sockeye.stop())
    assert (event["outcome"], event["pid"]) == ("established", left.pid), event


def test_under_way_at_the_start(net):
    """What was in SYN_SENT before sockeye was there has its outcome as well; when it began is not known."""
    client, server = net.client_and_server()
    drop(server, "input", f"tcp dport {PORT}")
    left, right = Puppet(client), Puppet(server)
    right.do(f"l = listen({server.addresses[4]!r}, {PORT})")
    left.do("c = [tcp('1.2.3.4') for _ in 'ab']; [each.setblocking(False) for each in c]")
    left.do(f"[each.connect_ex(({server.addresses[4]!r}, {PORT})) for each in c]")
    wait_ss(client, f"dport = :{PORT}", "SYN-SENT", "SYN-SENT")
    sockeye = watch(net, client, words=["--direction", "out"])
    left.do("c.pop().close()")
    wait_ss(client, f"dport = :{PORT}", "SYN-SENT")
    pass_all(server)
    wait_ss(client, f"dport = :{PORT}", "ESTAB", timeout=30)
    run = sockeye.stop()
    for event in run.events:
        check_event(event)
        assert (event["pid"], event["duration_us"], event["dport"]) == (left.pid, None, PORT), event
    assert [event["outcome"] for event in run.events] == ["cancelled", "established"], run.events
    assert run.events[1]["syn_retransmits"] > 0, run.events[1]


def test_a_listener_of_the_kernel(net):
    """RDS listens on a port of TCP in each namespace: what the kernel accepts has one event, and no process."""
    if net.host.run([netns.require("modprobe"), "rds_tcp"], check=False).code != 0:
        netns.skip("this kernel has no module rds_tcp")
    sockeye = net.sockeye("connections", "--port", 16385)  # RDS_TCP_PORT of net/rds/tcp.h
    client, server = net.client_and_server()
    assert server.listens(16385), "RDS does not listen"
    left = Puppet(client)
    left.do(f"c = connect({server.addresses[4]!r}, 16385)")
    sockeye.wait_for(lambda event: event.get("event_type") == "accept")
    left.do("c.close()")
    wait_ss(server, "sport = :16385")
    run = sockeye.stop()
    assert the_only(run, "accept")["owner_source"] == "kernel" and len(run.events) == 2, run.events


def start_server(place, address, how):
    return start_ready(lambda fd: place.uring("server", address, 7000, 50, how, fd, pass_fds=[fd]))


def test_io_uring(net):
    client, server = net.client_and_server()
    for family in (4, 6):
        sockeye = watch(net, client, server)
        serving = start_server(server, server.addresses[family], "plain")
        calling = client.uring("client", server.addresses[family], 7000, 50, "plain")
        assert calling.wait() == 0 and serving.wait() == 0, (calling.stderr, serving.stderr)
        wait_ss(server, "sport = :7000")
        run = sockeye.stop()
        connects, accepts = of_type(run, "connect"), of_type(run, "accept")
        assert sorted(map(ends, connects)) == sorted(map(ends, accepts)) and len(connects) == 50, len(connects)
        assert {event["pid"] for event in connects} == {calling.pid} and {event["pid"] for event in accepts} == {serving.pid}


# ---- filters and replay ----

def test_src_and_dst(net):
    """--dst-port shows both ends of the connections to that port, --port as well, --local-port one."""
    client, server = net.client_and_server()
    runs = [(words, watch(net, client, server, words=words)) for words in (
        ["--dst-port", PORT], ["--src-ip", client.addresses[4]], ["--port", PORT])]
    local = watch(net, client, server, words=["--local-port", PORT])
    none = watch(net, client, server, words=["--src-port", PORT])
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
    shown = watch(net, client, server, words=["--record", recording])
    of_clients = watch(net, client, server, words=["--direction", "out"])
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
    client, server = net.client_and_server()
    asked = {4: "10.99.0.1", 6: "2001:db8:99::1"}
    client.run([netns.require("nft"), "add table inet n; add chain inet n o { type nat hook output priority -100; };"
                f" add rule inet n o ip daddr {asked[4]} tcp dport 80 dnat to {server.addresses[4]}:{PORT};"
                f" add rule inet n o ip6 daddr {asked[6]} tcp dport 80 dnat to [{server.addresses[6]}]:{PORT}"])
    for family in (4, 6):
        client.ip("route", "add", "default", "via", server.addresses[family], "dev", "veth0")
        recording = net.folder() / "recording"
        sockeye = watch(net, client, server, words=["--record", recording])
        left, right = Puppet(client), Puppet(server)
        right.do(f"l = listen({server.addresses[family]!r}, {PORT})")
        left.do(f"c = connect({asked[family]!r}, 80); d = connect({server.addresses[family]!r}, {PORT})")
        right.do("a = [l.accept(), l.accept()]")
        run = sockeye.stop()
        translated, plain = of_type(run, "connect")
        assert (translated["daddr"], translated["dport"]) == (asked[family], 80), translated
        assert (translated["nat_daddr"], translated["nat_dport"]) == (server.addresses[family], PORT), translated
        assert "nat_daddr" not in plain and "nat_dport" not in plain, plain
        assert {(event["daddr"], event["dport"]) for event in of_type(run, "accept")} == {(server.addresses[family], PORT)}
        again = net.host.run([netns.program_of("SOCKEYE"), "replay", recording, "--json"]).stdout.splitlines()
        assert netns.parse_lines(again) == run.events
        right.do("l.close()")
