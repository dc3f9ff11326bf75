# SPDX-License-Identifier: Apache-2.0
"""`retransmits`, each cause by itself, made to happen by dropping exactly the packets that it takes. Witnesses: the
kernel's counters (nstat), by type: TCPTimeouts, TCPSlowStartRetrans, TCPFastRetrans, TCPLossProbes, TCPSynRetrans."""
import netns
from retransmits_tools import (by_type, check_events, check_segments, close, connect, drop, FAMILIES, gives_cookies, is_type,
                               nstat, of, pair, pass_all, PORT, Puppet, read_all, set_sysctl, tells_failures, transfer)
from scenario import watch

MSS = 1000
# Payload, one way: a packet that is this long has some.
DATA = "tcp dport {port} meta length > 200"
WITNESSES = ("TcpExtTCPTimeouts", "TcpExtTCPSlowStartRetrans", "TcpExtTCPFastRetrans", "TcpExtTCPLossProbes",
             "TcpExtTCPSynRetrans")


def start(net, **sysctls):
    client, server = pair(net, **sysctls)
    return client, server, Puppet(client), Puppet(server), watch(net, "retransmits", client, server)


def check(events, place, expected):
    """The events of this namespace: only of the expected types, and as many segments of each as the kernel counted."""
    check_events(events)
    events = of(events, place)
    segments = by_type(events)
    assert set(segments) == set(expected), segments
    timeouts, slow_start, fast, probes, syn = nstat(place, *WITNESSES)
    assert segments["fast"] == fast, (segments, fast)
    assert segments["syn"] + segments["synack"] == syn, (segments, syn)
    assert segments["tail_loss_probe"] <= probes, (segments, probes)
    assert slow_start <= segments["timeout"] + segments["non_congestion"] <= slow_start + timeouts, (segments, timeouts)
    return events


def check_client(events, puppet, port, family):
    for event in events:
        assert (event["rport"], event["family"], event["role"]) == (port, f"ipv{family}", "client"), event
        assert (event["pid"], event["comm"], event["owner_source"]) == (puppet.pid, puppet.comm, "connect"), event


def test_timeout(net):
    """Nothing gets through, and probes are off: the timer, again and again; then what it took for lost, in one go."""
    client, server, left, right, sockeye = start(net, tcp_early_retrans=0)
    for family in FAMILIES:
        connection = connect(left, right, server, family, PORT + family)
        transfer(connection, 700)
        drop(server, "input", f"tcp dport {PORT + family}")
        left.do(f"c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1); [c.send(b'x' * {MSS}) for _ in range(8)]")
        first = sockeye.wait_for(is_type("timeout", PORT + family))
        second = sockeye.wait_for(is_type("timeout", PORT + family))
        pass_all(server)
        right.do(read_all("s", 8 * MSS))
        close(connection)
        assert (first["seq"], second["seq"]) == (701, 701), (first, second)
        assert second["seq_raw"] == first["seq_raw"], (first, second)
        assert (first["state"], first["congestion"], first["rport"]) == ("ESTABLISHED", "loss", PORT + family), first
    events = sockeye.stop().events
    check_segments(events, client, server)
    mine = check(events, client, ["timeout"])
    assert not of(events, server), of(events, server)
    for family in FAMILIES:
        check_client([event for event in mine if event["rport"] == PORT + family], left, PORT + family, family)


def test_fast(net):
    """One segment of many is lost: what comes after it is acknowledged (SACK)."""
    client, server, left, right, sockeye = start(net)
    for family in FAMILIES:
        connection = connect(left, right, server, family, PORT + family)
        transfer(connection, 500)
        drop(server, "input", DATA.format(port=PORT + family) + " numgen inc mod 1000 2")
        left.do(f"c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1); [c.send(b'x' * {MSS}) for _ in range(8)]")
        right.do(read_all("s", 8 * MSS))
        event = sockeye.wait_for(is_type("fast", PORT + family))
        pass_all(server)
        close(connection)
        assert (event["seq"], event["end_seq"], event["bytes"]) == (501 + 2 * MSS, 501 + 3 * MSS, MSS), event
        assert (event["congestion"], event["segments"]) == ("recovery", 1), event
    events = sockeye.stop().events
    check_segments(events, client, server)
    check(events, client, ["fast"])
    assert len(events) == 2, events


