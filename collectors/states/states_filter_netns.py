# SPDX-License-Identifier: Apache-2.0
"""`states` with filters: exactly the events that match, and what does not match never gets into the ring. Witnesses: a run
without filters beside it, whose events are sorted out here; the positions of the ring as the kernel has them."""
import collections
import ipaddress

from ring import Ring
from puppet import Puppet
from states_tools import ROOM, identity, events_in

POSTGRES, HTTP = 5432, 8080
OVER = {"FIN_WAIT2", "TIME_WAIT", "CLOSING", "LAST_ACK"}


def inside(address, *networks):
    """IPv4 that an IPv6 socket carries is shown as IPv4."""
    address = ipaddress.ip_address(address)
    return any(address.version == network.version and address in network
               for network in map(ipaddress.ip_network, networks))


def is_ipv4(event):
    return "." in event["laddr"] or "." in event["raddr"]


def kept(event):
    """What is compared: all that two runs must have in common; each reads its own clock."""
    return identity(event), *(event.get(key) for key in ("old_state", "new_state", "pid", "comm", "uid", "owner_source",
                                          "laddr", "lport", "raddr", "rport", "role", "netns", "container"))


class Beside:
    """Runs with filters, and one without."""

    def __init__(self, net, wanted):
        """wanted: the words of each run -> what it should show, as a function of an event."""
        self._wanted = wanted
        self._all = net.sockeye("states", *ROOM)
        self._runs = {words: net.sockeye("states", *ROOM, *words) for words in wanted}

    def run_of(self, words):
        return self._runs[words]

    def compare(self, *places, among=lambda event: True):
        """Every event that a run shows is wanted, and those `among` them are all that the other run has."""
        runs = {words: events_in(run.stop(), *places) for words, run in self._runs.items()}
        events = events_in(self._all.stop(), *places)
        for words, wanted in self._wanted.items():
            expected = collections.Counter(kept(event) for event in events if wanted(event) and among(event))
            shown = collections.Counter(kept(event) for event in runs[words] if among(event))
            assert all(map(wanted, runs[words])), (words, [event for event in runs[words] if not wanted(event)])
            assert shown == expected, (words, "missing", expected - shown, "too many", shown - expected)
            assert 0 < len(runs[words]) < len(events), (words, len(runs[words]), len(events))
        return events


def listen_everywhere(server):
    server.do(f"listeners = [listen(a, p) for a in ('0.0.0.0', '::1') for p in ({POSTGRES}, {HTTP})]")
    # One that takes IPv4 as well: an IPv6 socket, which carries IPv4.
    server.do("both = socket.create_server(('::', 9100), family=socket.AF_INET6, dualstack_ipv6=True)")
    server.do("listeners.append(both)")


def connect_everywhere(client, addresses):
    """To each address and port: a connection that the server accepts and closes first or last."""
    for address, port in addresses:
        client.do(f"kept = connect({address!r}, {port}); kept.send(b'x')")
        yield
        client.do("kept.close()")


def talk(client, server, addresses):
    for number, _ in enumerate(connect_everywhere(client, addresses)):
        server.do("import select; ready = select.select(listeners, [], [])[0][0]; got = ready.accept()[0]; got.recv(1)")
        if number % 2:
            server.do("got.close()")
    server.do("got.close()")


def test_exactly_what_matches(net):
    """Addresses, ports, processes, names, users, namespaces, families, directions, in lists, ranges and exclusions."""
    left, right, lonely = net.namespace("left"), net.namespace("right"), net.namespace("lonely")
    net.pair(left, right)
    postgres, curl, server, other = Puppet(left), Puppet(left), Puppet(right), Puppet(lonely)
    postgres.do("call_me(b'psql'); os.setuid(1234)")
    curl.do("call_me(b'curl')")
    v4, v6 = right.addresses[4], right.addresses[6]
    pids = {postgres.pid, server.pid}
    beside = Beside(net, {
        ("--dst-port", "5432", "--src-ip", "10.0.0.0/8"):
            lambda event: event["rport"] == POSTGRES and inside(event["laddr"], "10.0.0.0/8"),
        ("--src-port", "5432,9000-9200"): lambda event: event["lport"] == POSTGRES or 9000 <= (event["lport"] or 0) <= 9200,
        ("--port", "5432,!8080"): lambda event: POSTGRES in (event["lport"], event["rport"]),
        ("--port", "!8000-8999"): lambda event: not {event["lport"], event["rport"]} & set(range(8000, 9000)),
        ("--dst-ip", f"fd77::/16,{v4}"): lambda event: inside(event["raddr"], "fd77::/16", v4),
        ("--local-ip", f"!{v4}", "--peer-port", "1024-65535"):
            lambda event: event["laddr"] != v4 and event["rport"] >= 1024,
        ("--ip", f"{v6}"): lambda event: v6 in (event["laddr"], event["raddr"]),
        ("--pid", str(postgres.pid), str(server.pid)): lambda event: event["pid"] in pids,
        ("--comm", "!curl"): lambda event: event["comm"] != "curl",
        ("--uid", "1234"): lambda event: event["uid"] == 1234,
        ("--netns", f"{left.inode},{lonely.inode}"): lambda event: event["netns"] != right.inode,
        ("-6",): lambda event: not is_ipv4(event),
        ("-4", "--direction", "in"): lambda event: is_ipv4(event) and event["role"] in ("server", "listener"),
        ("--direction", "out", "--active-only"):
            lambda event: event["role"] == "client" and not {event["old_state"], event["new_state"]} & OVER
            and event["new_state"] != "CLOSE",
    })
    listen_everywhere(server)
    other.do(f"listeners = [listen('127.0.0.1', {POSTGRES})]; connect('127.0.0.1', {POSTGRES}).close()")
    server.do("listeners.append(listen(%r, 8081))" % v6)
    for client in (postgres, curl):
        talk(client, server, [(v4, POSTGRES), (v4, HTTP), (v4, 9100), (v6, 9100), (v6, 8081)])
    events = beside.compare(left, right, lonely)
    assert any(event["family"] == "ipv6" and is_ipv4(event) for event in events), "no IPv6 socket that carries IPv4"


