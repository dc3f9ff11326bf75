# SPDX-License-Identifier: Apache-2.0
"""`states` and sockets that one process opens and another uses: workers that accept, inetd, socket activation, openers
that are gone. Witnesses: what the workers counted, ss -p, /proc."""
import collections
import sys

import netns
from kernel_types import has_name
from puppet import Puppet
from scenario import of_port, watch
from states_tools import by_socket, halves, is_of_listener, life, owners, events_in, served_by
from witness import comm_of, holders, wait_ss
from workload import MPTCP, require_mptcp

ALONE = "counts what is loaded on the machine"
PORT = 9000


def server_events(run, client, server):
    return halves(of_port(events_in(run, client, server), PORT), PORT)[1]


SERVE = """
def serve(listener, counts):
    served = 0
    while True:
        made, _ = listener.accept()
        word = made.recv(4)
        made.sendall(word)
        made.recv(1)
        made.close()
        if word == b"stop":
            os.write(counts, b"%d %d\\n" % (os.getpid(), served))
            return
        served += 1
"""


def prefork(net, words):
    """The parent listens, its workers accept and serve. Of each connection of each family the worker is named."""
    workers, connections = 3, 60
    client, server = net.client_and_server()
    for family in (4, 6):
        sockeye = watch(net, "states", client, server, words=words)
        left, right = Puppet(client), Puppet(server)
        right.do(SERVE)
        right.do(f"l = listen({server.addresses[family]!r}, {PORT}); counted, counts = os.pipe()")
        pids = right.do(f"[child(lambda: serve(l, counts)) for _ in range({workers})]")
        for word in [b"work"] * connections + [b"stop"] * workers:
            left.do(f"c = connect({server.addresses[family]!r}, {PORT}); c.sendall({word!r}); c.recv(4); c.close()")
        assert right.do(f"[os.waitpid(pid, 0)[1] for pid in {pids}]") == [0] * workers
        said = right.do("os.read(counted, 4096).decode()")
        run = sockeye.stop()
        # What a worker counted, and the connection that told it to stop.
        served = {int(pid): int(count) + 1 for pid, count in map(str.split, said.splitlines())}
        assert sorted(served) == sorted(pids) and sum(served.values()) == connections + workers, (served, pids)
        used = collections.Counter()
        for events in by_socket(events_in(run, server)):
            worker = events[-1]["pid"]
            # From their parent, or, where the parent of a process cannot be read (5.10), from who accepted last.
            parent = owners(events)[0][0]
            assert parent in (right.pid, *pids) and served_by(events, parent) == [(worker, "use")], (owners(events), pids)
            assert events[-1]["ppid"] == right.pid, events[-1]
            used[worker] += 1
        assert used == served, (used, served)
        assert {owner for events in by_socket(events_in(run, client)) for owner in owners(events)} == {(left.pid, "connect")}
        right.do("l.close()")


def test_workers_accept(net):
    prefork(net, [])


def test_workers_accept_and_that_is_seen(net):
    prefork(net, ["--accept-owner"])


def accept_only(net, family):
    """A process that accepts is named before anybody sends or receives; the one that then reads follows it."""
    client, server = net.client_and_server()
    sockeye = watch(net, "states", client, server, words=["--accept-owner"])
    left, right = Puppet(client), Puppet(server)
    right.do(f"l = listen({server.addresses[family]!r}, {PORT})")
    right.do("told, tell = os.pipe(); left, leave = os.pipe(); said, say = os.pipe()")
    left.do(f"c = connect({server.addresses[family]!r}, {PORT})")
    accepter = right.do("child(lambda: (a := l.accept()[0], reader := child(lambda: (os.read(told, 1), a.recv(1), a.close())),"
                        " os.write(say, b'%d' % reader), os.read(left, 1), a.close(), os.waitpid(reader, 0)))")
    reader = int(right.do("os.read(said, 16).decode()"))
    left.do("c.sendall(b'x'); c.shutdown(socket.SHUT_WR)")
    wait_ss(server, f"sport = :{PORT}", "CLOSE-WAIT")
    assert holders(server, f"sport = :{PORT}") == sorted([accepter, reader])
    right.do("os.write(leave, b'.')")
    netns.wait_until(lambda: holders(server, f"sport = :{PORT}") == [reader], "the accepter to let go")
    right.do(f"os.write(tell, b'.'); os.waitpid({accepter}, 0)")
    wait_ss(server, f"sport = :{PORT}")
    served = server_events(sockeye.stop(), client, server)
    assert life(served) == "LISTEN SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK CLOSE", life(served)
    assert owners(served) == [(right.pid, "inherited"), (accepter, "accept"), (reader, "use")], (owners(served), reader)


def test_who_only_accepts_ipv4(net):
    accept_only(net, 4)


def test_who_only_accepts_ipv6(net):
    accept_only(net, 6)