def test_tail_loss_probe(net):
    """The last segment of a flight is lost: nothing comes after it."""
    client, server, left, right, sockeye = start(net)
    for family in FAMILIES:
        connection = connect(left, right, server, family, PORT + family)
        transfer(connection, 500)
        drop(server, "input", DATA.format(port=PORT + family) + " numgen inc mod 1000 7")
        left.do(f"c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1); [c.send(b'x' * {MSS}) for _ in range(8)]")
        right.do(read_all("s", 8 * MSS))
        event = sockeye.wait_for(is_type("tail_loss_probe", PORT + family))
        pass_all(server)
        close(connection)
        assert (event["seq"], event["end_seq"], event["bytes"]) == (501 + 7 * MSS, 501 + 8 * MSS, MSS), event
        assert event["segments"] == 1 and event["srtt_us"], event
    events = sockeye.stop().events
    check_segments(events, client, server)
    check(events, client, ["tail_loss_probe"])
    assert len(events) == 2, events
    assert nstat(client, "TcpExtTCPLossProbes", "TcpExtTCPLossProbeRecovery") == [2, 2]


def test_syn(net):
    """The first SYN, or two, are lost."""
    client, server, left, right, sockeye = start(net)
    for family in FAMILIES:
        port = PORT + family
        address = server.addresses[family]
        right.do(f"l = listen({address!r}, {port})")
        drop(server, "input", f"tcp dport {port} tcp flags syn")
        left.start(f"c = connect({address!r}, {port})")
        event = sockeye.wait_for(is_type("syn", port))
        pass_all(server)
        left.finish()
        right.do("s, _ = l.accept()")
        left.do("c.close()")
        right.do("s.close(); l.close()")
        assert (event["state"], event["seq"], event["end_seq"], event["bytes"]) == ("SYN_SENT", 0, 1, 0), event
        assert (event["srtt_us"], event["segments"]) == (None, 1), event
    events = sockeye.stop().events
    check_segments(events, client, server)
    for event in check(events, client, ["syn"]):
        check_client([event], left, event["rport"], int(event["family"][-1]))
    assert not of(events, server), of(events, server)


def test_synack(net):
    """The last packet of the handshake is lost. The half-open request has its listener's owner, and the cookie that the
    connection keeps."""
    client, server, left, right, sockeye = start(net)
    for family in FAMILIES:
        port = PORT + family
        address = server.addresses[family]
        right.do(f"l = listen({address!r}, {port})")
        drop(server, "input", f"tcp dport {port} tcp flags & (syn | ack) == ack")
        left.do(f"c = connect({address!r}, {port})")
        first = sockeye.wait_for(is_type("synack", port))
        second = sockeye.wait_for(is_type("synack", port))
        pass_all(server)
        left.do("c.sendall(b'x')")
        right.do("s, _ = l.accept(); s.recv(1)")
        for event in (first, second):
            assert (event["state"], event["seq"], event["end_seq"], event["lport"]) == ("SYN_RECV", 0, 1, port), event
            assert (event["role"], event["owner_source"], event["pid"]) == ("server", "inherited", right.pid), event
            assert (event["congestion"], event["cwnd"], event["segments"]) == (None, None, 1), event
            assert (event["raddr"], event["rport"]) == (client.addresses[family], left.do("c.getsockname()[1]")), event
        assert first["cookie"] == second["cookie"] and first["seq_raw"] == second["seq_raw"], (first, second)
        assert (first["total_segments"], second["total_segments"]) == (1, 2), (first, second)
        cookie = right.do("int.from_bytes(s.getsockopt(socket.SOL_SOCKET, 57, 8), sys.byteorder)")  # SO_COOKIE
        assert first["cookie"] == (str(cookie) if gives_cookies() else None), (first, cookie)
        left.do("c.close()")
        right.do("s.close(); l.close()")
    events = sockeye.stop().events
    check_segments(events, server)
    check(events, server, ["synack"])


def test_too_big_for_the_path(net):
    """A router says that packets are too big: no loss by congestion, and none is taken for one."""
    client, server = net.namespace("client"), net.namespace("server")
    router = net.namespace("router")
    net.pair(client, router, "veth0", 1)
    net.pair(router, server, "veth1", 2)
    set_sysctl(router, "net/ipv4/ip_forward", 1)
    set_sysctl(router, "net/ipv6/conf/all/forwarding", 1)
    for place, number in ((client, 1), (server, 2)):
        for option, gateway, network in (("-4", f"10.77.{number}", "10.77.0.0/16"), ("-6", f"fd77:{number}:", "fd77::/16")):
            last = {client: 2, server: 1}[place]
            place.ip(option, "route", "add", network, "via", f"{gateway}{'.' if option == '-4' else ':'}{last}")
    router.ip("link", "set", "veth1", "mtu", "1300")
    for place in (client, router, server):  # who asks for a neighbour's address does it with its link-local one
        netns.wait_until(lambda place=place: not place.ip("-6", "address", "show", "tentative").stdout, "addresses for use")
    left, right = Puppet(client), Puppet(server)
    sockeye = watch(net, "retransmits", client, server)
    for family in FAMILIES:
        connection = connect(left, right, server, family, PORT + family)
        transfer(connection, 20_000)
        close(connection)
    events = sockeye.stop().events
    check_segments(events, client, server)
    assert set(by_type(of(events, client))) == {"non_congestion"}, events
    for family in FAMILIES:
        assert [event for event in events if event["family"] == f"ipv{family}"], events
    assert {event["congestion"] for event in events} == {"loss"}, events


