# SPDX-License-Identifier: Apache-2.0
"""`drops` and each cause of a dropped packet by itself. Witnesses: the kernel's counters (nstat), iptables, what the
programs were told."""
import netns
from drops_tools import (Counters, by_reason, has_reasons, has_reset_reasons, names_sockets, need_scapy, of_type, rule,
                         rule_packets, scapy, told_reason, wait_for_drop)
from puppet import Puppet
from scenario import watch

PORT = 7300
FAMILIES = (4, 6)


def test_no_listener(net):
    """A connect and a datagram to ports that nobody has."""
    client, server = net.client_and_server()
    puppet = Puppet(client)
    for family in FAMILIES:
        address = server.addresses[family]
        udp = "UdpNoPorts" if family == 4 else "Udp6NoPorts"
        counters = Counters(server, "TcpOutRsts", udp)
        sockeye = watch(net, "drops", client, server)
        puppet.fails(f"connect({address!r}, {PORT})", "ConnectionRefusedError")
        puppet.do(f"global u; u = socket.socket(socket.{'AF_INET6' if family == 6 else 'AF_INET'}, socket.SOCK_DGRAM)")
        puppet.do(f"u.sendto(b'x' * 100, ({address!r}, {PORT + 1}))")
        wait_for_drop(sockeye, lport=PORT + 1)
        events = sockeye.stop().events
        assert counters.since() == {"TcpOutRsts": 1, udp: 1}, counters.since()
        at_server = [event for event in events if event["netns"] == server.inode]
        drops = of_type(at_server, "drop")
        assert [event["protocol"] for event in drops] == ["tcp", "udp"], drops
        assert by_reason(drops) == {told_reason("NO_SOCKET"): 2}, drops
        for event in drops:
            assert (event["laddr"], event["raddr"]) == (address, client.addresses[family]), event
            assert (event["direction"], event["family"], event["pid"]) == ("in", f"ipv{family}", None), event
            assert event["packets"] == 1 and event["length"], event
        assert drops[0]["tcp_flags"].startswith("SYN") and drops[0]["lport"] == PORT, drops[0]
        assert drops[1]["tcp_flags"] is None and drops[1]["sequence"] is None, drops[1]
        check_refusal(events, client, server, puppet)


def check_refusal(events, client, server, puppet):
    """The reset that answers a SYN to a closed port, which kernels before 6.10 do not tell; and its arrival."""
    sent = of_type(events, "reset_sent")
    assert len(sent) == (1 if has_reset_reasons() else 0), sent
    for event in sent:
        assert (event["netns"], event["reason"], event["lport"]) == (server.inode, "NO_SOCKET", PORT), event
        assert (event["direction"], event["pid"]) == ("out", None), event
    received = of_type(events, "reset_received")
    assert [event["netns"] for event in received] == [client.inode], received
    assert (received[0]["pid"], received[0]["owner_source"]) == (puppet.pid, "connect"), received
    assert (received[0]["rport"], received[0]["state"]) == (PORT, "SYN_SENT"), received


def test_a_firewall_rule(net):
    """What comes in and what goes out: each packet that iptables counts, and no other."""
    client, server = net.client_and_server()
    puppet = Puppet(client)
    for family in FAMILIES:
        address, name = server.addresses[family], "AF_INET6" if family == 6 else "AF_INET"
        rule(server, family, "INPUT", "-p", "udp", "--dport", PORT)
        rule(client, family, "OUTPUT", "-p", "tcp", "--dport", PORT)
        sockeye = watch(net, "drops", client, server)
        puppet.do(f"global u; u = socket.socket(socket.{name}, socket.SOCK_DGRAM)")
        puppet.do(f"[u.sendto(b'x', ({address!r}, {PORT})) for _ in range(20)] and None")
        puppet.do(f"global t; t = socket.socket(socket.{name}, socket.SOCK_STREAM); t.setblocking(False)")
        puppet.do(f"t.connect_ex(({address!r}, {PORT}))")
        netns.wait_until(lambda family=family: rule_packets(client, family, "OUTPUT") >= 2, "a second SYN")
        netns.wait_until(lambda family=family: rule_packets(server, family, "INPUT") == 20, "20 datagrams")
        puppet.do("t.close()")
        run = sockeye.stop()
        drops = [event for event in of_type(run.events, "drop") if PORT in (event["lport"], event["rport"])]
        assert by_reason(drops) == {told_reason("NETFILTER_DROP"): len(drops)}, by_reason(drops)
        came = [event for event in drops if event["netns"] == server.inode]
        went = [event for event in drops if event["netns"] == client.inode]
        assert len(came) == rule_packets(server, family, "INPUT") == 20, len(came)
        assert len(went) == rule_packets(client, family, "OUTPUT"), went
        assert {(event["direction"], event["protocol"]) for event in came} == {("in", "udp")}, came
        assert {(event["laddr"], event["lport"], event["raddr"]) for event in came} == {
            (address, PORT, client.addresses[family])}, came
        assert {(event["direction"], event["protocol"], event["tcp_flags"].split(",")[0]) for event in went} == {
            ("out", "tcp", "SYN")}, went
        assert {(event["pid"], event["owner_source"], event["raddr"], event["rport"], event["state"])
                for event in went} == {(puppet.pid, "connect", address, PORT, "SYN_SENT")}, went


