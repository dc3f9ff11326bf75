# SPDX-License-Identifier: Apache-2.0
"""`retransmits` where much is lost: every segment that the kernel counts is in a row, and in the packets on the wire."""
import netns
from capture import Capture, sent_again
from retransmits_tools import (by_type, check_events, check_segments, close, connect, counted, FAMILIES, nstat, of, pair,
                               pass_all, PORT, Puppet, transfer)
from scenario import watch
from workload import lose

ALONE = "makes as many events as the machine can take"
BYTES = 3_000_000
ROOM = ("--ring-size", "16M")


def check_types(events, place):
    """The types against the counters of the kernel's own causes, which count what went out (tcp_xmit_retransmit_queue())."""
    segments = by_type([event for event in of(events, place) if "error" not in event])
    slow_start, fast, timeouts, probes, syn = nstat(
        place, "TcpExtTCPSlowStartRetrans", "TcpExtTCPFastRetrans", "TcpExtTCPTimeouts", "TcpExtTCPLossProbes",
        "TcpExtTCPSynRetrans")
    assert segments["fast"] == fast, (segments, fast)
    assert segments["syn"] + segments["synack"] == syn, (segments, syn)
    assert slow_start <= segments["timeout"] <= slow_start + timeouts, (segments, slow_start, timeouts)
    assert segments["tail_loss_probe"] <= probes, (segments, probes)
    assert not segments["non_congestion"], segments
    print(f"segments sent again, by type: {dict(segments)}; TCPFastRetrans {fast}, TCPSlowStartRetrans {slow_start}, TCPTimeouts "
          f"{timeouts}, TCPLossProbes {probes}, TCPSynRetrans {syn}, TcpRetransSegs {nstat(place, 'TcpRetransSegs')[0]}")
    return segments


def loses_nothing(net, family):
    """5 % of all packets are lost in both directions."""
    client, server = pair(net)
    left, right = Puppet(client), Puppet(server)
    sockeye = watch(net, "retransmits", client, server, words=ROOM)
    capture = Capture(net, client)
    for place in (client, server):
        lose(place, 5)
    connection = connect(left, right, server, family, PORT)
    left.start(f"c.sendall(b'x' * {BYTES})")
    right.do(f"len(s.recv({BYTES}, socket.MSG_WAITALL))", timeout=60)
    left.finish()
    for place in (client, server):
        pass_all(place)
    close(connection)
    events = sockeye.stop().events
    check_events(events)
    check_segments(events, client, server)
    segments = check_types(events, client)
    assert segments["fast"] > 10, segments
    again = sent_again(capture.packets(), client.addresses[family])
    mine = of(events, client)
    assert sum(again.values()) == sum(event["segments"] for event in mine), (sum(again.values()), segments)
    assert {(event["lport"], event["seq_raw"]) for event in mine} <= set(again), "a packet that was not on the wire"


def test_five_percent_ipv4(net):
    loses_nothing(net, 4)


def test_five_percent_ipv6(net):
    loses_nothing(net, 6)


def test_many_segments_in_one(net):
    """Packets as long as the device takes them (TSO, GRO): one retransmission is of many segments."""
    client, server = net.client_and_server()
    left, right = Puppet(client), Puppet(server)
    sockeye = watch(net, "retransmits", client, server, words=ROOM)
    for family in FAMILIES:
        connection = connect(left, right, server, family, PORT + family)
        lose(server, 10)
        left.start(f"c.sendall(b'x' * {BYTES})")
        right.do(f"len(s.recv({BYTES}, socket.MSG_WAITALL))", timeout=60)
        left.finish()
        pass_all(server)
        close(connection)
    events = sockeye.stop().events
    check_events(events)
    check_segments(events, client, server)
    check_types(events, client)
    assert max(event["segments"] for event in events) > 1, by_type(events)
    assert sum(event["segments"] for event in events) > len(events), by_type(events)


def test_many_connections_at_once(net):
    """Timers of hundreds of sockets and acknowledgements in bursts: events inside events are handled as well."""
    client, server = pair(net)
    left, right = Puppet(client), Puppet(server)
    count = netns.scaled(400)
    address = server.addresses[4]
    right.do("import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))")
    left.do("import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))")
    right.do(f"l = listen({address!r}, {PORT}); l.listen(1000)")
    left.do(f"cs = [connect({address!r}, {PORT}) for _ in range({count})]", timeout=60)
    right.do(f"ss = [l.accept()[0] for _ in range({count})]", timeout=60)
    sockeye = watch(net, "retransmits", client, server, words=("--ring-size", "64M"))
    lose(server, 20)
    left.do("[c.send(b'x' * 20000) for c in cs]", timeout=60)
    right.do("sum(len(s.recv(20000, socket.MSG_WAITALL)) for s in ss)", timeout=90)
    pass_all(server)
    left.do("[c.close() for c in cs]")
    right.do("[s.close() for s in ss]; l.close()")
    run = sockeye.stop()
    check_events(run.events)
    mine = of(run.events, client)
    check_types(mine, client)
    # A machine that guards its process 1 (docs/limitations.md) does not tell what timers do on top of it, in a burst of some
    # sockets; what acknowledgements bring is complete (check_types: TCPFastRetrans).
    missing = counted(client) - sum(event["segments"] for event in mine)
    assert 0 <= missing <= counted(client) / 50, (missing, counted(client))
    assert len({event["cookie"] for event in mine}) > count / 2, len(mine)


def test_a_burst_of_failed_transfers_is_counted_by_what_owns_it(net):
    """Two programs on one host: each event has its own."""
    client, server = pair(net)
    right = Puppet(server)
    lefts = [Puppet(client), Puppet(client)]
    sockeye = watch(net, "retransmits", client, server, words=ROOM)
    for number, left in enumerate(lefts):
        connection = connect(left, right, server, 4, PORT + number)
        lose(server, 10)
        transfer(connection, 200_000)
        pass_all(server)
        close(connection)
    events = sockeye.stop().events
    check_segments(events, client, server)
    for number, left in enumerate(lefts):
        mine = [event for event in of(events, client) if event["rport"] == PORT + number]
        assert mine and {event["pid"] for event in mine} == {left.pid}, mine
