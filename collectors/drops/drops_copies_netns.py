# SPDX-License-Identifier: Apache-2.0
"""`drops` beside captures that lag and raw sockets that nobody reads: what is dropped for these is no drop of the connection, and what is
dropped beside them is told. Witnesses: what the capture says of itself, /proc/net/raw, nstat, iptables."""
import collections

import netns
from drops_tools import Counters, of_type, rule, rule_packets, told_reason, wait_for_drop
from puppet import Puppet
from scenario import watch

ALONE = "captures packets of all interfaces"
PORT = 7500
FAMILIES = (4, 6)
LOOPBACK = {4: "127.0.0.1", 6: "::1"}
LEAST_BUFFER = "setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)"
# Of <linux/if_packet.h>: SOL_PACKET, PACKET_RX_RING (one block of two frames), PACKET_STATISTICS.
RING = "setsockopt(263, 5, struct.pack('IIII', 4096, 1, 2048, 2))"
STATISTICS = "struct.unpack('II', p.getsockopt(263, 6, 8))[1]"


def capture(place, kind, how, device):
    """A capture of all protocols (ETH_P_ALL) that is never read."""
    capturing = Puppet(place)
    capturing.do(f"p = socket.socket(socket.AF_PACKET, socket.{kind}, socket.htons(3)); p.{how}")
    capturing.do(f"p.bind(({device!r}, 3))")
    return capturing


def talk(serving, connecting, address):
    """A connection on which nothing is lost."""
    serving.do(f"l = listen({address!r}, {PORT})")
    connecting.do(f"c = connect({address!r}, {PORT})")
    serving.do("a = l.accept()[0]; l.close()")
    serving.start("while a.recv(64): a.send(b'y')")
    connecting.do("for _ in range(50): c.send(b'x'); c.recv(9)")
    connecting.do("c.close()")
    serving.finish()
    serving.do("a.close()")


def lose_some(connecting, address):
    """Four packets to ports that nobody has, five to one that a rule forbids."""
    connecting.fails(f"connect({address!r}, {PORT})", "ConnectionRefusedError")
    name = "AF_INET6" if ":" in address else "AF_INET"
    connecting.do(f"u = socket.socket(socket.{name}, socket.SOCK_DGRAM)")
    # Where the port's being closed comes back at once, the next send says so; a rule's loss is told to who sends.
    connecting.do(f"import contextlib\nfor port in 3 * [{PORT + 1}] + 5 * [{PORT + 2}]:\n"
                  f" with contextlib.suppress(OSError): u.sendto(b'x', ({address!r}, port))")
    connecting.do("u.close()")


def check_drops(events, places):
    """What lose_some() has lost between these, each the namespace that sends and the one that receives, and nothing else."""
    drops = collections.Counter((event["netns"], event["reason"], event["direction"], event["protocol"])
                                for event in of_type(events, "drop"))
    lost = collections.Counter()
    for client, server in places:
        lost += collections.Counter({(server.inode, told_reason("NO_SOCKET"), "in", "tcp"): 1,
                                     (server.inode, told_reason("NO_SOCKET"), "in", "udp"): 3,
                                     (client.inode, told_reason("NETFILTER_DROP"), "out", "udp"): 5})
    assert drops == lost, drops


def talk_beside_captures(client, server, family, device, kind, how):
    """A connection, and what is lost beside it, over a link or on loopback. Captures of both ends have no room for it."""
    far, address = (client, LOOPBACK[family]) if device == "lo" else (server, server.addresses[family])
    serving, connecting = Puppet(far), Puppet(client)
    captures = [capture(place, kind, how, device) for place in {client, far}]
    before = rule_packets(client, family, "OUTPUT")
    talk(serving, connecting, address)
    lose_some(connecting, address)
    missed = [capturing.do(STATISTICS) for capturing in captures]
    assert min(missed) > 20, (device, family, missed)
    for capturing in captures:
        capturing.do("p.close()")
    assert rule_packets(client, family, "OUTPUT") - before == 5
    return client, far


def test_a_capture_that_lags(net):
    """With a queue, with a ring, and without the headers of the link."""
    client, server = net.client_and_server()
    for family in FAMILIES:
        rule(client, family, "OUTPUT", "-p", "udp", "--dport", PORT + 2)
    for kind, how in (("SOCK_RAW", LEAST_BUFFER), ("SOCK_RAW", RING), ("SOCK_DGRAM", LEAST_BUFFER)):
        sockeye = watch(net, "drops", client, server)
        counters = Counters(client, "TcpRetransSegs")
        places = [talk_beside_captures(client, server, family, device, kind, how)
                  for family in FAMILIES for device in ("veth0", "lo")]
        assert counters.since() == {"TcpRetransSegs": 0}, counters.since()
        check_drops(sockeye.stop().events, places)


def raw_drops(puppet, family):
    """What the raw sockets of its namespace had no room for, and how many there are."""
    lines = puppet.do(f"open('/proc/net/raw{6 if family == 6 else ''}').read()").splitlines()[1:]
    return sum(int(line.split()[-1]) for line in lines), len(lines)