def test_inetd(net):
    """Accept, fork, exec: the program has the socket as its standard input and output, and knows of no socket."""
    cat = netns.require("cat")
    client, server = net.client_and_server()
    for family in (4, 6):
        sockeye = watch(net, "states", client, server)
        left, right = Puppet(client), Puppet(server)
        right.do(f"l = listen({server.addresses[family]!r}, {PORT})")
        left.do(f"c = connect({server.addresses[family]!r}, {PORT})")
        right.do("s, _ = l.accept()")
        program = right.do(f"child(lambda: (os.dup2(s.fileno(), 0), os.dup2(s.fileno(), 1), os.execv({cat!r}, ['cat'])))")
        right.do("s.close()")
        left.do("c.sendall(b'x')")
        assert left.do("repr(c.recv(1))") == "b'x'"
        held = holders(server, f"sport = :{PORT}")
        assert set(held) == {program} and comm_of(program) == "cat", (held, program)
        left.do("c.close()")
        right.do(f"os.waitpid({program}, 0)")
        wait_ss(server, f"sport = :{PORT}")
        served = server_events(sockeye.stop(), client, server)
        assert served_by(served, right.pid) == [(program, "use")], (owners(served), program)
        assert served[-1]["comm"] == "cat" and served[-1]["ppid"] == right.pid, served[-1]
        right.do("l.close()")


# As systemd starts services: the first descriptor is 3. Many such programs call listen() on it again.
ACTIVATED = """
import os, socket
assert os.environ["LISTEN_FDS"] == "1"
l = socket.socket(fileno=3)
l.listen(16)
s, _ = l.accept()
s.sendall(s.recv(1))
s.recv(1)
"""


def test_socket_activation(net):
    """One process listens for another, which is started with the first connection."""
    client, server = net.client_and_server()
    for family in (4, 6):
        sockeye = watch(net, "states", client, server)
        left, right = Puppet(client), Puppet(server)
        right.do("call_me(b'activator')")  # else the service is taken for one of its workers
        right.do(f"l = listen({server.addresses[family]!r}, {PORT}); os.environ['LISTEN_FDS'] = '1'")
        left.do(f"c = connect({server.addresses[family]!r}, {PORT}); c.sendall(b'x')")
        argv = [sys.executable, "-I", "-S", "-c", ACTIVATED]
        service = right.do(f"child(lambda: (os.dup2(l.fileno(), 3), os.set_inheritable(3, True), os.execv({argv[0]!r}, {argv!r})))")
        assert left.do("repr(c.recv(1))") == "b'x'"
        left.do("c.close()")
        right.do(f"os.waitpid({service}, 0)")
        wait_ss(server, f"sport = :{PORT}")
        right.do("l.close()")
        run = sockeye.stop()
        served = server_events(run, client, server)
        assert served_by(served, right.pid) == [(service, "use")], (owners(served), service)
        listeners = [(event["new_state"], event["pid"], event["owner_source"]) for event in events_in(run, server)
                     if is_of_listener(event)]
        # The service has accepted from it, and ended: it is right's again, which holds it and closes it.
        assert listeners[0] == ("LISTEN", right.pid, "listen") and len(listeners) == 2, listeners
        assert listeners[1] in [("CLOSE", right.pid, "snapshot"), ("CLOSE", right.pid, "use")], listeners


# [opener, heir]: a process connects, another of its making inherits the socket, the first ends. The heir does what it is
# told, once: sends, or nothing, and ends.
ORPHAN = """
def open_and_leave(address, port):
    global said, tell
    said, say = os.pipe()
    told, tell = os.pipe()
    opener = os.fork()
    if opener == 0:
        c = connect(address, port)
        heir = os.fork()
        if heir == 0:
            os.close(tell)
            word = os.read(told, 1)
            if word == b"s":
                c.sendall(b"x")
                os.write(say, b"x")
                os.read(told, 1)
            c.close()
            os._exit(0)
        os.write(say, b"%d" % heir)
        os._exit(0)
    os.close(told)
    os.waitpid(opener, 0)
    return [opener, int(os.read(said, 16))]
"""


def test_an_opener_that_is_gone(net):
    """Who opened it is not named when it has ended: who uses the socket is."""
    client, server = net.client_and_server()
    for family in (4, 6):
        sockeye = watch(net, "states", client, server)
        left, right = Puppet(client), Puppet(server)
        left.do(ORPHAN)
        right.do(f"l = listen({server.addresses[family]!r}, {PORT})")
        opener, heir = left.do(f"open_and_leave({server.addresses[family]!r}, {PORT})")
        right.do("s, _ = l.accept()")
        assert holders(client, f"dport = :{PORT}") == [heir]
        left.do("os.write(tell, b's'); os.read(said, 1)")  # what it has sent may be answered before send() comes back, and is seen
        right.do("s.recv(1); s.close()")
        wait_ss(client, f"dport = :{PORT}", "CLOSE-WAIT")
        left.do("os.close(tell)")
        wait_ss(client, f"dport = :{PORT}")
        events, _ = halves(events_in(sockeye.stop(), client, server), PORT)
        assert life(events) == "CLOSE SYN_SENT ESTABLISHED CLOSE_WAIT LAST_ACK CLOSE", life(events)
        assert owners(events) == [(opener, "connect"), (heir, "use")], (owners(events), opener, heir)
        assert events[2]["pid"] == heir, events[2]
        right.do("l.close()")


