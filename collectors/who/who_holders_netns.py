# SPDX-License-Identifier: Apache-2.0
"""`who` and all who hold a socket: by fork and exec, passed on (SCM_RIGHTS), by several descriptors, by threads. Witness:
`ss -tnp`, which finds them in /proc; where ss cannot (MPTCP), what the processes themselves say."""
import json
import os
import re
import sys

import netns
from puppet import Puppet

ALONE = "looks at the sockets of the whole machine"
PORT = 9100
WORKERS = 64
LOOPBACK = {4: "127.0.0.1", 6: "::1"}
SERVICE = ("import ctypes, socket, sys; ctypes.CDLL(None).prctl(15, b'theservice', 0, 0, 0); "
           "socket.socket(fileno=int(sys.argv[1])).accept()")


def who(net, space, *words):
    """The rows of a namespace. On 5.10 a socket has a cookie once somebody has asked for it: ss does."""
    space.run([netns.require("ss"), "-Htane"])
    words = [netns.program_of("SOCKEYE"), "who", "--json", "--netns", str(space.inode), *map(str, words)]
    return [json.loads(line) for line in net.host.run(words).stdout.splitlines()]


def ss(space, port):
    """By the two ends of each socket, as ss has them: its holders, (name, pid, descriptor) by pid and descriptor."""
    told = {}
    for line in space.run([netns.require("ss"), "-Htanp", f"sport = :{port} or dport = :{port}"]).stdout.splitlines():
        ends = tuple(end.replace("[", "").replace("]", "") for end in line.split()[3:5])
        found = re.findall(r'\("([^"]*)",pid=(\d+),fd=(\d+)\)', line)
        told[ends] = sorted(((name, int(pid), int(fd)) for name, pid, fd in found), key=lambda one: one[1:])
    return told


def ends_of(row):
    return (f"{row['laddr']}:{row['lport']}", f"{row['raddr']}:{row['rport'] or '*'}")


def holders_of(row):
    return [(one["comm"], one["pid"], one["fd"]) for one in row["holders"]]


def expect_as_ss(net, space, port=PORT):
    """who's rows, which have the holders that ss has, in order; the first is shown as the owner."""
    rows = who(net, space, "--port", port)
    assert {ends_of(row): holders_of(row) for row in rows} == ss(space, port), (rows, ss(space, port))
    for row in rows:
        first = row["holders"][0] if row["holders"] else {"pid": None, "comm": None, "uid": None}
        assert (row["pid"], row["comm"], row["uid"]) == (first["pid"], first["comm"], first["uid"]), row
        assert "holders_left_out" not in row, row
    return rows


def pids(rows):
    return [one["pid"] for row in rows for one in row["holders"]]


def started_by_its_socket(net, family):
    """As systemd does it: who listens hands the listener to the service that it starts, and keeps it."""
    space = net.namespace("own")
    activator = Puppet(space)
    activator.do("call_me(b'activator')")
    activator.do(f"l = listen({LOOPBACK[family]!r}, {PORT})")
    service = activator.do(f"child(lambda: (l.set_inheritable(True), os.execv({sys.executable!r}, "
                           f"[{sys.executable!r}, '-I', '-c', {SERVICE!r}, str(l.fileno())])))")
    netns.wait_until(lambda: [one[0] for one in sum(ss(space, PORT).values(), [])] == ["activator", "theservice"],
                     "the service")
    rows = expect_as_ss(net, space)
    assert pids(rows) == [activator.pid, service], rows
    for words in (["--comm", "theservice"], ["--pid", service], ["--pid", f"1,{service}"], ["--comm", "theservice,nobody"]):
        chosen = who(net, space, "--port", PORT, *words)
        assert [(row["pid"], row["comm"]) for row in chosen] == [(service, "theservice")], (words, chosen)
        assert pids(chosen) == [activator.pid, service], chosen
    assert [row["pid"] for row in who(net, space, "--port", PORT, "--comm", "activator")] == [activator.pid]
    for words in (["--comm", "!theservice"], ["--comm", "!activator"], ["--pid", f"!{service}"],
                  ["--comm", "activator,!theservice"], ["--comm", "theservice", "--pid", activator.pid]):
        assert not who(net, space, "--port", PORT, *words), words
    assert len(who(net, space, "--port", PORT, "--comm", "!nobody")) == 1


def test_started_by_its_socket_ipv4(net):
    started_by_its_socket(net, 4)


def test_started_by_its_socket_ipv6(net):
    started_by_its_socket(net, 6)


def passed_on(net, family):
    """A connection that two processes have, one of them by two descriptors; its other end; and one that is not accepted."""
    space = net.namespace("own")
    giver, taker = Puppet(space), Puppet(space)
    path = f"\0sockeye-{os.getpid()}"
    taker.do(f"u = socket.socket(socket.AF_UNIX); u.bind({path!r}); u.listen()")
    giver.do(f"g = socket.socket(socket.AF_UNIX); g.connect({path!r})")
    taker.do("t, _ = u.accept()")
    address = LOOPBACK[family]
    giver.do(f"l = listen({address!r}, {PORT}); c = connect({address!r}, {PORT}); s, _ = l.accept(); w = connect({address!r}, {PORT})")
    giver.do("socket.send_fds(g, [b'.'], [s.fileno()])")
    taker.do("m, fds, _, _ = socket.recv_fds(t, 9, 1); again = os.dup(fds[0])")
    rows = expect_as_ss(net, space)
    accepted = [row for row in rows if len(row["holders"]) == 3]
    assert pids(accepted) == [giver.pid, taker.pid, taker.pid], accepted
    assert sorted(len(row["holders"]) for row in rows) == [0, 1, 1, 1, 3], rows
    giver.do("s.close()")
    accepted = [row for row in expect_as_ss(net, space) if len(row["holders"]) == 2]
    assert [row["pid"] for row in accepted] == [taker.pid], accepted
    assert pids(accepted) == [taker.pid, taker.pid], accepted


