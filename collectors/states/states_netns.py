# SPDX-License-Identifier: Apache-2.0
"""`states` and the lives of single connections: each state, each end, each way to fail. Witnesses: curl, nginx, ss,
the kernel's counters (nstat)."""
import sys
import time

import netns
import servers
from puppet import Puppet
from scenario import of_port, watch
from states_tools import (by_socket, CLIENT_LIFE, CLIENT_LIFE_ORPHANED, halves, is_of_listener, life, linked_by_threads,
                          owners, ROOM, events_in, served_by, SERVER_LIFE)
from witness import comm_of, nstat, ss_states, wait_ss
from workload import drop, pass_all


def start_nginx(server):
    """nginx with a file of 64 KiB that takes it more than half a second to send."""
    return servers.nginx(server, {"page": b"x" * 65536}, location="limit_rate 100k;")


def url(address, port):
    return f"http://[{address}]:{port}/page" if ":" in address else f"http://{address}:{port}/page"


def start_curl(client, address, port, *words):
    return client.popen([netns.require("curl"), "-qsS", "--noproxy", "*", "-o", "/dev/null", *words, "-w",
                         "%{local_port} %{remote_port} %{time_connect} %{time_total}", url(address, port)])


def check_curl(client, pid, said, took_s):
    """The client's events against what curl said, and how long the process took in all."""
    assert owners(client) == [(pid, "connect")], owners(client)
    assert {event["comm"] for event in client} == {"curl"}, client
    assert [client[0]["lport"], client[0]["rport"]] == [int(said[0]), int(said[1])], (client[0], said)
    connect_s, total_s = float(said[2]), float(said[3])
    established_us = client[2]["duration_us"]
    # Half: curl counts time_total from a time of its own, before it begins to connect.
    assert (total_s - connect_s) * 1e6 / 2 <= established_us <= took_s * 1e6, (said, client[2])
    assert client[1]["duration_us"] <= connect_s * 1e6 + 1000, (said, client[1])


def check_nginx(server, master, log):
    """The server's events against nginx's own log."""
    worker, address, port, server_address, server_port, status, _, request_s = log
    assert status == "200", log
    assert served_by(server, master) == [(int(worker), "use")], (owners(server), master, worker)
    assert [event["owner_source"] for event in server].count("use") == 3, server
    assert {event["comm"] for event in server} == {"nginx"}, server
    assert (server[0]["uid"], server[4]["uid"]) == (0, 65534), server
    assert {event["ppid"] for event in server[2:]} == {master}, server
    assert (server[0]["raddr"], server[0]["rport"]) == (address, int(port)), (server[0], log)
    assert (server[0]["laddr"], server[0]["lport"]) == (server_address, int(server_port)), (server[0], log)
    # Half: nginx looks at its clock when it comes to writing the log.
    assert server[2]["duration_us"] >= float(request_s) * 1e6 / 2, (server[2], log)


def test_curl_and_nginx(net):
    client, server = linked_by_threads(net)
    nginx = start_nginx(server)
    for family in (4, 6):
        sockeye = net.sockeye("states", *ROOM)
        began = time.monotonic()
        curl = start_curl(client, server.addresses[family], 8080)
        assert curl.wait() == 0, curl.stderr
        took_s = time.monotonic() - began
        sockeye.wait_for(lambda event: event["event"] == "states" and event["old_state"] == "LAST_ACK"
                         and event["netns"] == server.inode)
        events = events_in(sockeye.stop(), client, server)
        assert len(events) == 10, events
        of_client, of_server = halves(events, 8080)
        assert life(of_client) in (CLIENT_LIFE, CLIENT_LIFE_ORPHANED), life(of_client)
        assert life(of_server) == SERVER_LIFE, life(of_server)
        assert {event["family"] for event in events} == {f"ipv{family}"}, events
        assert [event["role"] for event in (of_client[0], of_server[0])] == ["client", "server"], events
        check_curl(of_client, curl.pid, curl.stdout.split(), took_s)
        check_nginx(of_server, nginx.pid, nginx.access_log.splitlines()[-1].split())