def test_an_opener_that_is_gone_and_nobody_cares(net):
    """The peer closes while nobody has used the socket: it is who holds it, once files were looked through, and who closes it."""
    client, server = net.client_and_server()
    sockeye = watch(net, "states", client, server)
    left, right = Puppet(client), Puppet(server)
    left.do(ORPHAN)
    right.do(f"l = listen({server.addresses[6]!r}, {PORT})")
    opener, heir = left.do(f"open_and_leave({server.addresses[6]!r}, {PORT})")
    right.do("s, _ = l.accept(); s.close()")
    wait_ss(client, f"dport = :{PORT}", "CLOSE-WAIT")
    left.do("os.close(tell)")
    wait_ss(client, f"dport = :{PORT}")
    events, _ = halves(events_in(sockeye.stop(), client, server), PORT)
    assert [event["new_state"] for event in events[2:4]] == ["CLOSE_WAIT", "LAST_ACK"], events
    assert (events[2]["pid"], events[2]["owner_source"]) in [(None, "unknown"), (heir, "snapshot")], (opener, heir, events)
    assert events[3]["pid"] == heir, (opener, heir, events)


def test_an_opener_that_was_gone_before(net):
    """sockeye starts when the opener has ended: the process that holds the socket is found."""
    client, server = net.client_and_server()
    left, right = Puppet(client), Puppet(server)
    left.do(ORPHAN)
    for family in (4, 6):
        right.do(f"l = listen({server.addresses[family]!r}, {PORT})")
        _, heir = left.do(f"open_and_leave({server.addresses[family]!r}, {PORT})")
        right.do("s, _ = l.accept()")
        sockeye = watch(net, "states", client, server)
        right.do("reset(s)")
        wait_ss(client, f"dport = :{PORT}")
        left.do("os.close(tell)")
        run = sockeye.stop()
        events, = by_socket(events_in(run, client))
        assert [(event["old_state"], event["new_state"]) for event in events] == [("ESTABLISHED", "CLOSE")], events
        assert owners(events) == [(heir, "snapshot")] and events[0]["comm"] == left.comm, (owners(events), heir)
        right.do("l.close()")


READER = """
def dropped(path):
    l = socket.socket(socket.AF_UNIX)
    l.bind(path)
    l.listen()
    return l

def read_it(l):
    s, _ = l.accept()
    os.read(s.fileno(), 1)
"""


def reader_lets_go_last(net, protocol):
    """A socket comes with a message that its receiver reads as bytes, without taking what came: the kernel closes it there and then. So it
    does where a BPF iterator visits open files (another sockeye that starts) while their process closes them."""
    if not has_name("bpf_task_pt_regs"):
        netns.skip("this kernel has no bpf_task_pt_regs")
    client, server = net.client_and_server()
    left, right, reader = Puppet(client), Puppet(server), Puppet(client)
    path = str(net.folder() / "socket")
    reader.do(READER)
    reader.do(f"l = dropped({path!r})")
    sockeye = watch(net, "states", client, server)
    for number, family in enumerate((4, 6)):
        right.do(f"l = listen({server.addresses[family]!r}, {PORT + number}, {protocol})")
        left.do(f"c = connect({server.addresses[family]!r}, {PORT + number}, {protocol})")
        left.do(f"u = socket.socket(socket.AF_UNIX); u.connect({path!r}); socket.send_fds(u, [b'x'], [c.fileno()]); c.close()")
        wait_ss(client, f"dport = :{PORT + number}", "ESTAB")
        reader.do("read_it(l)")
        right.do("s, _ = l.accept(); s.recv(1); s.close(); l.close()")
        wait_ss(client, f"dport = :{PORT + number}", "TIME-WAIT")
    run = sockeye.stop()
    for number in range(2):
        ends = halves(of_port(events_in(run, client, server), PORT + number), PORT + number)[0]
        closed = [event for event in ends if event["new_state"] == "FIN_WAIT1"]
        assert [(event["pid"], event["owner_source"]) for event in closed] == [(left.pid, "connect")], closed
        if protocol == 0:  # what closes a subflow of MPTCP is a worker of the kernel
            assert closed[0]["task_pid"] == reader.pid, closed


def test_who_lets_go_last_is_no_user(net):
    reader_lets_go_last(net, 0)


def test_who_lets_go_last_is_no_user_mptcp(net):
    require_mptcp()
    reader_lets_go_last(net, MPTCP)