def test_an_owner_that_changes(net):
    """What was said of a socket does not outlive its owner: a child serves what its parent listens for."""
    place = net.namespace("one")
    server, client = Puppet(place), Puppet(place)
    server.do(f"l = listen('127.0.0.1', {HTTP})")
    server.do("r, w = os.pipe()")
    child = server.do("child(lambda: (call_me(b'worker'), os.read(r, 1), "
                      "[(lambda s: (s.recv(1), s.close()))(l.accept()[0]) for _ in range(20)]))")
    beside = Beside(net, {
        ("--pid", str(child)): lambda event: event["pid"] == child,
        ("--pid", str(server.pid)): lambda event: event["pid"] == server.pid,
        ("--comm", "!worker"): lambda event: event["comm"] != "worker",
    })
    server.do("os.write(w, b'g')")
    client.do(f"for _ in range(20): c = connect('127.0.0.1', {HTTP}); c.send(b'x'); c.recv(1); c.close()")
    server.do("os.waitpid(-1, 0)")
    # Where accept() is seen, one run may see it between two events of the handshake, another after them.
    events = beside.compare(place, among=lambda event: event["owner_source"] not in ("accept", "inherited"))
    both = collections.defaultdict(set)
    for event in events:
        both[event["cookie"]].add(event["pid"])
    # The first comes from a listener of the server, the others from one that the child, another program, accepts from.
    assert any(pids == {server.pid, child} for pids in both.values()), both
    assert sum(child in pids for pids in both.values()) == 20, both


def test_the_same_socket_again(net):
    """One that is closed and connected anew, to another port: the verdict on the first life says nothing of the next."""
    place = net.namespace("one")
    puppet = Puppet(place)
    puppet.do(f"l = [listen('127.0.0.1', p) for p in ({POSTGRES}, {HTTP})]; s = tcp('127.0.0.1')")
    beside = Beside(net, {("--dst-port", "5432"): lambda event: event["rport"] == POSTGRES,
                          ("--dst-port", "8080"): lambda event: event["rport"] == HTTP})
    unspecified = "ctypes.CDLL(None).connect(s.fileno(), (ctypes.c_char * 16)(), 16)"  # AF_UNSPEC: connect(2)
    for port in (POSTGRES, HTTP, POSTGRES, HTTP):
        puppet.do(f"s.connect(('127.0.0.1', {port}))")
        puppet.do(unspecified)
    events = beside.compare(place)
    lives = collections.defaultdict(set)
    for event in events:
        lives[event["cookie"]].add(event["rport"])
    assert {POSTGRES, HTTP} in lives.values(), lives


def test_what_does_not_match_is_not_written(net):
    """The producer's position of the ring stands still, however much happens; and moves with what matches."""
    place = net.namespace("one")
    words = (("--dst-port", "5432", "--src-ip", "10.0.0.0/8"), ("--pid", "4194304"), ("--comm", "curl"), ("-6",),
             ("--netns", "1"), ("--uid", "4294967294"), ("--ip", "!127.0.0.0/8,!0.0.0.0"), ("--container", "3f4a"))
    runs = [net.sockeye("states", *filters) for filters in words]
    rings = [Ring(net, run) for run in runs]
    before = [ring.written for ring in rings]
    puppet = Puppet(place)
    puppet.do(f"l = listen('127.0.0.1', {HTTP})")
    puppet.do(f"for _ in range(1000): c = connect('127.0.0.1', {HTTP}); a = l.accept()[0]; reset(c); a.close()")
    moved = {filters: ring.written - start for filters, ring, start in zip(words, rings, before)}
    # The rest of the machine may have been on curl or IPv6 meanwhile: then there are events of it.
    for filters, run in zip(words, runs):
        events = run.stop().events
        assert not [event for event in events if event["netns"] == place.inode], (filters, events[:3])
        assert moved[filters] <= 200 * len(events), (filters, moved[filters], len(events))