def test_data_of_a_syn_that_was_not_taken(net):
    """TCP Fast Open: the first connection fetches a cookie; then the server takes no data with a SYN any more."""
    client, server, left, right, sockeye = start(net, tcp_fastopen=1)
    for family in FAMILIES:
        port, address = PORT + family, server.addresses[family]
        set_sysctl(server, "net/ipv4/tcp_fastopen", 2)
        right.do(f"l = listen({address!r}, {port}); l.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 8)")
        for is_taken in (True, False):
            left.do(f"c = tcp({address!r}); c.setsockopt(socket.IPPROTO_TCP, 30, 1)")  # TCP_FASTOPEN_CONNECT
            left.do(f"c.connect(({address!r}, {port})); c.sendall(b'x' * 100)")
            right.do(f"s, _ = l.accept(); {read_all('s', 100)}")
            left.do("c.close()")
            right.do("s.close()")
            if is_taken:
                set_sysctl(server, "net/ipv4/tcp_fastopen", 0)
        right.do("l.close()")
    events = of(sockeye.stop().events, client)
    check_events(events)
    assert nstat(client, "TcpExtTCPFastOpenActiveFail") == [2]
    assert [(event["type"], event["seq"], event["bytes"]) for event in events] == [("non_congestion", 1, 100)] * 2, events


def test_refused_by_a_firewall(net):
    """What is sent again does not leave this host. The kernel tells of that from 6.15 on; it counts it in any case."""
    client, server, left, right, sockeye = start(net, tcp_early_retrans=0)
    for number, family in enumerate(FAMILIES, 1):
        port = PORT + family
        connection = connect(left, right, server, family, port)
        transfer(connection, 10)
        drop(server, "input", f"tcp dport {port}")
        left.do("c.send(b'lost')")
        netns.wait_until(lambda: nstat(client, "TcpExtTCPTimeouts")[0] >= 1, "a timeout")
        drop(client, "output", f"tcp dport {port}")
        netns.wait_until(lambda number=number: nstat(client, "TcpExtTCPRetransFail")[0] >= number, "a failure")
        pass_all(client)
        pass_all(server)
        right.do(read_all("s", 4))
        close(connection)
    events = sockeye.stop().events
    check_segments(events, client, server)
    failed = [event for event in events if "error" in event]
    assert bool(failed) == tells_failures(), (failed, events)
    assert {event["error"] for event in failed} <= {"EPERM"}, failed
    if tells_failures():
        assert sum(event["segments"] for event in failed) == nstat(client, "TcpExtTCPRetransFail")[0], failed
    assert set(by_type(events)) == {"timeout"}, events


def test_no_route(net):
    """There is no way to the peer any more: it fails before the kernel counts it."""
    client, server, left, right, sockeye = start(net, tcp_early_retrans=0)
    connection = connect(left, right, server, 4, PORT)
    transfer(connection, 10)
    drop(server, "input", f"tcp dport {PORT}")
    left.do("c.send(b'lost')")
    sockeye.wait_for(is_type("timeout", PORT))
    client.ip("route", "delete", "10.77.1.0/24", "dev", "veth0")
    before = nstat(client, "TcpExtTCPTimeouts")[0]
    netns.wait_until(lambda: nstat(client, "TcpExtTCPTimeouts")[0] > before, "a timeout without a route")
    client.ip("route", "add", "10.77.1.0/24", "dev", "veth0", "src", client.addresses[4])
    pass_all(server)
    right.do(read_all("s", 4))
    close(connection)
    events = sockeye.stop().events
    check_segments(events, client, server)
    failed = [(event["error"], event["segments"]) for event in events if "error" in event]
    assert set(failed) == ({("EHOSTUNREACH", 0)} if tells_failures() else set()), events


