# SPDX-License-Identifier: Apache-2.0
"""`states` and `who`, and whose the subflows of an MPTCP connection are: they are the kernel's sockets, connected and
closed by its workers, below the one that the process has. Witness: the kernel's own MPTCP counters (nstat)."""
import json

import netns
from puppet import Puppet
from scenario import of_port, watch
from states_tools import by_socket, check_socket, life, owners, events_in, served_by
from witness import nstat, ss_states, wait_ss
from workload import MPTCP, require_mptcp

PORT = 9000
ANY = {4: "0.0.0.0", 6: "::"}


def two_paths(net):
    """Client and server with two links. (client, server, the server's addresses on the first, on the second)"""
    require_mptcp()
    client, server = net.client_and_server()
    first = server.addresses
    net.pair(client, server, "veth1", 2)
    for place in (client, server):
        place.ip("mptcp", "limits", "set", "subflows", "2", "add_addr_accepted", "2")
    return client, server, first, server.addresses


def subflows(run, client, server):
    """The events of the client's sockets and of the server's, by the two ends of each subflow."""
    sides = {"client": {}, "server": {}}
    for events in by_socket(events_in(run, client, server)):
        assert all(event["mptcp"] for event in events), events
        near, far = (events[0]["laddr"], events[0]["lport"]), (events[0]["raddr"], events[0]["rport"])
        sides[events[0]["role"]][(near, far) if events[0]["role"] == "client" else (far, near)] = events
    assert sides["client"].keys() == sides["server"].keys(), sides
    return sides["client"], sides["server"]


def open_connection(left, right, family, address):
    """The client writes first: only then the kernels may add subflows."""
    right.do(f"l = listen({ANY[family]!r}, {PORT}, {MPTCP})")
    left.do(f"c = connect({address!r}, {PORT}, {MPTCP}); c.sendall(b'x')")


def wait_joined(place, joins):
    netns.wait_until(lambda: nstat(place, "MPTcpExtMPJoinAckRx") == [joins], f"{joins} joined subflows")


def wait_over(client, server):
    """Either end may be the first to close its subflows, and has them in TIME_WAIT then."""
    for place, end in ((client, f"dport = :{PORT}"), (server, f"sport = :{PORT}")):
        netns.wait_until(lambda place=place, end=end: set(ss_states(place, end)) <= {"TIME-WAIT"}, "the end of it")


def close_connection(left, right, client, server):
    left.do("c.close()")
    right.do("s.close()")
    wait_over(client, server)


def a_process_on_two_paths(net, family):
    """The server announces its second address; a worker of the client's kernel connects to it."""
    client, server, first, second = two_paths(net)
    server.ip("mptcp", "endpoint", "add", second[family], "signal")
    sockeye = watch(net, "states", client, server)
    left, right = Puppet(client), Puppet(server)
    open_connection(left, right, family, first[family])
    right.do("s, _ = l.accept(); s.recv(1); s.sendall(b'y')")
    left.do("c.recv(1)")
    wait_joined(server, 1)
    close_connection(left, right, client, server)
    of_client, of_server = subflows(sockeye.stop(), client, server)
    assert len(of_client) == 2, of_client.keys()
    for events in of_client.values():
        assert life(events).startswith("CLOSE SYN_SENT ESTABLISHED "), life(events)
        assert owners(events) == [(left.pid, "connect")], owners(events)
    for (_, near), events in of_server.items():
        assert life(events).startswith("LISTEN SYN_RECV ESTABLISHED "), life(events)
        # The first event of a child may wait for its ports, and takes the owner of then: of one that joins, the user.
        assert near[0] == second[family] or served_by(events, right.pid) == [(right.pid, "use")], owners(events)
        assert {event["pid"] for event in events} == {right.pid} and events[-1]["owner_source"] == "use", owners(events)
    workers = [event for events in of_client.values() for event in events if "task_pid" in event]
    assert any(event["task_comm"].startswith("kworker") for event in workers), "no worker connected or closed"


def test_a_process_on_two_paths_ipv4(net):
    a_process_on_two_paths(net, 4)


def test_a_process_on_two_paths_ipv6(net):
    a_process_on_two_paths(net, 6)


