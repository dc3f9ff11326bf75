# SPDX-License-Identifier: Apache-2.0
"""How long handshakes took, as `lifetimes` says it, or why it does not. Witness: tshark on the client's link."""
import netns
from capture import ACK, Capture, SYN
from lifetimes_tools import both_ends, talk
from workload import drop, pass_all, set_sysctl
from lifetimes_netns import Stage

PORTS = 9000


def handshake_us(packets, port):
    """(from the first SYN to the first SYN-ACK, from that to its acknowledgement), in microseconds, as captured."""
    syn = min(each.time for each in packets if each.dport == port and each.flags & SYN)
    syn_ack = min(each.time for each in packets if each.sport == port and each.flags & SYN)
    ack = min(each.time for each in packets if each.dport == port and not each.flags & SYN and each.flags & ACK)
    return (syn_ack - syn) * 1e6, (ack - syn_ack) * 1e6


def end(stage, port, address):
    """An orderly end of the stage's connection."""
    stage.left.do("c.close()")
    assert stage.right.do("len(s.recv(1))") == 0, (port, address)
    stage.right.do("s.close()")


def test_as_captured(net):
    """The capture is on the client's side of the link: both ends took a little longer, if the machine was busy much."""
    stage = Stage(net)
    capture = Capture(net, stage.client)
    for round_ in range(5):
        for port, address in stage.each(PORTS + 10 * round_):
            stage.connect(address, port)
            talk(stage.left, stage.right, 10, 20)
            end(stage, port, address)
    packets = capture.packets()
    events = stage.stop()
    close = 0
    for port in stage.ports:
        client, server = both_ends(events, port)
        of_client, of_server = handshake_us(packets, port)
        assert client["handshake_us"] >= int(of_client), (of_client, client)
        close += client["handshake_us"] - of_client < 500
        if "handshake_unknown" in server:  # it may have been a round number
            assert server["handshake_unknown"] == "no_sample", server
        else:
            close += abs(server["handshake_us"] - of_server) < 500
        assert client["syn_retransmits"] == server["syn_retransmits"] == 0, (client, server)
    assert close >= 10, (close, packets, events)


def test_a_lost_syn(net):
    stage = Stage(net)
    for port, address in stage.each(PORTS):
        drop(stage.server, "input", f"tcp dport {port}")
        stage.right.do(f"l = listen({address!r}, {port})")
        stage.left.start(f"c = connect({address!r}, {port})")
        netns.wait_until(lambda port=port: dropped(stage.server), "a lost SYN")
        pass_all(stage.server)
        stage.left.finish()
        stage.right.do("s, _ = l.accept(); l.close()")
        talk(stage.left, stage.right, 10, 20)
        end(stage, port, address)
    events = stage.stop()
    for port in stage.ports:
        client, server = both_ends(events, port)
        assert client["syn_retransmits"] >= 1 and client["handshake_us"] >= 900_000, client
        assert client["retransmits"] == client["syn_retransmits"], client
        assert server["syn_retransmits"] == 0 and (server["handshake_us"] or 0) < 900_000, server


def dropped(place):
    """Whether the rule of drop() has met a packet."""
    listed = place.run([netns.require("nft"), "list", "table", "inet", "lost"]).stdout
    return "packets 0 " not in listed


def test_a_lost_syn_ack(net):
    """The client has it all on event; of the server's first SYN-ACK nothing is left."""
    stage = Stage(net)
    for port, address in stage.each(PORTS):
        drop(stage.server, "output", f"tcp sport {port}")
        stage.right.do(f"l = listen({address!r}, {port})")
        stage.left.start(f"c = connect({address!r}, {port})")
        netns.wait_until(lambda: dropped(stage.server), "a lost SYN-ACK")
        pass_all(stage.server)
        stage.left.finish()
        stage.right.do("s, _ = l.accept(); l.close()")
        talk(stage.left, stage.right, 10, 20)
        end(stage, port, address)
    events = stage.stop()
    for port in stage.ports:
        client, server = both_ends(events, port)
        assert client["handshake_us"] >= 900_000, client
        assert server["handshake_us"] is None and server["handshake_unknown"] == "retransmitted", server
        assert server["syn_retransmits"] >= 1, server


def test_a_deferred_accept(net):
    """The server's socket is born with the first data, half a second after the handshake."""
    stage = Stage(net)
    for port, address in stage.each(PORTS):
        stage.right.do(f"l = listen({address!r}, {port})")
        stage.right.do("l.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 5)")
        stage.left.do(f"c = connect({address!r}, {port}); c.settimeout(0.5)")
        stage.left.fails("c.recv(1)", "timed out")
        stage.left.do("c.sendall(b'x' * 10)")
        stage.right.do("s, _ = l.accept(); l.close()")
        assert stage.right.do("len(s.recv(100))") == 10
        end(stage, port, address)
    events = stage.stop()
    for port in stage.ports:
        client, server = both_ends(events, port)
        assert client["handshake_us"] < 400_000, client
        assert server["handshake_us"] is None and server["handshake_unknown"] == "with_data", server
        assert server["bytes_received"] == 10, server


def test_syn_cookies(net):
    """Always, not only in need: the server keeps nothing of the SYN."""
    stage = Stage(net)
    set_sysctl(stage.server, "net/ipv4/tcp_syncookies", 2)
    for stamps in (1, 0):
        set_sysctl(stage.server, "net/ipv4/tcp_timestamps", stamps)
        for port, address in stage.each(PORTS + 10 * stamps):
            stage.connect(address, port)
            talk(stage.left, stage.right, 10, 20)
            end(stage, port, address)
    events = stage.stop()
    for port in stage.ports:
        client, server = both_ends(events, port)
        assert client["handshake_us"] is not None, client
        assert server["handshake_us"] is None and server["handshake_unknown"] == "no_sample", server


def test_fast_open(net):
    """TCP_FASTOPEN_CONNECT: connect() sends nothing. The first connection fetches a cookie, the second sends data with
    its SYN, half a second after connect()."""
    stage = Stage(net)
    for place in (stage.client, stage.server):
        set_sysctl(place, "net/ipv4/tcp_fastopen", 3)
    for port, address in stage.each(PORTS):
        stage.right.do(f"l = tcp({address!r}); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)")
        stage.right.do(f"l.bind(({address!r}, {port})); l.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 8)")
        stage.right.do("l.listen()")
        for _ in range(2):
            stage.left.do(f"c = tcp({address!r}); c.setsockopt(socket.IPPROTO_TCP, 30, 1)")  # TCP_FASTOPEN_CONNECT
            stage.left.do(f"c.connect(({address!r}, {port})); import select")
            stage.left.do("select.select([], [], [], 0.5)")
            stage.left.do("c.sendall(b'x' * 10)")
            stage.right.do("s, _ = l.accept()")
            assert stage.right.do("len(s.recv(100))") == 10
            end(stage, port, address)
        stage.right.do("l.close()")
    events = stage.stop()
    for port in stage.ports:
        clients = [event for event in events if event["rport"] == port]
        servers = [event for event in events if event["lport"] == port]
        assert len(clients) == len(servers) == 2, events
        for event in clients + servers:
            assert event["handshake_us"] is None or event["handshake_us"] < 400_000, event
            assert event["bytes_written" if event in clients else "bytes_received"] == 10, event
        for event in clients:
            assert event["handshake_us"] is not None and event["bytes_acked"] == 10, event
            assert event["duration_us"] >= 500_000 or event is clients[0], event
        assert servers[1]["handshake_us"] is not None, servers
