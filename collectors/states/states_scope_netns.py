# SPDX-License-Identifier: Apache-2.0
"""Link-local addresses: two connections with the same four values, over two links. Every collector tells by which link
each goes, and filters tell them apart, live and in a replay. Witnesses: `ss -tn`, and a capture on each device."""
import json
import re

import netns
from capture import Capture
from puppet import Puppet

CLIENT, SERVER = "fe80::1", "fe80::2"
PORT, CLIENT_PORT, CLOSED = 9100, 9200, 9101
LINKS = {"left": 1000, "right": 3000}  # names, and how many bytes the client sends there


def two_links(net):
    """Namespaces with two links; the same addresses on both, and other indexes in the one than in the other."""
    client, server = net.namespace("client"), net.namespace("server")
    server.ip("link", "add", "spare", "type", "veth", "peer", "name", "spared")
    for device in LINKS:
        client.ip("link", "add", device, "type", "veth", "peer", "name", device, "netns", server.name)
        for place, address in ((client, CLIENT), (server, SERVER)):
            place.ip("link", "set", device, "addrgenmode", "none")
            place.ip("link", "set", device, "up")
            place.ip("-6", "address", "add", address + "/64", "dev", device, "nodad")
    for place in (client, server):
        for device in LINKS:
            netns.wait_until(lambda place=place, device=device: "state UP" in place.ip("link", "show", device).stdout, device)
    return client, server


def index(place, device):
    return int(place.ip("-o", "link", "show", device).stdout.split(":")[0])


def connect(left, right, device):
    """From CLIENT to SERVER on this link: sockets c<device> and s<device>."""
    left.do(f"i = socket.if_nametoindex({device!r})")
    left.do(f"c{device} = socket.socket(socket.AF_INET6)")
    left.do(f"c{device}.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)")
    left.do(f"c{device}.bind(({CLIENT!r}, {CLIENT_PORT}, 0, i))")
    left.do(f"c{device}.connect(({SERVER!r}, {PORT}, 0, i))")
    right.do(f"s{device} = l.accept()[0]")


def open_both(client, server):
    left, right = Puppet(client), Puppet(server)
    right.do(f"l = listen('::', {PORT})")
    for device in LINKS:
        connect(left, right, device)
    return left, right


def talk_and_close(left, right):
    for device, size in LINKS.items():
        left.do(f"c{device}.sendall(bytes({size}))")
        right.do(f"len(s{device}.recv({size}, socket.MSG_WAITALL))")
        left.do(f"c{device}.close()")
        right.do(f"s{device}.recv(1)")
        right.do(f"s{device}.close()")


def ends_in_ss(place):
    """Both ends of each connection, as ss has them: [fe80::1]%left:9200."""
    lines = place.run([netns.require("ss"), "-Htn"]).stdout.splitlines()
    return {tuple(re.sub(r"[\[\]]", "", end) for end in line.split()[3:5]) for line in lines}


def ends_of(event):
    """As ss has them, which gives the interface of the local end alone."""
    return (f"{event['laddr']}:{event['lport']}", f"{event['raddr'].split('%')[0]}:{event['rport']}")


def by_link(events):
    """The events by the link that all their addresses name."""
    found = {}
    for event in events:
        scopes = {event[key].partition("%")[2] for key in ("laddr", "raddr", "saddr", "daddr")}
        assert len(scopes) == 1, event
        found.setdefault(scopes.pop(), []).append(event)
    return found


def netns_words(*places):
    return ("--netns", ",".join(str(place.inode) for place in places))


def test_each_collector_tells_the_link(net):
    client, server = two_links(net)
    captures = {device: Capture(net, client, device) for device in LINKS}
    run = net.sockeye("trace", "states,connections,lifetimes", *netns_words(client, server), "--ip", "fe80::/10")
    left, right = open_both(client, server)
    in_ss = {place: ends_in_ss(place) for place in (client, server)}
    talk_and_close(left, right)
    run.wait_for(lambda event: event["event"] == "lifetimes" and event["role"] == "server" and event["laddr"].endswith("right"))
    events = run.stop().events
    for kind, each in (("states", 2), ("connections", 1), ("lifetimes", 1)):
        links = by_link(event for event in events if event["event"] == kind)
        assert links.keys() == LINKS.keys(), (kind, links.keys())
        for device, told in links.items():
            roles = [event["role"] for event in told]
            assert min(roles.count("client"), roles.count("server")) >= each, (kind, device, told)
            assert len({event["cookie"] for event in told}) == 2, told
    for place in (client, server):
        mine = [e for e in events if e["netns"] == place.inode]
        assert {ends_of(e) for e in mine if e["lport"]} == in_ss[place], (mine, in_ss[place])
    told = {e["laddr"].partition("%")[2]: e for e in events if e["event"] == "lifetimes" and e["role"] == "client"}
    for device, capture in captures.items():
        seen = sum(packet.length for packet in capture.packets() if packet.sport == CLIENT_PORT)
        assert seen == told[device]["bytes_acked"] == LINKS[device], (device, seen, told[device])