def worker_on_two_paths(net, family):
    """The listener's process accepts and hands over to a child, which reads. A subflow that joins later is the child's at
    once. It is the administrator's `ip` that connects it, which has nothing to do with the connection."""
    client, server, first, _ = two_paths(net)
    sockeye = watch(net, "states", client, server)
    left, right = Puppet(client), Puppet(server)
    open_connection(left, right, family, first[family])
    right.do("s, _ = l.accept(); told, tell = os.pipe(); said, say = os.pipe()")
    worker = right.do("child(lambda: (s.recv(1), s.sendall(b'y'), os.write(say, b'.'), os.read(told, 1), s.close()))")
    right.do("s.close(); os.read(said, 1)")
    left.do("c.recv(1)")
    client.ip("mptcp", "endpoint", "add", client.addresses[family], "subflow")
    wait_joined(server, 1)
    left.do("c.close()")
    right.do(f"os.write(tell, b'.'); os.waitpid({worker}, 0)")
    wait_over(client, server)
    of_client, of_server = subflows(sockeye.stop(), client, server)
    assert len(of_client) == 2, of_client.keys()
    for ends, events in of_client.items():
        assert owners(events) == [(left.pid, "connect")], owners(events)
        joined = ends[0][0] == client.addresses[family]
        assert not joined or events[0]["task_comm"] == "ip", events[0]
        served = of_server[ends]
        # The first event of a child may wait for its ports, and takes the owner of then.
        assert owners(served)[-1] == (worker, "use"), (owners(served), worker)
        assert {event["pid"] for event in served} <= {right.pid, worker}, served
        assert served[1]["new_state"] == "ESTABLISHED", served
        assert served[1]["pid"] == (worker if joined else right.pid), (joined, served[1])


def test_a_worker_on_two_paths_ipv4(net):
    worker_on_two_paths(net, 4)


def test_a_worker_on_two_paths_ipv6(net):
    worker_on_two_paths(net, 6)


def test_a_child_that_only_closes(net):
    """Nobody sends or receives on the connection: the child is named when it closes, the client when it connects."""
    client, server, first, _ = two_paths(net)
    for family in (4, 6):
        sockeye = watch(net, "states", client, server)
        left, right = Puppet(client), Puppet(server)
        right.do(f"l = listen({ANY[family]!r}, {PORT}, {MPTCP})")
        left.do(f"c = connect({first[family]!r}, {PORT}, {MPTCP})")
        right.do("s, _ = l.accept(); told, tell = os.pipe()")
        closer = right.do("child(lambda: (os.read(told, 1), s.close()))")
        right.do(f"s.close(); os.write(tell, b'.'); os.waitpid({closer}, 0)")
        left.do("c.close()")
        netns.wait_until(lambda: not ss_states(server, f"sport = :{PORT}") or
                         set(ss_states(server, f"sport = :{PORT}")) == {"TIME-WAIT"}, "the end of it")
        of_client, of_server = subflows(sockeye.stop(), client, server)
        (events,), (served,) = of_client.values(), of_server.values()
        assert owners(events) == [(left.pid, "connect")], owners(events)
        assert served_by(served, right.pid) == [(closer, "use")], (owners(served), closer)
        right.do("l.close()")


def test_plain_tcp_on_one_side(net):
    """Where one side speaks plain TCP the connection is that. The sockets that an MPTCP listener yields then look like
    the kernel's own until they are accepted; they are not."""
    client, server, first, _ = two_paths(net)
    sockeye = watch(net, "states", client, server)
    left, right = Puppet(client), Puppet(server)
    cases = {9004: (4, MPTCP, 0), 9006: (6, MPTCP, 0), 9014: (4, 0, MPTCP), 9016: (6, 0, MPTCP)}
    for port, (family, of_server, of_client) in cases.items():
        right.do(f"l = listen({first[family]!r}, {port}, {of_server})")
        left.do(f"c = connect({first[family]!r}, {port}, {of_client}); c.sendall(b'x')")
        right.do("s, _ = l.accept(); s.recv(1)")
        left.do("c.close()")
        wait_ss(server, f"sport = :{port}", "CLOSE-WAIT")
        right.do("s.close()")
        wait_ss(server, f"sport = :{port}")
    run = sockeye.stop()
    for port in cases:
        of_client, of_server = [], []
        for events in by_socket(of_port(events_in(run, client, server), port)):
            (of_client if events[0]["rport"] == port else of_server).append(events)
        (events,), (served,) = of_client, of_server
        assert owners(events) == [(left.pid, "connect")], owners(events)
        assert served_by(served, right.pid) == [(right.pid, "use")], owners(served)


