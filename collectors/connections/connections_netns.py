# SPDX-License-Identifier: Apache-2.0
"""`connections`: each connection once on each side, with its process; each way in which a connect fails. Witnesses: what
the programs were told by the kernel, ss, nstat."""
import time

import netns
from ready import start_ready
from puppet import Puppet
from witness import nstat, undone, wait_ss
from workload import drop, numbers, pass_all, run_load

PORT = 9000
CONNECTIONS = 300


def watch(net, *places, words=(), **options):
    return net.sockeye("connections", "--netns", ",".join(str(place.inode) for place in places), *words, **options)


def ends(row):
    return row["saddr"], row["sport"], row["daddr"], row["dport"]


def of_type(run, event_type):
    return [row for row in run.events if row["event_type"] == event_type]


def check_row(row):
    """What holds for every row: SRC is who opened it."""
    local, remote = (row["laddr"], row["lport"]), (row["raddr"], row["rport"])
    src, dst = (row["saddr"], row["sport"]), (row["daddr"], row["dport"])
    assert (src, dst) == ((local, remote) if row["event_type"] == "connect" else (remote, local)), row
    assert row["role"] == {"connect": "client", "accept": "server"}[row["event_type"]], row
    assert (row["outcome"] == "established") == ("error" not in row) or row["outcome"] in ("cancelled", "failed"), row


def the_only(run, event_type="connect"):
    rows = of_type(run, event_type)
    assert len(rows) == 1, run.events
    check_row(rows[0])
    return rows[0]


# ---- those that succeed ----

def each_side(net, family):
    client, server = net.client_and_server()
    sockeye = watch(net, client, server)
    caller, listener = run_load(client, server, server.addresses[family], CONNECTIONS, PORT)
    run = sockeye.stop()
    connects, accepts = of_type(run, "connect"), of_type(run, "accept")
    assert len(connects) == len(accepts) == CONNECTIONS == numbers(caller)["connections"], (len(connects), len(accepts))
    for row in run.events:
        check_row(row)
        assert row["outcome"] == "established" and row["family"] == f"ipv{family}" and row["duration_us"] is not None, row
    assert sorted(map(ends, connects)) == sorted(map(ends, accepts))
    assert len(set(map(ends, connects))) == CONNECTIONS
    assert {(row["pid"], row["netns"], row["owner_source"]) for row in connects} == {(caller.pid, client.inode, "connect")}
    assert {(row["pid"], row["netns"]) for row in accepts} == {(listener.pid, server.inode)}
    assert {row["owner_source"] for row in accepts} <= {"accept", "use"}, accepts[0]
    assert nstat(client, "TcpActiveOpens") == [CONNECTIONS] and undone(server, CONNECTIONS) >= 0


def test_each_side_once_ipv4(net):
    each_side(net, 4)


def test_each_side_once_ipv6(net):
    each_side(net, 6)


def test_an_ipv4_client_of_an_ipv6_listener(net):
    """The ends of both rows are the same, though one socket is of IPv4 and the other of IPv6."""
    client, server = net.client_and_server()
    sockeye = watch(net, client, server)
    left, right = Puppet(client), Puppet(server)
    right.do(f"l = listen('::', {PORT})")
    left.do(f"c = connect({server.addresses[4]!r}, {PORT})")
    right.do("a, _ = l.accept(); a.close()")
    left.do("c.close()")
    run = sockeye.stop()
    connect, accept = the_only(run), the_only(run, "accept")
    assert ends(connect) == ends(accept) and (connect["family"], accept["family"]) == ("ipv4", "ipv6"), (connect, accept)


def test_a_process_that_accepts_and_waits(net):
    """It is told when it has the connection, and how long that waited, not when it uses it."""
    client, server = net.client_and_server()
    sockeye = watch(net, client, server)
    left, right = Puppet(client), Puppet(server)
    right.do(f"l = listen({server.addresses[4]!r}, {PORT})")
    left.do(f"c = connect({server.addresses[4]!r}, {PORT})")
    connect = sockeye.wait_for(lambda row: row["event"] == "connections" and row["event_type"] == "connect")
    worker = right.do("child(lambda: (l.accept(), l.accept()))")
    accept = sockeye.wait_for(lambda row: row["event"] == "connections" and row["event_type"] == "accept")
    assert (accept["pid"], accept["owner_source"]) == (worker, "accept"), accept
    waited_us = (accept["timestamp_ns"] - connect["timestamp_ns"]) / 1000
    assert 0 < accept["duration_us"] <= waited_us + 1000, (accept, waited_us)
    left.do("c.close()")
    assert len(sockeye.stop().events) == 2