def test_a_full_accept_queue(net):
    """A listener that does not accept: every SYN that the kernel counts as an overflow, and whose listener it is."""
    client, server = net.client_and_server()
    serving, connecting = Puppet(server), Puppet(client)
    for family in FAMILIES:
        address, name = server.addresses[family], "AF_INET6" if family == 6 else "AF_INET"
        sockeye = watch(net, "drops", server)
        counters = Counters(server, "TcpExtListenOverflows", "TcpExtListenDrops")
        serving.do(f"global l; l = socket.socket(socket.{name}); l.bind(({address!r}, {PORT})); l.listen(1)")
        connecting.do(f"global c; c = [connect({address!r}, {PORT}) for _ in range(2)]")
        connecting.do(f"global d; d = [socket.socket(socket.{name}) for _ in range(5)]")
        connecting.do(f"for s in d: s.setblocking(False); s.connect_ex(({address!r}, {PORT}))")
        netns.wait_until(lambda: counters.since()["TcpExtListenOverflows"] >= 10, "SYNs that come again")
        connecting.do("[s.close() for s in c + d] and None")
        first = wait_for_drop(sockeye, type="accept_overflow")
        assert (first["tcp_flags"] or "").split(",")[0] == "SYN", first
        # No SYN is under way any more: the connections are closed.
        overflows = counters.since()["TcpExtListenOverflows"]
        events = of_type(sockeye.stop().events, "accept_overflow")
        assert sum(event["packets"] for event in events) == overflows, (len(events), counters.since())
        assert counters.since()["TcpExtListenDrops"] == overflows, counters.since()
        for event in events:
            assert (event["pid"], event["comm"], event["owner_source"]) == (serving.pid, serving.comm, "listen"), event
            assert (event["backlog"], event["backlog_limit"]) == (2, 1), event
            assert (event["laddr"], event["lport"], event["raddr"]) == (address, PORT, client.addresses[family]), event
            assert (event["role"], event["state"]) == ("listener", "LISTEN"), event
        serving.do("l.close()")


def test_a_full_accept_queue_of_a_listener_without_bind(net):
    """Its port is chosen after it has said that it listens."""
    client, server = net.client_and_server()
    serving, connecting = Puppet(server), Puppet(client)
    for family in FAMILIES:
        address = server.addresses[family]
        sockeye = watch(net, "drops", server)
        counters = Counters(server, "TcpExtListenOverflows")
        serving.do(f"l = tcp({address!r}); l.listen(0)")
        port = serving.do("l.getsockname()[1]")
        connecting.do(f"c = connect({address!r}, {port}); d = tcp({address!r}); d.setblocking(False)")
        connecting.do(f"d.connect_ex(({address!r}, {port}))")
        event = wait_for_drop(sockeye, type="accept_overflow")
        assert (event["pid"], event["owner_source"], event["lport"]) == (serving.pid, "listen", port), (event, port)
        connecting.do("d.close(); c.close()")
        events = of_type(sockeye.stop().events, "accept_overflow")
        assert sum(event["packets"] for event in events) == counters.since()["TcpExtListenOverflows"], events
        serving.do("l.close()")


def test_listeners_that_are_gone_leave_room(net):
    """More listeners than are watched at a time (4,096) come and go; then one is full."""
    client, server = net.client_and_server()
    serving, connecting = Puppet(server), Puppet(client)
    address, first, count = server.addresses[4], 10000, 4100
    sockeye = watch(net, "drops", server)
    counters = Counters(server, "TcpExtListenOverflows")
    serving.do(f"for i in range({count}): listen({address!r}, {first} + i).close()", timeout=60)
    serving.do(f"l = listen({address!r}, {PORT}); l.listen(0)")
    connecting.do(f"c = connect({address!r}, {PORT}); d = socket.socket(); d.setblocking(False)")
    connecting.do(f"d.connect_ex(({address!r}, {PORT}))")
    event = wait_for_drop(sockeye, type="accept_overflow")
    assert (event["pid"], event["owner_source"], event["lport"]) == (serving.pid, "listen", PORT), event
    connecting.do("d.close()")
    events = of_type(sockeye.stop().events, "accept_overflow")
    assert sum(event["packets"] for event in events) == counters.since()["TcpExtListenOverflows"], events