def test_raw_sockets_that_nobody_reads(net):
    """Of TCP and of UDP, full of what others receive."""
    client, server = net.client_and_server()
    for family in FAMILIES:
        rule(client, family, "OUTPUT", "-p", "udp", "--dport", PORT + 2)
        address, name = server.addresses[family], "AF_INET6" if family == 6 else "AF_INET"
        serving, connecting, looking = Puppet(server), Puppet(client), Puppet(server)
        looking.do(f"r = [socket.socket(socket.{name}, socket.SOCK_RAW, protocol) for protocol in (6, 17)]")
        looking.do(f"for s in r: s.{LEAST_BUFFER}")
        sockeye = watch(net, "drops", client, server)
        counters = Counters(client, "TcpRetransSegs")
        talk(serving, connecting, address)
        serving.do(f"u = socket.socket(socket.{name}, socket.SOCK_DGRAM); u.bind(({address!r}, {PORT}))")
        connecting.do(f"v = socket.socket(socket.{name}, socket.SOCK_DGRAM)")
        connecting.do(f"[v.sendto(b'x' * 100, ({address!r}, {PORT})) for _ in range(30)] and None")
        serving.do("[len(u.recv(200)) for _ in range(30)] and None")
        serving.do("u.close()")
        lose_some(connecting, address)
        lost, sockets = raw_drops(looking, family)
        assert lost > 50 and sockets == 2, (lost, sockets)
        looking.do("for s in r: s.close()")
        assert counters.since() == {"TcpRetransSegs": 0}, counters.since()
        check_drops(sockeye.stop().events, [(client, server)])


def test_what_a_raw_socket_sends(net):
    """A rule stops it: lost on the way out, of no connection."""
    client, server = net.client_and_server()
    sending = Puppet(client)
    segment = f"struct.pack('!HHIIHHHH', 4000, {PORT}, 1, 0, 5 << 12 | 2, 1000, 0, 0)"
    for family in FAMILIES:
        address, name = server.addresses[family], "AF_INET6" if family == 6 else "AF_INET"
        rule(client, family, "OUTPUT", "-p", "tcp", "--dport", PORT)
        sockeye = watch(net, "drops", client, server)
        sending.do(f"r = socket.socket(socket.{name}, socket.SOCK_RAW, 6)")
        sending.do(f"import contextlib\nfor _ in range(7):\n with contextlib.suppress(OSError): r.sendto({segment}, ({address!r}, 0))")
        sending.do("r.close()")
        drops = of_type(sockeye.stop().events, "drop")
        assert len(drops) == rule_packets(client, family, "OUTPUT") == 7, drops
        for event in drops:
            assert (event["netns"], event["direction"], event["tcp_flags"]) == (client.inode, "out", "SYN"), event
            assert (event["laddr"], event["lport"]) == (client.addresses[family], 4000), event
            assert (event["raddr"], event["rport"]) == (address, PORT), event
            assert (event["pid"], event["owner_source"], event["state"]) == (None, "unknown", None), event


def test_a_reset_that_does_not_get_out(net):
    """The kernel sends the answer to a closed port from a raw socket of its own: lost on the way out, of no connection."""
    client, server = net.client_and_server()
    connecting = Puppet(client)
    for family in FAMILIES:
        rule(server, family, "OUTPUT", "-p", "tcp", "--tcp-flags", "RST", "RST")
        sockeye = watch(net, "drops", server)
        connecting.do(f"c = tcp({server.addresses[family]!r}); c.setblocking(False)")
        connecting.do(f"c.connect_ex(({server.addresses[family]!r}, {PORT}))")
        event = wait_for_drop(sockeye, type="drop", direction="out")
        connecting.do("c.close()")
        assert event["tcp_flags"].split(",")[0] == "RST" and event["netns"] == server.inode, event
        assert (event["laddr"], event["lport"]) == (server.addresses[family], PORT), event
        assert (event["pid"], event["owner_source"], event["state"]) == (None, "unknown", None), event
        drops = [event for event in of_type(sockeye.stop().events, "drop") if event["direction"] == "out"]
        assert len(drops) == rule_packets(server, family, "OUTPUT"), drops


def test_dropped_before_the_stack(net):
    """By a rule on the receiving end of a veth link: there the packet still has the socket that sent it."""
    client, server = net.client_and_server()
    connecting = Puppet(client)
    rules = f"table netdev early {{ chain early {{ type filter hook ingress device veth0 priority 0; th dport {PORT} counter drop; }}; }}"
    done = server.run([netns.require("nft"), rules], check=False)
    if done.code != 0:
        netns.skip(f"nft takes no rule at a device here: {done.stderr.strip()}")
    for family in FAMILIES:
        address, name = server.addresses[family], "AF_INET6" if family == 6 else "AF_INET"
        sockeye = watch(net, "drops", client, server)
        connecting.do(f"c = tcp({address!r}); c.setblocking(False); c.connect_ex(({address!r}, {PORT}))")
        connecting.do(f"u = socket.socket(socket.{name}, socket.SOCK_DGRAM); u.sendto(b'x', ({address!r}, {PORT}))")
        for protocol in ("tcp", "udp"):
            event = wait_for_drop(sockeye, protocol=protocol)
            assert (event["netns"], event["direction"]) == (server.inode, "in"), event
            assert (event["laddr"], event["lport"], event["raddr"]) == (address, PORT, client.addresses[family]), event
            assert (event["pid"], event["owner_source"], event["state"]) == (None, "unknown", None), event
        connecting.do("c.close(); u.close()")
        sockeye.stop()