def test_passed_on_ipv4(net):
    passed_on(net, 4)


def test_passed_on_ipv6(net):
    passed_on(net, 6)


def prefork(net, family):
    """A listener that a master and 64 forked workers hold: none is left out, and filters find the first, the middle and
    the last of them."""
    space = net.namespace("own")
    master = Puppet(space)
    master.do("call_me(b'master')")
    master.do(f"l = listen({LOOPBACK[family]!r}, {PORT})")
    workers = master.do(f"[child(lambda: (call_me(b'worker %d' % i), l.accept())) for i in range({WORKERS})]")
    netns.wait_until(lambda: any(one[0] == f"worker {WORKERS - 1}" for one in sum(ss(space, PORT).values(), [])), "workers")
    rows = expect_as_ss(net, space)
    assert pids(rows) == [master.pid, *sorted(workers)], rows
    for pid in (master.pid, workers[0], workers[WORKERS // 2], workers[-1]):
        assert [row["pid"] for row in who(net, space, "--pid", pid)] == [pid]
        assert not who(net, space, "--pid", f"!{pid}")
    for number in (0, WORKERS // 2, WORKERS - 1):
        assert [row["comm"] for row in who(net, space, "--comm", f"worker {number}")] == [f"worker {number}"]
        assert not who(net, space, "--comm", f"!worker {number}")
    assert not who(net, space, "--uid", "!0")
    line = net.host.run([netns.program_of("SOCKEYE"), "who", "--netns", str(space.inode)]).stdout
    assert f" HOLDERS=master[{master.pid}],worker\\x200[{workers[0]}]," in line, line


def test_prefork_ipv4(net):
    prefork(net, 4)


def test_prefork_ipv6(net):
    prefork(net, 6)


def test_threads_count_once(net):
    """Those that share their table of files, and one that has a copy of it."""
    space = net.namespace("own")
    process = Puppet(space)
    process.do(f"l = listen('127.0.0.1', {PORT}); gate = threading.Event(); apart = threading.Event()")
    process.do("own = lambda: (ctypes.CDLL(None).unshare(0x400), apart.set(), gate.wait())")  # CLONE_FILES
    process.do("threads = [threading.Thread(target=w, daemon=True) for w in (gate.wait, gate.wait, own)]")
    process.do("[t.start() for t in threads] and apart.wait()")
    assert pids(expect_as_ss(net, space)) == [process.pid]


def recorded(net, family):
    """A recording holds the holders, and filters of replay ask each of them as those of a run do."""
    space = net.namespace("own")
    master = Puppet(space)
    master.do(f"call_me(b'master'); l = listen({LOOPBACK[family]!r}, {PORT})")
    workers = master.do("[child(lambda: (call_me(b'worker'), l.accept())) for i in range(150)]")
    netns.wait_until(lambda: len([one for one in sum(ss(space, PORT).values(), []) if one[0] == "worker"]) == 150, "workers")
    program = netns.program_of("SOCKEYE")
    file = os.path.join(str(net.folder()), "who.rec")
    for words in (["--json"], ["--format", "line"], ["--format", "table"]):
        shown = net.host.run([program, "who", "--netns", str(space.inode), *words, "--record", file]).stdout
        assert shown and net.host.run([program, "replay", file, *words]).stdout == shown, words

        def replay(*filters):
            return net.host.run([program, "replay", file, "--json", *map(str, filters)]).stdout.splitlines()
        for filters in (["--pid", workers[0]], ["--pid", workers[-1]], ["--comm", "worker"], ["--comm", "!nobody"]):
            assert len(replay(*filters)) == 1, filters
            assert len(who(net, space, *filters)) == 1, filters
        for filters in (["--pid", f"!{workers[-1]}"], ["--comm", "master,!worker"], ["--comm", "nobody"]):
            assert not replay(*filters), filters
            assert not who(net, space, *filters), filters
        os.unlink(file)


def test_recorded_ipv4(net):
    recorded(net, 4)


def test_recorded_ipv6(net):
    recorded(net, 6)


def mptcp(net, family):
    """The holders of a connection are those of its subflows; ss knows no holder of these."""
    if not os.path.exists("/proc/sys/net/mptcp"):
        netns.skip("this kernel has no MPTCP")
    space = net.namespace("own")
    process = Puppet(space)
    address = LOOPBACK[family]
    process.do(f"l = listen({address!r}, {PORT}, 262); c = connect({address!r}, {PORT}, 262); s, _ = l.accept(); c.sendall(b'x')")
    child = process.do("child(lambda: threading.Event().wait())")
    fds = {name: process.do(f"{name}.fileno()") for name in "lcs"}
    rows = who(net, space, "--port", PORT)
    told = {(row["state"], row["lport"] == PORT): [(one["pid"], one["fd"]) for one in row["holders"]] for row in rows}
    both = {name: [(process.pid, fd), (child, fd)] for name, fd in fds.items()}
    assert told == {("LISTEN", True): both["l"], ("ESTABLISHED", True): both["s"], ("ESTABLISHED", False): both["c"]}, told
    assert {row["pid"] for row in who(net, space, "--pid", child)} == {child}


def test_mptcp_ipv4(net):
    mptcp(net, 4)


def test_mptcp_ipv6(net):
    mptcp(net, 6)
