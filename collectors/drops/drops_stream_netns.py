# SPDX-License-Identifier: Apache-2.0
"""`drops` as a stream: filters, recordings, and a flood."""
import netns
from drops_tools import Counters, of_type, parsed, replayed, wait_for_drop
from puppet import Puppet
from scenario import watch
from witness import wait_ss

PORT = 7400


def send(puppet, address, port, count, data="b'x' * 100"):
    name = "AF_INET6" if ":" in address else "AF_INET"
    puppet.do(f"global u; u = socket.socket(socket.{name}, socket.SOCK_DGRAM)")
    # A reply that the port is closed makes the next send fail: the socket is not connected, so that none comes.
    puppet.do(f"[u.sendto({data}, ({address!r}, {port})) for _ in range({count})] and None", timeout=60)


def test_filters(net):
    """By what the packet says, where no socket is known, and by the owner, where one is."""
    client, server = net.client_and_server()
    puppet = Puppet(client)
    by_port = watch(net, "drops", server, words=("--local-port", PORT + 1))
    by_peer = watch(net, "drops", server, words=("--peer-ip", client.addresses[6]))
    by_owner = watch(net, "drops", client, server, words=("--pid", puppet.pid))
    for family in (4, 6):
        for port in (PORT, PORT + 1):
            send(puppet, server.addresses[family], port, 3)
        puppet.fails(f"connect({server.addresses[family]!r}, {PORT})", "ConnectionRefusedError")
    wait_for_drop(by_owner, type="reset_received", laddr=client.addresses[6])
    wait_for_drop(by_port, lport=PORT + 1, family="ipv6")
    wait_for_drop(by_peer, lport=PORT, protocol="tcp")
    assert [event["lport"] for event in by_port.stop().events] == [PORT + 1] * 6
    of_peer = by_peer.stop().events
    assert {event["raddr"] for event in of_peer} == {client.addresses[6]}, of_peer
    assert len(of_type(of_peer, "drop")) == 7, of_peer
    owned = by_owner.stop().events
    assert {event["pid"] for event in owned} == {puppet.pid}, owned
    assert len(of_type(owned, "reset_received")) == 2, owned


def test_active_only(net):
    """A reset of an open connection, and one that comes when this end has closed; live and of a recording."""
    client, server = net.client_and_server()
    left, right = Puppet(client), Puppet(server)
    file = net.folder() / "drops.rec"
    everything = watch(net, "drops", client, words=("--record", file))
    active = watch(net, "drops", client, words=("--active-only",))
    for is_closed in (True, False):
        right.do(f"l = listen({server.addresses[4]!r}, {PORT})")
        left.do(f"c = connect({server.addresses[4]!r}, {PORT})")
        right.do("s = l.accept()[0]; l.close()")
        if is_closed:
            left.do("c.shutdown(socket.SHUT_WR)")
            wait_ss(client, f"dport = :{PORT}", "FIN-WAIT-2")
        right.do("reset(s)")
        wait_for_drop(everything, type="reset_received", state="FIN_WAIT2" if is_closed else "ESTABLISHED")
        left.do("c.close()")
    wait_for_drop(active, type="reset_received")
    events = [event["state"] for event in active.stop().events]
    everything.stop()
    assert events == ["ESTABLISHED"], events
    assert [event["state"] for event in parsed(replayed(net, file, "--active-only"))[:-1]] == events


def test_a_recording_shows_the_same(net):
    client, server = net.client_and_server()
    puppet = Puppet(client)
    file = net.folder() / "drops.rec"
    sockeye = watch(net, "drops", client, server, words=("--record", file))
    for family in (4, 6):
        send(puppet, server.addresses[family], PORT, 5)
        puppet.fails(f"connect({server.addresses[family]!r}, {PORT})", "ConnectionRefusedError")
    wait_for_drop(sockeye, type="reset_received", laddr=client.addresses[6])
    run = sockeye.stop()
    assert len(run.events) >= 14, run.events
    shown = sockeye.process.stdout
    assert replayed(net, file) == shown, "replay differs"
    narrowed = parsed(replayed(net, file, "--local-port", PORT))[:-1]
    assert narrowed == [event for event in run.events if event["lport"] == PORT], narrowed


def test_a_flood_is_counted_and_leaves_room(net):
    """More than the ring holds: what is there and what is lost are all there was, and the other collector of the run loses
    nothing."""
    client, server = net.client_and_server()
    puppet = Puppet(client)
    counters = Counters(server, "UdpNoPorts")
    words = ("drops,states", "--netns", f"{client.inode},{server.inode}", "--ring-size", "64K")
    sockeye = net.sockeye("trace", *words, lossy=True)
    count = netns.scaled(20000)
    sockeye.process.popen.send_signal(netns.signal.SIGSTOP)
    try:
        send(puppet, server.addresses[4], PORT, count)
        puppet.fails(f"connect({server.addresses[4]!r}, {PORT})", "ConnectionRefusedError")
        netns.wait_until(lambda: counters.since()["UdpNoPorts"] == count, "all datagrams")
    finally:
        sockeye.process.popen.send_signal(netns.signal.SIGCONT)
    run = sockeye.stop()
    drops = [event for event in run.events if event["event"] == "drops"]
    states = [event for event in run.events if event["event"] == "states"]
    # The SYN that is refused, its reset and the reset's arrival are lost as well.
    assert count <= len(drops) + run.end["lost"] <= count + 4, (len(drops), run.end, count)
    assert run.end["lost"] == sum(gap["lost"] for gap in run.gaps) > 0, run.gaps
    assert {gap["reason"] for gap in run.gaps} == {"ring_full"}, run.gaps
    assert [event["new_state"] for event in states] == ["SYN_SENT", "CLOSE"], states
