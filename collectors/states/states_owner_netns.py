# SPDX-License-Identifier: Apache-2.0
"""`states` and whose socket it is: forked children, SO_REUSEPORT, passed sockets, threads, pid namespaces, and what was
there before sockeye. Witnesses: ss -p, /proc, what the workload counted."""
import collections
import pathlib

import netns
from puppet import Puppet
from scenario import of_port, watch
from states_tools import by_socket, check_socket, halves, is_of_listener, life, owners, events_in, served_by
from witness import holders, wait_ss
from workload import numbers, start_load

PORT = 9000


def events_of_connection(sockeye, client, server, port=PORT):
    return halves(of_port(events_in(sockeye.stop(), client, server), port), port)


def test_a_forked_child_serves(net):
    """socat accepts; a child of it, forked for this connection, reads and writes."""
    socat = netns.require("socat")
    client, server = net.client_and_server()
    for family in (4, 6):
        parent = server.popen([socat, f"TCP{family}-LISTEN:{PORT},fork,reuseaddr", "PIPE"])
        server.wait_listen(PORT)
        sockeye = watch(net, "states", client, server)
        caller = Puppet(client)
        caller.do(f"c = connect({server.addresses[family]!r}, {PORT})")
        caller.do("c.sendall(b'x')")
        assert caller.do("repr(c.recv(1))") == "b'x'"
        child, = holders(server, f"sport = :{PORT}")
        assert child != parent.pid
        caller.do("c.close()")
        wait_ss(server, f"sport = :{PORT}")
        of_client, of_server = events_of_connection(sockeye, client, server)
        assert owners(of_client) == [(caller.pid, "connect")], owners(of_client)
        assert owners(of_server) == [(parent.pid, "inherited"), (child, "use")], (owners(of_server), child)
        assert of_server[-1]["ppid"] == parent.pid, of_server[-1]
        parent.end()


FORK = """
def fork_after_accept():
    global s, told
    s, _ = l.accept()
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(tell)
        os.read(told, 1)
        s.close()
        os._exit(0)
    s.close()
    return [child, tell]
"""


def test_a_child_that_only_closes(net):
    """Neither parent nor child sends or receives: the child is named when it closes, which it does first."""
    client, server = net.client_and_server()
    sockeye = watch(net, "states", client, server)
    left, right = Puppet(client), Puppet(server)
    right.do(FORK)
    right.do(f"l = listen({server.addresses[4]!r}, {PORT})")
    left.do(f"c = connect({server.addresses[4]!r}, {PORT})")
    child, tell = right.do("fork_after_accept()")
    right.do(f"os.close({tell})")
    right.do(f"os.waitpid({child}, 0)[1]")
    wait_ss(client, f"dport = :{PORT}", "CLOSE-WAIT")
    left.do("c.close()")
    wait_ss(client, f"dport = :{PORT}")
    _, of_server = events_of_connection(sockeye, client, server)
    assert life(of_server).startswith("LISTEN SYN_RECV ESTABLISHED FIN_WAIT1 FIN_WAIT2 "), life(of_server)
    assert owners(of_server) == [(right.pid, "inherited"), (child, "use")], (owners(of_server), child)


def test_each_listener_of_a_port_has_its_own_children(net):
    """Two processes with SO_REUSEPORT: each has accepted as many connections as inherited from its listener."""
    connections = 300
    client, server = net.client_and_server()
    for family in (4, 6):
        sockeye = watch(net, "states", client, server)
        address = server.addresses[family]
        servers = [start_load(server, "server", "--addr", address, "--port", PORT, "--threads", 1) for _ in range(2)]
        made = client.load("client", "--addr", address, "--port", PORT, "--connections", connections)
        assert made.wait() == 0, made.stderr
        wait_ss(server, f"sport = :{PORT}")
        for process in servers:
            assert process.stop() == 0, process.stderr
        accepted = {process.pid: numbers(process)["accepted"] for process in servers}
        assert sum(accepted.values()) == connections and all(accepted.values()), accepted
        inherited, run = collections.Counter(), sockeye.stop()
        exact = "clones nothing from a listener" not in run.stderr  # on 5.10 only use tells
        for socket in by_socket(events_in(run, server)):
            pid = socket[0 if exact else -1]["pid"]
            assert not exact or served_by(socket, pid) == [(pid, "use")], owners(socket)
            inherited[pid] += 1
        assert inherited == accepted, (inherited, accepted)