def test_the_server_closes_first(net):
    """python3 -m http.server speaks HTTP/1.0: it shuts down when it has answered, and curl may be as fast."""
    client, server = linked_by_threads(net)
    folder = net.folder()
    for family in (4, 6):
        address = server.addresses[family]
        listener = server.popen([sys.executable, "-m", "http.server", "--bind", address, "8000"], cwd=folder)
        server.wait_listen(8000)
        sockeye = watch(net, "states", client, server)
        curl = start_curl(client, address, 8000)
        assert curl.wait() == 0, curl.stderr
        for _ in range(2):
            sockeye.wait_for(lambda event: event["event"] == "states" and event["netns"] in (client.inode, server.inode)
                             and event["new_state"] in ("CLOSE", "TIME_WAIT"))
        of_client, of_server = halves(events_in(sockeye.stop(), client, server), 8000)
        assert life(of_client).startswith("CLOSE SYN_SENT ESTABLISHED "), life(of_client)
        assert life(of_server).startswith("LISTEN SYN_RECV ESTABLISHED "), life(of_server)
        assert owners(of_client) == [(curl.pid, "connect")], owners(of_client)
        assert served_by(of_server, listener.pid) == [(listener.pid, "use")], owners(of_server)
        assert {event["comm"] for event in of_server} == {comm_of(listener.pid)}, of_server
        listener.end()


def test_refused(net):
    client, server = linked_by_threads(net)
    sockeye = watch(net, "states", client, server)
    for number, family in enumerate((4, 6), 1):
        curl = start_curl(client, server.addresses[family], 9)
        assert curl.wait() == 7, curl.stderr
        assert nstat(client, "TcpAttemptFails", "TcpActiveOpens") == [number, number]
    events = events_in(sockeye.stop(), client, server)
    for socket in by_socket(events):
        assert life(socket) == "CLOSE SYN_SENT CLOSE", life(socket)
        assert socket[0]["rport"] == 9 and socket[0]["role"] == "client", socket
        assert socket[0]["netns"] == client.inode and socket[0]["comm"] == "curl", socket
        assert len(owners(socket)) == 1 and owners(socket)[0][1] == "connect", owners(socket)
    assert len(events) == 4, events


def test_no_answer(net):
    """SYNs are dropped. curl gives up by itself after a second; then the kernel gives up (TCP_USER_TIMEOUT)."""
    client, server = linked_by_threads(net)
    drop(server, "input", "tcp dport 9000")
    sockeye = watch(net, "states", client, server)
    puppet = Puppet(client)
    for family in (4, 6):
        address = server.addresses[family]
        curl = start_curl(client, address, 9000, "--connect-timeout", f"{netns.patience(1):g}")
        wait_ss(client, "dport = :9000", "SYN-SENT")
        assert curl.wait() == 28, curl.stderr
        puppet.do(f"c = tcp({address!r})")
        puppet.do("c.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 900)")
        puppet.fails(f"c.connect(({address!r}, 9000))", "TimeoutError")
    events = events_in(sockeye.stop(), client, server)
    sockets = by_socket(events)
    assert len(sockets) == 4 and len(events) == 8, events
    for number, socket in enumerate(sockets):
        assert life(socket) == "CLOSE SYN_SENT CLOSE", life(socket)
        assert owners(socket)[0][1] == "connect" and len(owners(socket)) == 1, owners(socket)
        assert socket[0]["comm"] == (puppet.comm if number % 2 else "curl"), socket
        assert 800_000 <= socket[1]["duration_us"] <= netns.patience(5_000_000), socket[1]


