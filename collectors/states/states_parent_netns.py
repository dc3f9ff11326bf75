# SPDX-License-Identifier: Apache-2.0
"""`states` and which listener a child came out of, where several listen on one port, and where a child has another port
than its listener. Nobody accepts, so what is shown is what was inherited."""
import collections

import netns
from puppet import Puppet
from scenario import watch
from states_tools import by_socket, events_in, knows_each_listener

PORT = 9000
PROXIED = 9080

FIRST, SECOND, THIRD = "127.0.0.2", "127.0.0.3", "127.0.0.4"


def meet(caller, address, port=PORT):
    """A connection that nobody accepts and its client resets."""
    caller.do(f"c = connect({address!r}, {port})")
    name = caller.do("c.getsockname()[1]")
    caller.do("reset(c)")
    return name


def parents(run, place, ports):
    """By the client's port: the owners that each child's events name, inherited all. A port may be used again."""
    found = collections.defaultdict(list)
    for events in by_socket(events_in(run, place), all_children=True):
        if events[0]["old_state"] == "LISTEN":
            assert {event["owner_source"] for event in events} <= {"inherited", "unknown"}, events
            found[events[-1]["rport"]].append({event.get("pid") for event in events})
    return [found[port].pop(0) for port in ports]


def listeners_come_and_go(net, before):
    """Two processes, one of them with two listeners, on one port; they go one after the other, and a third comes."""
    place = net.namespace("one")
    caller, mine, other, late = (Puppet(place) for _ in range(4))
    listen = (f"a = listen({FIRST!r}, {PORT}); b = listen({THIRD!r}, {PORT})", f"a = listen({SECOND!r}, {PORT})")
    if before:
        mine.do(listen[0])
        other.do(listen[1])
    sockeye = watch(net, "states", place)
    if not before:
        mine.do(listen[0])
        other.do(listen[1])
    ports = [meet(caller, address) for address in (FIRST, SECOND, THIRD)]
    mine.do("a.close()")
    ports += [meet(caller, address) for address in (SECOND, THIRD)]
    mine.do("b.close()")
    ports += [meet(caller, SECOND)]
    late.do(f"a = listen({FIRST!r}, {PORT})")
    ports += [meet(caller, address) for address in (FIRST, SECOND)]
    other.do("a.close()")
    ports += [meet(caller, FIRST)]
    run = sockeye.stop()
    found = parents(run, place, ports)
    expected = [mine, other, mine, other, mine, other, late, other, late]
    if knows_each_listener(run):
        assert found == [{process.pid} for process in expected], (found, [process.pid for process in expected])
    else:  # 5.10: the last to listen
        assert all(pids <= {mine.pid, other.pid, late.pid} for pids in found), found


def test_listeners_of_a_port_come_and_go(net):
    listeners_come_and_go(net, before=False)


def test_listeners_of_a_port_that_were_there_before(net):
    listeners_come_and_go(net, before=True)


def test_a_port_of_two_families(net):
    """One process listens on the port for IPv4, another for IPv6."""
    place = net.namespace("one")
    caller, four, six = (Puppet(place) for _ in range(3))
    sockeye = watch(net, "states", place)
    four.do(f"a = listen('127.0.0.1', {PORT})")
    six.do(f"a = listen('::1', {PORT})")
    ports = [meet(caller, address) for address in ("127.0.0.1", "::1", "127.0.0.1")]
    run = sockeye.stop()
    if knows_each_listener(run):
        assert parents(run, place, ports) == [{four.pid}, {six.pid}, {four.pid}]
    else:
        assert all(pids <= {four.pid, six.pid} for pids in parents(run, place, ports))


def test_a_port_of_two_namespaces(net):
    one, two = net.namespace("one"), net.namespace("two")
    pairs = [(place, Puppet(place), Puppet(place)) for place in (one, two)]
    sockeye = watch(net, "states", one, two)
    for _, _, server in pairs:
        server.do(f"a = listen('::1', {PORT})")
    ports = [meet(caller, "::1") for _, caller, _ in pairs]
    run = sockeye.stop()
    for (place, _, server), port in zip(pairs, ports):
        assert parents(run, place, [port]) == [{server.pid}]


def test_tproxy(net):
    """A proxy gets the connections to a port that another process listens on: the child has that port, and is the proxy's."""
    client, server = net.client_and_server()
    caller, proxy, web = Puppet(client), Puppet(server), Puppet(server)
    address = server.addresses[4]
    rules = (f"table ip t {{ chain c {{ type filter hook prerouting priority mangle; "
             f"tcp dport {PORT} tproxy to :{PROXIED} meta mark set 1; }}; }}")
    done = server.run([netns.require("nft"), rules], check=False)
    if done.code:
        netns.skip(f"nft has no tproxy here: {done.stderr.strip()}")
    server.run(["ip", "rule", "add", "fwmark", "1", "lookup", "100"])
    server.run(["ip", "route", "add", "local", "0.0.0.0/0", "dev", "lo", "table", "100"])
    sockeye = watch(net, "states", server)
    web.do(f"a = listen({address!r}, {PORT})")
    proxy.do("a = tcp('0.0.0.0'); a.setsockopt(socket.SOL_IP, 19, 1)")  # IP_TRANSPARENT of <linux/in.h>
    proxy.do(f"a.bind(('0.0.0.0', {PROXIED})); a.listen()")
    port = meet(caller, address)
    proxy.do("a.accept()[0].close()")
    run = sockeye.stop()
    child, = by_socket(events_in(run, server))
    assert child[0]["rport"] == port or child[0]["rport"] is None, child[0]
    assert child[-1]["lport"] == PORT, child[-1]
    assert {event.get("pid") for event in child} == {proxy.pid}, (child, web.pid, proxy.pid)
