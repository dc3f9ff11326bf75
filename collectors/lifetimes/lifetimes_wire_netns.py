# SPDX-License-Identifier: Apache-2.0
"""`connections`, `lifetimes` and `retransmits` in one run where packets get lost, against the packets themselves. Witnesses:
tshark at both ends of the link, nstat."""

import netns
from capture import ACK, Capture, reset_ports, sent_again, SYN
from lifetimes_tools import lives_of, settle
from puppet import Puppet
from states_tools import linked_by_threads, ROOM
from witness import nstat
from workload import drop, numbers, pass_all, start_load

ALONE = "its segments must arrive in the order in which they were sent"
PORT = 7000
CONNECTIONS = netns.scaled(300)
RESETS = 20
FIVE_PERCENT = "meta l4proto tcp numgen random mod 20 0"  # what comes in has been seen by tshark


def make_connections(client, server, address):
    serving = start_load(server, "server", "--addr", address, "--port", PORT)
    made = client.load("client", "--addr", address, "--port", PORT, "--connections", CONNECTIONS, "--threads", 20)
    assert made.wait(120) == 0, made.stderr
    settle(client, PORT)
    settle(server, PORT)
    assert serving.stop() == 0 and numbers(made)["connections"] == CONNECTIONS, made.stdout


def lose_on_arrival(client, server, address):
    for place in (client, server):
        drop(place, "input", FIVE_PERCENT)
    make_connections(client, server, address)
    for place in (client, server):
        pass_all(place)


def lose_by_netem(client, server, address):
    tc = [netns.require("tc"), "qdisc"]
    for place in (client, server):
        if place.run([*tc, "add", "dev", "veth0", "root", "netem", "loss", "5%"], check=False).code != 0:
            netns.skip("this kernel has no sch_netem")
    make_connections(client, server, address)
    for place in (client, server):
        place.run([*tc, "del", "dev", "veth0", "root"])


def reset_connections(client, server, address):
    left, right = Puppet(client), Puppet(server)
    right.do(f"l = listen({address!r}, {PORT})")
    for _ in range(RESETS):
        left.do(f"c = connect({address!r}, {PORT})")
        right.do("s = l.accept()[0]")
        left.do("reset(c)")
        right.fails("s.recv(1)", "ConnectionResetError")
        right.do("s.close()")


def check_opened(packets, events, lives, client):
    """An event for each connection that there was a SYN of."""
    opened = {packet.sport for packet in packets if packet.flags & (SYN | ACK) == SYN}
    connects = [event for event in events if event["event"] == "connections" and event["event_type"] == "connect"]
    assert len(connects) == len(opened) == CONNECTIONS + RESETS, (len(connects), len(opened))
    assert {event["sport"] for event in connects} == opened and {event["outcome"] for event in connects} == {"established"}
    assert {event["lport"] for event in lives if event["netns"] == client.inode} == opened, "another connection"


def check_told(net, told, counted):
    """Each of them, but what a timer sent again and the kernel has hidden (tests/netns/guarded.py)."""
    assert net.hidden.explains(counted - told), (told, counted, net.hidden.count())


def as_captured(net, family, lose=lose_on_arrival):
    """What netem loses no capture has seen: there nstat tells what was sent again."""
    client, server = linked_by_threads(net)
    places = ",".join(str(place.inode) for place in (client, server))
    captures = {place: Capture(net, place) for place in (client, server)}
    sockeye = net.sockeye("trace", "connections,lifetimes,retransmits", "--netns", places, *ROOM)
    address = server.addresses[family]
    lose(client, server, address)
    reset_connections(client, server, address)
    run = sockeye.stop()
    lives = lives_of(run, client, server)
    packets = {place: capture.packets() for place, capture in captures.items()}
    check_opened(packets[client], run.events, lives, client)
    resets = reset_ports(packets[client], PORT)
    told = {event["lport"] for event in lives if event["end"] == "reset_sent"}
    assert len(told) == RESETS and (told == resets or not client.in_order and told < resets), (told, resets)
    for place in (client, server):
        again = sum(sent_again(packets[place], place.addresses[family]).values())
        counted, = nstat(place, "TcpRetransSegs")
        in_lives = sum(event["retransmits"] for event in lives if event["netns"] == place.inode)
        in_events = sum(event["segments"] for event in run.events
                      if event["event"] == "retransmits" and event["netns"] == place.inode)
        print(f"IPv{family} {place.name}: sent again {again} in tshark, {counted} in nstat, {in_lives} in lifetimes, {in_events} in "
              f"retransmits; {len(lives)} events, {len(resets)} connections reset")
        assert counted == in_lives and (again == counted or not place.in_order or lose is lose_by_netem), (again, counted, in_lives)
        check_told(net, in_events, counted)


def test_five_percent_as_captured_ipv4(net):
    as_captured(net, 4)


def test_five_percent_as_captured_ipv6(net):
    as_captured(net, 6)


def test_five_percent_by_netem_ipv4(net):
    as_captured(net, 4, lose_by_netem)


def test_five_percent_by_netem_ipv6(net):
    as_captured(net, 6, lose_by_netem)