def test_reset(net):
    """The client closes with SO_LINGER 0: no FIN, a RST."""
    client, server = linked_by_threads(net)
    sockeye = watch(net, "states", client, server)
    left, right = Puppet(client), Puppet(server)
    for family in (4, 6):
        address = server.addresses[family]
        right.do(f"l = listen({address!r}, 9000)")
        left.do(f"c = connect({address!r}, 9000)")
        right.do("s, _ = l.accept()")
        left.do("c.sendall(b'x')")
        right.do("s.recv(1)")
        left.wait_acknowledged("c")
        left.do("reset(c)")
        right.fails("s.recv(1)", "ConnectionResetError")
        right.do("s.close(); l.close()")
    assert nstat(client, "TcpExtTCPAbortOnData", "TcpOutRsts") == [2, 2]
    assert nstat(server, "TcpEstabResets") == [2]
    events = events_in(sockeye.stop(), client, server)
    of_sockets = by_socket(events)
    assert len(of_sockets) == 4, events
    for socket in of_sockets:
        if socket[0]["role"] == "client":
            assert life(socket) == "CLOSE SYN_SENT ESTABLISHED CLOSE", life(socket)
            assert owners(socket) == [(left.pid, "connect")], owners(socket)
        else:
            assert life(socket) == "LISTEN SYN_RECV ESTABLISHED CLOSE", life(socket)
            assert served_by(socket, right.pid) == [(right.pid, "use")], owners(socket)


def test_listener(net):
    """Opening and closing it are events; its address and its owner are there, and nobody is at the other end."""
    server = net.namespace("server")
    sockeye = watch(net, "states", server)
    puppet = Puppet(server)
    for address in ("127.0.0.1", "::1", "0.0.0.0", "::"):
        puppet.do(f"l = listen({address!r}, 9000)")
        assert server.listens(9000)
        puppet.do("l.close()")
    events = events_in(sockeye.stop(), server)
    assert len(events) == 8 and all(is_of_listener(event) for event in events), events
    for opened, closed, address in zip(events[::2], events[1::2], ("127.0.0.1", "::1", "0.0.0.0", "::")):
        assert [opened["old_state"], opened["new_state"], closed["new_state"]] == ["CLOSE", "LISTEN", "CLOSE"], opened
        assert opened["cookie"] == closed["cookie"] and opened["duration_us"] is None, (opened, closed)
        assert closed["duration_us"] == (closed["timestamp_ns"] - opened["timestamp_ns"]) // 1000, (opened, closed)
        for event in (opened, closed):
            assert (event["laddr"], event["lport"], event["rport"]) == (address, 9000, 0), event
            assert (event["pid"], event["comm"], event["role"]) == (puppet.pid, puppet.comm, "listener"), event
            assert event["owner_source"] == "listen", event


def connected(left, right, address, port=9000):
    """left's `c` is connected to right's `s`."""
    right.do(f"l = listen({address!r}, {port})")
    left.do(f"c = connect({address!r}, {port})")
    right.do("s, _ = l.accept(); l.close()")


def test_half_close(net):
    """The client says that it is done; the server goes on sending before it closes, too."""
    client, server = linked_by_threads(net)
    sockeye = watch(net, "states", client, server)
    left, right = Puppet(client), Puppet(server)
    for port, family in ((9004, 4), (9006, 6)):
        connected(left, right, server.addresses[family], port)
        left.do("c.shutdown(socket.SHUT_WR)")
        wait_ss(client, f"dport = :{port}", "FIN-WAIT-2")
        wait_ss(server, f"sport = :{port}", "CLOSE-WAIT")
        right.do("s.sendall(b'late')")
        assert left.do("repr(c.recv(4))") == "b'late'"
        right.do("s.close()")
        wait_ss(client, f"dport = :{port}", "TIME-WAIT")
        wait_ss(server, f"sport = :{port}")
        left.do("c.close()")
    events = events_in(sockeye.stop(), client, server)
    assert len(events) == 24, events
    for port in (9004, 9006):
        of_client, of_server = halves(of_port(events, port), port)
        assert life(of_client) == CLIENT_LIFE, life(of_client)
        assert life(of_server) == SERVER_LIFE, life(of_server)
        assert owners(of_client) == [(left.pid, "connect")], owners(of_client)
        # Nothing but the shutdown came before the server sent: until then the listener's owner is all that is known.
        assert served_by(of_server, right.pid) == [(right.pid, "use")], owners(of_server)