def test_without_the_peers_address(net):
    """accept() that asks for no address may not be seen; then the first use shows who has the connection."""
    client, server = net.client_and_server()
    sockeye = watch(net, client, server)
    left, right = Puppet(client), Puppet(server)
    right.do(f"l = listen({server.addresses[4]!r}, {PORT})")
    left.do(f"c = connect({server.addresses[4]!r}, {PORT}); c.sendall(b'x')")
    worker = right.do("child(lambda: os.read(ctypes.CDLL(None).accept(l.fileno(), None, None), 1))")
    accept = sockeye.wait_for(lambda row: row["event"] == "connections" and row["event_type"] == "accept")
    assert accept["pid"] == worker and accept["owner_source"] in ("accept", "use"), accept
    left.do("c.close()")
    right.do(f"os.waitpid({worker}, 0)")
    assert len(sockeye.stop().events) == 2


def test_never_accepted(net):
    """What no process ever took is no accept."""
    client, server = net.client_and_server()
    sockeye = watch(net, client, server)
    left, right = Puppet(client), Puppet(server)
    right.do(f"l = listen({server.addresses[4]!r}, {PORT})")
    left.do(f"c = connect({server.addresses[4]!r}, {PORT})")
    wait_ss(server, f"sport = :{PORT}", "ESTAB")
    right.do("l.close()")
    left.do("c.close()")
    run = sockeye.stop()
    assert the_only(run)["outcome"] == "established" and not of_type(run, "accept"), run.events


def test_not_blocking(net):
    """EINPROGRESS is no failure, and asking again is no second connect."""
    client, server = net.client_and_server()
    sockeye = watch(net, client, server)
    left, right = Puppet(client), Puppet(server)
    right.do(f"l = listen({server.addresses[4]!r}, {PORT})")
    left.do("import select; c = tcp('1.2.3.4'); c.setblocking(False)")
    assert left.do(f"c.connect_ex(({server.addresses[4]!r}, {PORT}))") == 115  # EINPROGRESS
    left.do("select.select([], [c], [], 5)[1][0]")
    assert left.do(f"c.connect_ex(({server.addresses[4]!r}, {PORT}))") in (0, 106)  # EISCONN
    left.do("c.close()")
    row = the_only(sockeye.stop())
    assert (row["outcome"], row["pid"]) == ("established", left.pid), row


def start_server(place, address, how):
    return start_ready(lambda fd: place.uring("server", address, 7000, 50, how, fd, pass_fds=[fd]))


def test_io_uring(net):
    client, server = net.client_and_server()
    for family in (4, 6):
        sockeye = watch(net, client, server)
        serving = start_server(server, server.addresses[family], "plain")
        calling = client.uring("client", server.addresses[family], 7000, 50, "plain")
        assert calling.wait() == 0 and serving.wait() == 0, (calling.stderr, serving.stderr)
        wait_ss(server, "sport = :7000")
        run = sockeye.stop()
        connects, accepts = of_type(run, "connect"), of_type(run, "accept")
        assert sorted(map(ends, connects)) == sorted(map(ends, accepts)) and len(connects) == 50, len(connects)
        assert {row["pid"] for row in connects} == {calling.pid} and {row["pid"] for row in accepts} == {serving.pid}


# ---- those that fail ----

def failed(net, client, code, error, words=()):
    """The row of a connect that raises this error; the process it is of is the row's."""
    sockeye = watch(net, client, words=words)
    left = Puppet(client)
    left.fails(code, error)
    row = the_only(sockeye.stop())
    assert row["pid"] == left.pid, row
    return row


def test_refused(net):
    client, server = net.client_and_server()
    for number, family in enumerate((4, 6), 1):
        row = failed(net, client, f"connect({server.addresses[family]!r}, 9)", "Connection refused")
        assert (row["outcome"], row["error"], row["dport"]) == ("refused", "ECONNREFUSED", 9), row
        assert nstat(client, "TcpAttemptFails") == [number]