def test_filters_name_the_link(net):
    """By name, which is one in the namespaces of --netns, and by index, also of a network; excluded; both at once."""
    client, server = two_links(net)
    indexes = {device: index(client, device) for device in LINKS}
    assert indexes["left"] != index(server, "left")
    runs = {}
    for label, words in (
            ("name", ("--ip", f"{CLIENT}%left")), ("index", ("--ip", f"{SERVER}%{indexes['left']}")),
            ("network", ("--peer-ip", "fe80::%left/64")), ("excluded", ("--ip", f"!{CLIENT}%right")),
            ("other", ("--local-ip", f"{CLIENT}%right,{SERVER}%right")), ("any", ("--src-ip", CLIENT))):
        runs[label] = net.sockeye("states", *netns_words(client), *words)
    both = net.sockeye("states", *netns_words(client, server), "--ip", f"{CLIENT}%left")
    talk_and_close(*open_both(client, server))
    expected = {label: {"left"} for label in runs} | {"other": {"right"}, "any": {"left", "right"}}
    for label, run in runs.items():
        run.wait_for(lambda event, label=label: event["new_state"] == "TIME_WAIT" and
                     event["laddr"].partition("%")[2] == max(expected[label]))
        assert by_link(run.stop().events).keys() == expected[label], label
    both.wait_for(lambda event: event["new_state"] == "CLOSE" and event["role"] == "server")
    events = both.stop().events
    assert by_link(events).keys() == {"left"}
    assert {event["role"] for event in events} == {"client", "server"}, events


def test_a_replay_names_the_link(net):
    client, server = two_links(net)
    recording = net.folder() / "recording"
    run = net.sockeye("trace", "states,connections", *netns_words(client, server), "--ip", "fe80::/10", "--record", recording)
    talk_and_close(*open_both(client, server))
    run.wait_for(lambda event: event.get("new_state") == "CLOSE" and event["role"] == "server" and "right" in event["laddr"])
    live = run.stop().events

    def replay(*words):
        program = netns.program_of("SOCKEYE")
        done = net.host.run([program, "replay", recording, "--json", *words])
        return [json.loads(line) for line in done.stdout.splitlines()]
    assert replay() == live
    left = [event for event in live if event["laddr"].endswith("%left")]
    assert replay("--ip", f"{CLIENT}%left") == left != live
    assert replay("--ip", f"!{CLIENT}%right") == left
    assert replay("--ip", f"{CLIENT}%left", *netns_words(client)) == [e for e in left if e["netns"] == client.inode]
    assert replay("--ip", f"{SERVER}%{index(client, 'left')}", *netns_words(client)) == [
        e for e in left if e["netns"] == client.inode]
    assert not replay("--ip", f"{CLIENT}%spare")


def test_a_snapshot_names_the_link(net):
    client, server = two_links(net)
    keep = open_both(client, server)
    program = netns.program_of("SOCKEYE")

    def who(place, *words):
        done = net.host.run([program, "who", "--json", *netns_words(place), "--port", str(CLIENT_PORT), *words])
        return [json.loads(line) for line in done.stdout.splitlines()]
    for place, peer in ((client, SERVER), (server, CLIENT)):
        assert {ends_of(event) for event in who(place)} == ends_in_ss(place)
        for device in LINKS:
            chosen = who(place, "--peer-ip", f"{peer}%{device}")
            assert [event["raddr"] for event in chosen] == [f"{peer}%{device}"], chosen
    line = net.host.run([program, "who", *netns_words(client), "--peer-ip", f"{SERVER}%left"]).stdout
    assert f"SRC=[{CLIENT}%left]:{CLIENT_PORT} DST=[{SERVER}%left]:{PORT}" in line, line
    del keep


def test_dropped_packets_name_the_link(net):
    """A SYN to a closed port, on each link: the packet that is thrown away, and the reset that answers it."""
    client, server = two_links(net)
    run = net.sockeye("drops", *netns_words(server), "--local-port", CLOSED)
    left = Puppet(client)
    for device in LINKS:
        left.do(f"i = socket.if_nametoindex({device!r}); c = socket.socket(socket.AF_INET6)")
        left.fails(f"c.connect(({SERVER!r}, {CLOSED}, 0, i))", "Connection refused")
    run.wait_for(lambda event: event["laddr"] == f"{SERVER}%right")
    links = by_link(run.stop().events)
    assert links.keys() == LINKS.keys(), links


def test_an_interface_that_is_none(net):
    client = net.namespace("client")
    program = netns.program_of("SOCKEYE")
    for words, why in ((("--ip", "fe80::1%nothing"), "there is no interface nothing in this network namespace"),
                       (("--ip", "fe80::1%nothing", *netns_words(client)), "there is no interface nothing in these"),
                       (("--peer-ip", "10.0.0.1%lo"), "only a link-local address"),
                       (("--peer-ip", "fd00::1%lo"), "only a link-local address"),
                       (("--peer-ip", "fe80::1%"), "nothing stands after the %")):
        done = net.host.run([program, "states", *words], check=False)
        assert done.code == 2 and why in done.stderr and len(done.stderr.splitlines()) <= 2, done