def test_half_close_by_ncat_and_socat(net):
    """ncat shuts down at the end of its input; the program behind socat answers only then."""
    ncat, socat = netns.require("ncat", "socat")
    client, server = linked_by_threads(net)
    sockeye = watch(net, "states", client, server)
    for port, family in ((9004, 4), (9006, 6)):
        address = server.addresses[family]
        listener = server.popen([socat, "-t10", f"TCP{family}-LISTEN:{port}", "SYSTEM:cat >/dev/null; echo late"])
        server.wait_listen(port)
        caller = client.popen([ncat, address, port])
        assert caller.wait() == 0 and caller.stdout == "late\n", caller.stdout + caller.stderr
        assert listener.wait() == 0, listener.stderr
        wait_ss(server, f"sport = :{port}")
    events = events_in(sockeye.stop(), client, server)
    for port in (9004, 9006):
        of_client, of_server = halves(of_port(events, port), port)
        assert life(of_client) == CLIENT_LIFE, life(of_client)
        assert life(of_server) == SERVER_LIFE, life(of_server)
        assert {event["comm"] for event in of_client} == {"ncat"}, of_client
        assert {event["comm"] for event in of_server} == {"socat"}, of_server


def test_both_close_at_once(net):
    """The client's FIN is lost, the server's FIN comes, and does not acknowledge it: CLOSING."""
    client, server = linked_by_threads(net)
    sockeye = watch(net, "states", client, server)
    left, right = Puppet(client), Puppet(server)
    for port, family in ((9004, 4), (9006, 6)):
        connected(left, right, server.addresses[family], port)
        drop(client, "output", f"tcp dport {port}")
        left.do("c.close()")
        wait_ss(client, f"dport = :{port}", "FIN-WAIT-1")
        right.do("s.close()")
        wait_ss(client, f"dport = :{port}", "CLOSING")
        assert ss_states(server, f"sport = :{port}") == ["FIN-WAIT-1"]
        pass_all(client)
        wait_ss(client, f"dport = :{port}", "TIME-WAIT")
        wait_ss(server, f"sport = :{port}", "TIME-WAIT")
    events = events_in(sockeye.stop(), client, server)
    for port in (9004, 9006):
        of_client, of_server = halves(of_port(events, port), port)
        assert life(of_client) == "CLOSE SYN_SENT ESTABLISHED FIN_WAIT1 CLOSING TIME_WAIT", life(of_client)
        assert life(of_server) == "LISTEN SYN_RECV ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT", life(of_server)


def test_an_orphan_is_not_in_time_wait(net):
    """The client has closed, the server holds on: a FIN_WAIT2 minisocket. It turns TIME_WAIT without an event."""
    client, server = linked_by_threads(net)
    sockeye = watch(net, "states", client, server)
    left, right = Puppet(client), Puppet(server)
    for port, family in ((9004, 4), (9006, 6)):
        connected(left, right, server.addresses[family], port)
        left.do("c.close()")
        wait_ss(client, f"dport = :{port}", "FIN-WAIT-2")
        orphan = sockeye.wait_for(lambda event, port=port: event["event"] == "states" and event["rport"] == port
                                  and event["netns"] == client.inode and event["old_state"] == "FIN_WAIT2")
        assert (orphan["new_state"], orphan["derived"]) == ("CLOSE", False), orphan
        assert orphan["outcome"] == "fin_wait2_orphan", orphan
        assert ss_states(client, f"dport = :{port}") == ["FIN-WAIT-2"]
        right.do("s.close()")
        wait_ss(client, f"dport = :{port}", "TIME-WAIT")
        wait_ss(server, f"sport = :{port}")
    events = events_in(sockeye.stop(), client, server)
    for port in (9004, 9006):
        of_client, of_server = halves(of_port(events, port), port)
        assert life(of_client) == CLIENT_LIFE_ORPHANED, life(of_client)
        assert life(of_server) == SERVER_LIFE, life(of_server)