def test_listeners_of_one_port(net):
    """Of three with one port the first goes; each of the others is told of as itself."""
    place = net.namespace("host")
    connecting, serving = Puppet(place), [Puppet(place) for _ in range(3)]
    addresses = [f"127.0.0.{number}" for number in (2, 3, 4)]
    sockeye = watch(net, "drops", place)
    counters = Counters(place, "TcpExtListenOverflows")
    for puppet, address in zip(serving, addresses):
        puppet.do(f"l = listen({address!r}, {PORT}); l.listen(0)")
    serving[0].do("l.close()")
    connecting.do("d = []")
    for puppet, address in zip(serving[:0:-1], addresses[:0:-1]):
        connecting.do(f"d.append(connect({address!r}, {PORT})); s = socket.socket(); s.setblocking(False)")
        connecting.do(f"s.connect_ex(({address!r}, {PORT})); d.append(s)")
        event = wait_for_drop(sockeye, type="accept_overflow", laddr=address)
        assert (event["pid"], event["owner_source"]) == (puppet.pid, "listen"), event
    connecting.do("[s.close() for s in d] and None")
    events = of_type(sockeye.stop().events, "accept_overflow")
    assert sum(event["packets"] for event in events) == counters.since()["TcpExtListenOverflows"], events


def test_a_listener_that_existed(net):
    """The same of a listener that was full before sockeye started."""
    client, server = net.client_and_server()
    serving, connecting = Puppet(server), Puppet(client)
    address = server.addresses[4]
    serving.do(f"global l; l = listen({address!r}, {PORT}); l.listen(0)")
    connecting.do(f"global c; c = connect({address!r}, {PORT})")
    sockeye = watch(net, "drops", server)
    counters = Counters(server, "TcpExtListenOverflows")
    connecting.do("global d; d = socket.socket(); d.setblocking(False)")
    connecting.do(f"d.connect_ex(({address!r}, {PORT}))")
    event = wait_for_drop(sockeye, type="accept_overflow")
    assert (event["pid"], event["owner_source"], event["backlog"]) == (serving.pid, "snapshot", 1), event
    connecting.do("d.close()")
    events = of_type(sockeye.stop().events, "accept_overflow")
    assert sum(event["packets"] for event in events) == counters.since()["TcpExtListenOverflows"], events


def test_a_full_receive_buffer_of_udp(net):
    client, server = net.client_and_server()
    receiving, sending = Puppet(server), Puppet(client)
    for family in FAMILIES:
        address, name = server.addresses[family], "AF_INET6" if family == 6 else "AF_INET"
        error = "UdpRcvbufErrors" if family == 4 else "Udp6RcvbufErrors"
        sockeye = watch(net, "drops", server)
        counters = Counters(server, error)
        receiving.do(f"global r; r = socket.socket(socket.{name}, socket.SOCK_DGRAM); r.bind(({address!r}, {PORT}))")
        receiving.do("r.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)")
        sending.do(f"global s; s = socket.socket(socket.{name}, socket.SOCK_DGRAM)")
        sending.do(f"s.sendto(b'x' * 500, ({address!r}, {PORT}))")
        receiving.do("len(r.recv(1000))")  # which shows whose it is
        sending.do(f"[s.sendto(b'x' * 500, ({address!r}, {PORT})) for _ in range(100)] and None")
        netns.wait_until(lambda counters=counters, error=error: counters.since()[error] > 50, "a full buffer")
        wait_for_drop(sockeye, protocol="udp", lport=PORT)
        lost = counters.since()[error]
        drops = of_type(sockeye.stop().events, "drop")
        # Open files are visited whenever an owner on the machine has ended: that may come before the first use.
        owners = [(receiving.pid, "use"), (receiving.pid, "snapshot")] if names_sockets() else [(None, "unknown")]
        assert by_reason(drops) == {told_reason("SOCKET_RCVBUFF"): lost}, (by_reason(drops), lost)
        for event in drops:
            assert (event["laddr"], event["lport"], event["raddr"]) == (address, PORT, client.addresses[family]), event
            assert event["direction"] == "in" and event["protocol"] == "udp", event
            assert (event["pid"], event["owner_source"]) in owners, event
        receiving.do("r.close()")