def test_connections_that_existed(net):
    """The process that holds the connection is found, by `states` and by `who`."""
    client, server, first, second = two_paths(net)
    server.ip("mptcp", "endpoint", "add", second[4], "signal")
    left, right = Puppet(client), Puppet(server)
    open_connection(left, right, 4, first[4])
    right.do("s, _ = l.accept(); s.recv(1); s.sendall(b'y')")
    left.do("c.recv(1)")
    wait_joined(server, 1)
    told = net.host.run([netns.program_of("SOCKEYE"), "who", "--json", "--port", str(PORT)]).stdout.splitlines()
    held = [json.loads(line) for line in told]
    inodes = {client.inode: left.pid, server.inode: right.pid}
    held = [event for event in held if event["netns"] in inodes and event["state"] == "ESTABLISHED"]
    assert len(held) == 4, held
    for event in held:
        assert (event["pid"], event["owner_source"]) == (inodes[event["netns"]], "snapshot"), event
    sockeye = watch(net, "states", client, server)
    close_connection(left, right, client, server)
    for events in by_socket(events_in(sockeye.stop(), client, server)):
        check_socket(events, existed=True)
        pid = inodes[events[0]["netns"]]
        assert owners(events) == [(pid, "snapshot")], (owners(events), pid)


def test_who_accepts(net):
    """With --accept-owner: a process that accepts the connection of another's listener, and does nothing else."""
    client, server, first, _ = two_paths(net)
    sockeye = watch(net, "states", client, server, words=["--accept-owner"])
    left, right = Puppet(client), Puppet(server)
    right.do(f"l = listen({first[4]!r}, {PORT}, {MPTCP}); told, tell = os.pipe(); said, say = os.pipe()")
    worker = right.do("child(lambda: (l.accept(), os.write(say, b'.'), os.read(told, 1)))")
    left.do(f"c = connect({first[4]!r}, {PORT}, {MPTCP})")
    right.do("os.read(said, 1)")
    left.do("reset(c)")
    wait_ss(server, f"sport = :{PORT}")
    right.do(f"os.write(tell, b'.'); os.waitpid({worker}, 0)")
    _, of_server = subflows(sockeye.stop(), client, server)
    served, = of_server.values()
    assert owners(served) == [(right.pid, "inherited"), (worker, "accept")], (owners(served), worker)


def plain_client(net, family):
    """A server that listens with MPTCP (as Go's do), and a client that does not know it: its connection is none of MPTCP."""
    client, server, first, _ = two_paths(net)
    sockeye = watch(net, "states", client, server)
    left, right = Puppet(client), Puppet(server)
    right.do(f"l = listen({ANY[family]!r}, {PORT}, {MPTCP})")
    left.do(f"c = connect({first[family]!r}, {PORT}); c.sendall(b'x')")
    right.do("s, _ = l.accept(); s.recv(1); s.close()")
    left.do("c.close()")
    wait_ss(client, f"dport = :{PORT}")
    assert nstat(server, "MPTcpExtMPCapableSYNRX") == [0]
    events = events_in(sockeye.stop(), client, server)
    listening, *others = sorted(events, key=lambda event: event["role"] != "listener")
    assert listening["mptcp"], listening
    assert others and not any("mptcp" in event for event in others), others
    of_server, = by_socket([event for event in others if event["role"] == "server"])
    assert life(of_server).startswith("LISTEN SYN_RECV ESTABLISHED "), life(of_server)


def test_a_plain_client_of_an_mptcp_listener_ipv4(net):
    plain_client(net, 4)


def test_a_plain_client_of_an_mptcp_listener_ipv6(net):
    plain_client(net, 6)