def passed_socket(client, server):
    """A client, a process that has accepted its connection, and another that was given the socket (SCM_RIGHTS): both have it."""
    left, giver, taker = Puppet(client), Puppet(server), Puppet(server)
    taker.do("u = socket.socket(socket.AF_UNIX); u.bind('\\0given'); u.listen()")
    giver.do("g = socket.socket(socket.AF_UNIX); g.connect('\\0given')")
    giver.do(f"l = listen({server.addresses[6]!r}, {PORT})")
    left.do(f"c = connect({server.addresses[6]!r}, {PORT})")
    giver.do("s, _ = l.accept(); socket.send_fds(g, [b'.'], [s.fileno()])")
    taker.do("s = socket.socket(fileno=socket.recv_fds(u.accept()[0], 1, 1)[1][0])")
    return left, giver, taker


def test_a_passed_socket(net):
    """The process that accepted gives the socket to another (SCM_RIGHTS), which is its owner once it receives."""
    client, server = net.client_and_server()
    sockeye = watch(net, "states", client, server)
    left, giver, taker = passed_socket(client, server)
    giver.do("s.close()")
    left.do("c.sendall(b'x')")
    taker.do("s.recv(1)")
    left.do("c.close()")
    wait_ss(server, f"sport = :{PORT}", "CLOSE-WAIT")
    taker.do("s.close()")
    wait_ss(server, f"sport = :{PORT}")
    _, of_server = events_of_connection(sockeye, client, server)
    assert owners(of_server) == [(giver.pid, "inherited"), (taker.pid, "use")], (giver.pid, taker.pid, of_server)


def test_processes_that_take_turns(net):
    """Two processes hold a socket. It belongs to the one that used it last, however often each did before."""
    client, server = net.client_and_server()
    sockeye = watch(net, "states", client, server)
    left, giver, taker = passed_socket(client, server)
    for user in (giver, giver, taker, taker, giver, taker, taker):
        left.do("c.sendall(b'x')")
        user.do("s.recv(1)")
    giver.do("s.shutdown(socket.SHUT_WR)")  # FIN_WAIT1
    left.do("c.sendall(b'x')")
    taker.do("s.recv(1)")
    left.do("c.close()")  # TIME_WAIT
    wait_ss(client, f"dport = :{PORT}")
    _, of_server = events_of_connection(sockeye, client, server)
    found = {event["new_state"]: (event["pid"], event["owner_source"]) for event in of_server}
    assert found["FIN_WAIT1"] == (giver.pid, "use"), (found, giver.pid, taker.pid)
    assert list(found.values())[-1] == (taker.pid, "use"), (found, giver.pid, taker.pid)


THREAD = """
def connect_in_a_thread(address, port):
    def work():
        global c, tid
        tid = threading.get_native_id()
        call_me(b'worker-7')
        c = connect(address, port)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return tid
"""


def test_a_thread_has_a_name_of_its_own(net):
    client, server = net.client_and_server()
    sockeye = watch(net, "states", client, server)
    left, right = Puppet(client), Puppet(server)
    left.do(THREAD)
    right.do(f"l = listen({server.addresses[4]!r}, {PORT})")
    tid = left.do(f"connect_in_a_thread({server.addresses[4]!r}, {PORT})")
    right.do("s, _ = l.accept()")
    left.do("reset(c)")
    of_client, of_server = events_of_connection(sockeye, client, server)
    for event in of_client[:2]:
        assert (event["pid"], event["tid"], event["comm"], event["thread"]) == (left.pid, tid, left.comm, "worker-7"), event
    assert tid != left.pid
    assert "thread" not in of_server[0] and of_server[0]["comm"] == right.comm, of_server[0]