def test_refused_on_loopback(net):
    """The answer comes while connect() still holds the socket."""
    place = net.namespace("one")
    for address in ("127.0.0.1", "::1"):
        row = failed(net, place, f"connect({address!r}, 9)", "Connection refused")
        assert (row["outcome"], row["error"], row["daddr"]) == ("refused", "ECONNREFUSED", address), row
        assert row["sport"] and row["duration_us"] is not None, row


def test_no_answer(net):
    """A firewall that drops SYNs: each of them counts, and the end is a time-out."""
    client, server = net.client_and_server()
    client.run(["sysctl", "-qw", "net.ipv4.tcp_syn_retries=1"])
    drop(server, "input", f"tcp dport {PORT}")
    for family in (4, 6):
        before, = nstat(client, "TcpRetransSegs")
        began = time.monotonic()
        row = failed(net, client, f"connect({server.addresses[family]!r}, {PORT})", "timed out")
        assert (row["outcome"], row["error"]) == ("timed_out", "ETIMEDOUT"), row
        assert [row["syn_retransmits"]] == [nstat(client, "TcpRetransSegs")[0] - before], row
        assert 2_500_000 < row["duration_us"] < (time.monotonic() - began) * 1e6, row
    pass_all(server)


def test_no_host(net):
    """Nobody has the address: the kernel gives up looking for its link-layer address."""
    client, server = net.client_and_server()
    address = server.addresses[4].rsplit(".", 1)[0] + ".199"
    row = failed(net, client, f"connect({address!r}, {PORT})", "No route to host")
    assert (row["outcome"], row["error"], row["daddr"]) == ("host_unreachable", "EHOSTUNREACH", address), row


def test_no_local_port(net):
    client, server = net.client_and_server()
    client.run(["sysctl", "-qw", "net.ipv4.ip_local_port_range=40000 40000"])
    Puppet(server).do(f"l = listen({server.addresses[4]!r}, {PORT})")
    sockeye = watch(net, client)
    left = Puppet(client)
    left.do(f"c = connect({server.addresses[4]!r}, {PORT})")
    left.fails(f"connect({server.addresses[4]!r}, {PORT})", "Cannot assign requested address")
    first, second = sockeye.stop().events
    assert first["outcome"] == "established" and first["sport"] == 40000, first
    assert (second["outcome"], second["error"], second["sport"]) == ("no_local_port", "EADDRNOTAVAIL", None), second
    assert (second["daddr"], second["dport"], second["pid"]) == (server.addresses[4], PORT, left.pid), second


def test_before_the_first_syn(net):
    """No route, a route that forbids it: nothing of that is a change of state."""
    client, server = net.client_and_server()
    client.run([netns.require("ip"), "route", "add", "prohibit", "10.66.0.0/16"])
    client.run([netns.require("ip"), "route", "add", "unreachable", "10.67.0.0/16"])
    cases = {"10.66.0.1": ("Permission denied", "denied", "EACCES"),
             "10.67.0.1": ("No route to host", "host_unreachable", "EHOSTUNREACH"),
             "10.68.0.1": ("Network is unreachable", "net_unreachable", "ENETUNREACH"),
             "2001:db8::68": ("Network is unreachable", "net_unreachable", "ENETUNREACH")}
    sockeye = watch(net, client, words=["--connect-errors"])
    left = Puppet(client)
    for address, (words, _, _) in cases.items():
        left.fails(f"connect({address!r}, {PORT})", words)
    left.do("import select; c = tcp('1.2.3.4'); c.setblocking(False)")
    for _ in range(2):  # refused after its SYN: told once, though connect() says it again
        left.do(f"[c.connect_ex(({server.addresses[4]!r}, 9)), select.select([], [c], [], 5)][0]")
    rows = sockeye.stop().events
    refused = rows.pop()
    assert refused["outcome"] == "refused" and refused["dport"] == 9, refused
    assert [(row["daddr"], row["dport"], row["outcome"], row["error"], row["pid"]) for row in rows] == [
        (address, PORT, outcome, error, left.pid) for address, (_, outcome, error) in cases.items()], rows


def test_cancelled(net):
    """A program that gives up before there is an answer has not failed, and nobody has refused it."""
    client, server = net.client_and_server()
    drop(server, "input", f"tcp dport {PORT}")
    for family in (4, 6):
        sockeye = watch(net, client)
        left = Puppet(client)
        left.do(f"c = tcp({server.addresses[family]!r}); c.setblocking(False)")
        left.do(f"c.connect_ex(({server.addresses[family]!r}, {PORT}))")
        wait_ss(client, f"dport = :{PORT}", "SYN-SENT")
        left.do("c.close()")
        row = the_only(sockeye.stop())
        assert (row["outcome"], row["pid"], "error" in row) == ("cancelled", left.pid, False), row
    pass_all(server)