def test_a_full_receive_buffer_of_tcp(net):
    """A receiver's buffer is made smaller than the window that it has promised, and nobody reads: there is no memory "due to socket
    limits", then no window for what is sent again."""
    client, server = net.client_and_server()
    receiving, sending = Puppet(server), Puppet(client)
    for family in FAMILIES:
        address = server.addresses[family]
        receiving.do(f"global l; l = listen({address!r}, {PORT})")
        sending.do(f"global c; c = connect({address!r}, {PORT})")
        receiving.do("global r; r = l.accept()[0]; r.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)")
        sockeye = watch(net, "drops", server)
        counters = Counters(server, "TcpExtTCPRcvQDrop", "TcpExtTCPZeroWindowDrop")
        sending.do("c.setblocking(False); c.send(b'x' * 60000)")
        netns.wait_until(lambda counters=counters: counters.since()["TcpExtTCPRcvQDrop"], "a full buffer")
        sending.do("reset(c)")
        receiving.do("r.close(); l.close()")
        full, closed = counters.since().values()
        drops = of_type(sockeye.stop().events, "drop")
        # Until 5.16 TCP throws it away without a word; until 6.10 nothing tells of which namespace it was.
        lost = {reason: count for reason, count in (("PROTO_MEM", full), ("TCP_ZEROWINDOW", closed)) if count}
        drops = [event for event in drops if event["reason"] != "TCP_RESET"]
        assert by_reason(drops) == (lost if names_sockets() else {}), (by_reason(drops), lost)
        for event in drops:
            assert (event["pid"], event["comm"], event["state"]) == (receiving.pid, receiving.comm, "ESTABLISHED"), event
            assert (event["lport"], event["raddr"], event["protocol"]) == (PORT, client.addresses[family], "tcp"), event
            assert event["length"] > 1000 and event["direction"] == "in", event


def test_sent_past_the_stack(net):
    """A socket that is neither TCP nor UDP sends a datagram of UDP to a link that is down."""
    client, server = net.client_and_server()
    sending = Puppet(client)
    sockeye = watch(net, "drops", client)
    server.ip("link", "set", "veth0", "down")
    addresses = [[int(part) for part in place.addresses[4].split(".")] for place in (client, server)]
    header = bytes([0x45, 0, 0, 30, 0, 0, 0, 0, 64, 17, 0, 0, *addresses[0], *addresses[1]])
    datagram = header + bytes([PORT >> 8, PORT & 255, 0, 9, 0, 10, 0, 0, 1, 2])
    sending.do("p = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)")
    to = "('veth0', 0x0800, 0, 0, b'\\xff' * 6)"  # whether the sender hears of the loss differs between kernels
    sending.do(f"import contextlib\nwith contextlib.suppress(OSError): p.sendto({datagram!r}, {to})")
    event = wait_for_drop(sockeye, lport=PORT)
    assert (event["netns"], event["direction"], event["protocol"]) == (client.inode, "out", "udp"), event
    assert (event["laddr"], event["raddr"], event["rport"]) == (client.addresses[4], server.addresses[4], 9), event
    assert (event["pid"], event["owner_source"], event["state"]) == (None, "unknown", None), event
    sockeye.stop()


def test_bad_checksums(net):
    """TCP and UDP, made by scapy. The kernel counts them as errors."""
    need_scapy(net)
    client, server = net.client_and_server()
    serving = Puppet(server)
    for family in FAMILIES:
        address, ip = server.addresses[family], "IPv6" if family == 6 else "IP"
        name = "AF_INET6" if family == 6 else "AF_INET"
        serving.do(f"global l; l = listen({address!r}, {PORT})")
        serving.do(f"global u; u = socket.socket(socket.{name}, socket.SOCK_DGRAM); u.bind(({address!r}, {PORT}))")
        udp = "UdpInCsumErrors" if family == 4 else "Udp6InCsumErrors"
        counters = Counters(server, "TcpInCsumErrors", udp)
        sockeye = watch(net, "drops", server)
        scapy(client, f"send([{ip}(dst={address!r})/TCP(sport=4000, dport={PORT}, flags='S', chksum=0x1234)] * 7)\n"
                      f"send([{ip}(dst={address!r})/UDP(sport=4000, dport={PORT}, chksum=0x1234)/('x' * 50)] * 5)")
        # A datagram's checksum may be looked at only when it is read.
        serving.do("u.setblocking(False)")
        serving.fails("u.recv(100)", "BlockingIOError")
        netns.wait_until(lambda counters=counters, udp=udp: counters.since() == {"TcpInCsumErrors": 7, udp: 5},
                         "the kernel's counters")
        drops = of_type(sockeye.stop().events, "drop")
        assert by_reason(drops) == ({"TCP_CSUM": 7, "UDP_CSUM": 5} if has_reasons() else {None: 12}), by_reason(drops)
        for event in drops:
            assert (event["raddr"], event["rport"], event["lport"]) == (client.addresses[family], 4000, PORT), event
        serving.do("l.close(); u.close()")