def test_fin(net):
    """Data and FIN of a closing socket, and the FIN alone."""
    client, server, left, right, sockeye = start(net)
    for family in FAMILIES:
        connection = connect(left, right, server, family, PORT + family)
        transfer(connection, 500)
        drop(server, "input", f"tcp dport {PORT + family}")
        left.do("c.shutdown(socket.SHUT_WR)")
        event = sockeye.wait_for(lambda event, port=PORT + family: event["event"] == "retransmits" and event["rport"] == port)
        pass_all(server)
        right.do("s.recv(1)")
        close(connection)
        assert (event["state"], event["bytes"], event["seq"], event["end_seq"]) == ("FIN_WAIT1", 0, 501, 502), event
    events = sockeye.stop().events
    check_segments(events, client, server)
    check_events(events)


def test_sockets_of_before(net):
    """A connection older than sockeye: its owner is who holds it, and the place is known, at both ends."""
    client, server = pair(net)
    connections = [connect(Puppet(client), Puppet(server), server, family, PORT + family) for family in FAMILIES]
    for connection in connections:
        transfer(connection, 3000)
        connection.right.do("s.sendall(b'y' * 2000)")
        connection.left.do(read_all("c", 2000))
    sockeye = watch(net, "retransmits", client, server)
    for connection in connections:
        drop(server, "input", f"tcp dport {connection.port}")
        connection.left.do("c.send(b'x' * 300)")
        event = sockeye.wait_for(lambda event, port=connection.port: event["rport"] == port)
        pass_all(server)
        connection.right.do(read_all("s", 300))
        assert (event["pid"], event["owner_source"], event["role"]) == (connection.left.pid, "snapshot", "client"), event
        assert (event["seq"], event["end_seq"]) == (3001, 3301), event
        drop(client, "input", f"tcp sport {connection.port}")
        connection.right.do("s.send(b'y' * 400)")
        event = sockeye.wait_for(lambda event, port=connection.port: event["lport"] == port)
        pass_all(client)
        connection.left.do(read_all("c", 400))
        assert event["pid"] == connection.right.pid and event["netns"] == server.inode, event
        assert (event["seq"], event["end_seq"]) == (2001, 2401), event
        close(connection)
    events = sockeye.stop().events
    check_segments(events, client, server)


def test_filters(net):
    """What is left out by an option is left out here, too."""
    client, server = pair(net)
    left, right = Puppet(client), Puppet(server)
    runs = {}
    for words in (("--src-port", PORT + 4), ("--dst-port", PORT + 4), ("--pid", left.pid), ("--pid", right.pid), ("-6",),
                  ("--direction", "in"), ("--direction", "out"), ("--active-only",)):
        runs[words] = watch(net, "retransmits", client, server, words=words)
    everything = watch(net, "retransmits", client, server)
    for family in FAMILIES:
        connect(left, right, server, family, PORT + family)
        drop(server, "input", f"tcp dport {PORT + family}")
        left.do("c.send(b'x' * 300)")
        everything.wait_for(lambda event, port=PORT + family: event["rport"] == port)
        left.do("c.shutdown(socket.SHUT_WR)")
        pass_all(server)
        right.do(read_all("s", 300))
        drop(client, "input", f"tcp sport {PORT + family}")
        right.do("s.send(b'x' * 300); s.close(); l.close()")
        everything.wait_for(lambda event, port=PORT + family: event["lport"] == port)
        pass_all(client)
        left.do(read_all("c", 300) + "; c.close()")
    events = everything.stop().events
    wanted = {
        ("--src-port", PORT + 4): lambda event: event["lport"] == PORT + 4,
        ("--dst-port", PORT + 4): lambda event: event["rport"] == PORT + 4,
        ("--pid", left.pid): lambda event: event["pid"] == left.pid,
        ("--pid", right.pid): lambda event: event["pid"] == right.pid,
        ("-6",): lambda event: event["family"] == "ipv6",
        ("--direction", "in"): lambda event: event["role"] == "server",
        ("--direction", "out"): lambda event: event["role"] == "client",
        ("--active-only",): lambda event: event["state"] not in ("FIN_WAIT2", "TIME_WAIT", "CLOSING", "LAST_ACK", "CLOSE"),
    }
    for words, run in runs.items():
        seen = [(event["lport"], event["rport"], event["seq"], event["type"]) for event in run.stop().events]
        expected = [(event["lport"], event["rport"], event["seq"], event["type"]) for event in events if wanted[words](event)]
        assert seen == expected and seen, (words, seen, expected)