def test_killed_in_the_handshake(net):
    client, server = net.client_and_server()
    drop(server, "input", f"tcp dport {PORT}")
    sockeye = watch(net, client)
    left = Puppet(client)
    left.start(f"c = connect({server.addresses[4]!r}, {PORT})")
    wait_ss(client, f"dport = :{PORT}", "SYN-SENT")
    left.process.popen.kill()
    left.process.wait()
    row = the_only(sockeye.stop())
    assert (row["outcome"], row["pid"]) == ("cancelled", left.pid), row
    pass_all(server)


# ---- filters and replay ----

def test_src_and_dst(net):
    """--dst-port shows both ends of the connections to that port, --port as well, --local-port one."""
    client, server = net.client_and_server()
    runs = [(words, watch(net, client, server, words=words)) for words in (
        ["--dst-port", PORT], ["--src-ip", client.addresses[4]], ["--port", PORT])]
    local = watch(net, client, server, words=["--local-port", PORT])
    none = watch(net, client, server, words=["--src-port", PORT])
    run_load(client, server, server.addresses[4], 20, PORT)
    for words, sockeye in runs:
        assert len(sockeye.stop().events) == 40, words
    rows = local.stop().events
    assert len(rows) == 20 and {row["event_type"] for row in rows} == {"accept"}, rows
    assert not none.stop().events


def test_replay(net):
    """The same bytes, and with a filter the rows of a run that had it."""
    client, server = net.client_and_server()
    recording = net.folder() / "recording"
    shown = watch(net, client, server, words=["--record", recording])
    of_clients = watch(net, client, server, words=["--direction", "out"])
    run_load(client, server, server.addresses[6], 100, PORT)
    rows, wanted = shown.stop().events, of_clients.stop().events
    sockeye = netns.program_of("SOCKEYE")
    again = netns.parse_lines(net.host.run([sockeye, "replay", recording, "--json"]).stdout.splitlines())
    assert again == rows and len(rows) == 200, (len(again), len(rows))
    some = net.host.run([sockeye, "replay", recording, "--json", "--src-ip", client.addresses[6], "--direction", "out"])
    some = netns.parse_lines(some.stdout.splitlines())
    assert sorted(map(ends, some)) == sorted(map(ends, wanted)) and len(some) == 100, len(some)


# ---- translated destinations ----

def test_translated(net):
    """A rule sends what is meant for one address to another: both are shown, the client's socket knows the first alone."""
    client, server = net.client_and_server()
    asked = {4: "10.99.0.1", 6: "2001:db8:99::1"}
    client.run([netns.require("nft"), "add table inet n; add chain inet n o { type nat hook output priority -100; };"
                f" add rule inet n o ip daddr {asked[4]} tcp dport 80 dnat to {server.addresses[4]}:{PORT};"
                f" add rule inet n o ip6 daddr {asked[6]} tcp dport 80 dnat to [{server.addresses[6]}]:{PORT}"])
    for family in (4, 6):
        client.ip("route", "add", "default", "via", server.addresses[family], "dev", "veth0")
        recording = net.folder() / "recording"
        sockeye = watch(net, client, server, words=["--record", recording])
        left, right = Puppet(client), Puppet(server)
        right.do(f"l = listen({server.addresses[family]!r}, {PORT})")
        left.do(f"c = connect({asked[family]!r}, 80); d = connect({server.addresses[family]!r}, {PORT})")
        right.do("a = [l.accept(), l.accept()]")
        run = sockeye.stop()
        translated, plain = of_type(run, "connect")
        assert (translated["daddr"], translated["dport"]) == (asked[family], 80), translated
        assert (translated["nat_daddr"], translated["nat_dport"]) == (server.addresses[family], PORT), translated
        assert "nat_daddr" not in plain and "nat_dport" not in plain, plain
        assert {(row["daddr"], row["dport"]) for row in of_type(run, "accept")} == {(server.addresses[family], PORT)}
        again = net.host.run([netns.program_of("SOCKEYE"), "replay", recording, "--json"]).stdout.splitlines()
        assert netns.parse_lines(again) == run.events
        right.do("l.close()")