def test_resets(net):
    """A reset by SO_LINGER, one by unread data, and both ends of each."""
    client, server = net.client_and_server()
    serving, connecting = Puppet(server), Puppet(client)
    for family in FAMILIES:
        address = server.addresses[family]
        serving.do(f"global l; l = listen({address!r}, {PORT})")
        sockeye = watch(net, "drops", client, server)
        counters = Counters(client, "TcpOutRsts")
        connecting.do(f"global c; c = connect({address!r}, {PORT})")
        serving.do("global a; a = l.accept()[0]; a.setblocking(True)")
        connecting.do("reset(c)")
        wait_for_drop(sockeye, type="reset_received", netns=server.inode)
        connecting.do(f"global c; c = connect({address!r}, {PORT})")
        serving.do("global a; a = l.accept()[0]; a.send(b'read me')")
        connecting.do("select = __import__('select').select([c], [], [], 10) and None")
        connecting.do("c.close()")
        wait_for_drop(sockeye, type="reset_received", netns=server.inode)
        events = sockeye.stop().events
        sent, received = of_type(events, "reset_sent"), of_type(events, "reset_received")
        assert counters.since()["TcpOutRsts"] == len(sent) == len(received) == 2, (counters.since(), sent, received)
        for event in sent:
            assert (event["pid"], event["raddr"], event["rport"]) == (connecting.pid, address, PORT), event
            assert (event["netns"], event["direction"], event["role"]) == (client.inode, "out", "client"), event
        if has_reset_reasons():
            # close() with a linger time of 0 is a tcp_disconnect(), which calls it TCP_STATE.
            assert [event["reason"] for event in sent] == ["TCP_STATE", "TCP_ABORT_ON_CLOSE"], sent
        for event, of_sender in zip(received, sent):
            assert (event["pid"], event["lport"], event["role"]) == (serving.pid, PORT, "server"), event
            assert (event["raddr"], event["rport"]) == (of_sender["laddr"], of_sender["lport"]), (event, of_sender)
            assert (event["direction"], event["state"]) == ("in", "ESTABLISHED"), event
        serving.do("a.close(); l.close()")


def test_healthy_connections_drop_nothing(net):
    """Connections that are opened, used and closed as they should be, by either end first, half closed with data that
    still come the other way, over a link and on loopback."""
    client, server = net.client_and_server()
    serving, connecting, alone = Puppet(server), Puppet(client), Puppet(client)
    count = netns.scaled(500)
    repeated = [Counters(place, "TcpExtTCPDSACKOldSent", "TcpExtTCPDSACKOfoSent") for place in (client, server)]
    sockeye = watch(net, "drops", client, server)
    for listening, address in [*((serving, server.addresses[family]) for family in FAMILIES), (alone, "127.0.0.1"),
                               (alone, "::1")]:
        listening.do(f"global l; l = listen({address!r}, {PORT})")
        listening.start(f"for i in range({count}):\n a = l.accept()[0]\n a.sendall(b'x' * 5000)\n"
                        " i % 2 and a.shutdown(socket.SHUT_WR)\n while a.recv(10000): pass\n a.close()")
        connecting.do(f"for i in range({count}):\n c = connect({address!r}, {PORT})\n c.sendall(b'y')\n n = 0\n"
                      " while n < 5000: n += len(c.recv(10000))\n i % 4 or c.sendall(b'z' * 100)\n c.close()",
                      timeout=100)
        listening.finish(timeout=100)
        listening.do("l.close()")
    events = sockeye.stop().events
    if not names_sockets():
        # On a slow machine something is sent again that had come. That is acknowledged again (RFC 2883), which TIME_WAIT has
        # no use for; to these kernels it is a packet that nobody wanted.
        spare = sum(sum(counters.since().values()) for counters in repeated)
        needless = [event for event in events if event["tcp_flags"] == "ACK"][:spare]
        events = [event for event in events if event not in needless]
    assert not events, (len(events), by_reason(events), events[:3])