def test_a_pid_namespace(net):
    """As in a container: pid is what the host knows, ns_pid what the process itself knows."""
    client, server = net.client_and_server()
    inner = netns.Place(net, client.prefix + [netns.require("unshare"), "--pid", "--fork", "--kill-child"])
    left, right = Puppet(inner), Puppet(server)
    assert left.do("os.getpid()") == 1
    pid = int(pathlib.Path(f"/proc/{left.pid}/task/{left.pid}/children").read_text(encoding="ascii"))
    sockeye = watch(net, "states", client, server)
    right.do(f"l = listen({server.addresses[4]!r}, {PORT})")
    left.do(f"c = connect({server.addresses[4]!r}, {PORT})")
    right.do("s, _ = l.accept()")
    left.do("reset(c)")
    of_client, of_server = events_of_connection(sockeye, client, server)
    hidden = "in its own pid namespace is not known" in sockeye.process.stderr  # lockdown=confidentiality
    for event in of_client:
        assert (event["pid"], event.get("ns_pid"), event["ppid"]) == (pid, None if hidden else 1, left.pid), (pid, event)
    assert "ns_pid" not in of_server[0], of_server[0]
    left.process.popen.stdin.close()  # unshare waits for it, whatever signal comes


# ---- what was there before ----

def test_sockets_that_existed(net):
    """Their owner is known; how long they have been in their state is not."""
    client, server = net.client_and_server()
    left, right = Puppet(client), Puppet(server)
    for port, family in ((9004, 4), (9006, 6)):
        right.do(f"l{port} = listen({server.addresses[family]!r}, {port})")
        left.do(f"c{port} = connect({server.addresses[family]!r}, {port})")
        right.do(f"s{port}, _ = l{port}.accept()")
    sockeye = watch(net, "states", client, server)
    for port in (9004, 9006):
        left.do(f"c{port}.shutdown(socket.SHUT_WR)")
        wait_ss(server, f"sport = :{port}", "CLOSE-WAIT")
        right.do(f"s{port}.close(); l{port}.close()")
        wait_ss(client, f"dport = :{port}", "TIME-WAIT")
    events = events_in(sockeye.stop(), client, server)
    for port in (9004, 9006):
        for socket in by_socket(of_port(events, port)):
            check_socket(socket, existed=True)
            states = [socket[0]["old_state"]] + [event["new_state"] for event in socket]
            if socket[0]["rport"] == port:
                assert states == ["ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT"], states
                assert owners(socket) == [(left.pid, "snapshot")], owners(socket)
            else:
                assert states == ["ESTABLISHED", "CLOSE_WAIT", "LAST_ACK", "CLOSE"], states
                assert owners(socket) == [(right.pid, "snapshot")], owners(socket)
            assert {event["comm"] for event in socket} == {left.comm}, socket
    listeners = [event for event in events if is_of_listener(event)]
    assert len(listeners) == 2 and len(events) == 14, events
    for event in listeners:
        assert (event["old_state"], event["new_state"], event["duration_us"]) == ("LISTEN", "CLOSE", None), event
        assert (event["pid"], event["owner_source"], event["role"]) == (right.pid, "snapshot", "listener"), event


def test_children_of_a_listener_that_existed(net):
    client, server = net.client_and_server()
    left, right = Puppet(client), Puppet(server)
    right.do(f"l = listen({server.addresses[6]!r}, {PORT})")
    sockeye = watch(net, "states", client, server)
    left.do(f"c = connect({server.addresses[6]!r}, {PORT})")
    right.do("s, _ = l.accept()")
    left.do("reset(c)")
    _, of_server = events_of_connection(sockeye, client, server)
    assert not served_by(of_server, right.pid), owners(of_server)
    assert life(of_server) == "LISTEN SYN_RECV ESTABLISHED CLOSE", life(of_server)
