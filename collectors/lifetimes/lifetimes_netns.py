# SPDX-License-Identifier: Apache-2.0
"""`lifetimes` and the ends of single connections, orderly and by reset. Witnesses: what the processes did, their
errors, ss."""
import netns
from lifetimes_tools import carried, connected, ended, both_ends, read_all, lives_of, settle, talk, wait_for_reset
from puppet import Puppet
from scenario import watch
from states_tools import linked_by_threads
from witness import nstat, wait_ss
from workload import drop, pass_all


class Stage:
    """Two puppets in namespaces client and server, and sockeye."""

    def __init__(self, net):
        self.client, self.server = linked_by_threads(net)
        self.sockeye = watch(net, "lifetimes", self.client, self.server)
        self.left, self.right = Puppet(self.client), Puppet(self.server)
        self.ports = []

    def each(self, port):
        """A port of its own and the server's address, for IPv4 and IPv6."""
        for number in (4, 6):
            self.ports.append(port + number)
            yield port + number, self.server.addresses[number]

    def connect(self, address, port):
        connected(self.left, self.right, address, port)

    def stop(self):
        for port in self.ports:
            settle(self.client, port)
            settle(self.server, port)
        return lives_of(self.sockeye.stop(), self.client, self.server)


def check_owners(stage, client, server):
    assert (client["pid"], client["owner_source"]) == (stage.left.pid, "connect"), client
    assert server["pid"] == stage.right.pid and server["owner_source"] in ("use", "accept"), server


def test_the_client_closes_first(net):
    stage = Stage(net)
    for port, address in stage.each(9000):
        stage.connect(address, port)
        talk(stage.left, stage.right)
        stage.left.do("c.close()")
        wait_ss(stage.server, f"sport = :{port}", "CLOSE-WAIT")
        stage.right.do("s.close()")
    events = stage.stop()
    assert len(events) == 4, events
    for port in stage.ports:
        client, server = both_ends(events, port)
        assert ended(client) == "closed local - close", client
        assert ended(server) == "closed remote - close", server
        assert carried(client) == (1000, 1000, 3000, 0) and carried(server) == (3000, 3000, 1000, 0), (client, server)
        assert server["fin_received"], server  # the client may have turned a minisocket before it came
        check_owners(stage, client, server)


def test_the_server_closes_first(net):
    stage = Stage(net)
    for port, address in stage.each(9000):
        stage.connect(address, port)
        talk(stage.left, stage.right)
        stage.right.do("s.close()")
        wait_ss(stage.client, f"dport = :{port}", "CLOSE-WAIT")
        stage.left.do("c.close()")
    events = stage.stop()
    for port in stage.ports:
        client, server = both_ends(events, port)
        assert ended(client) == "closed remote - close" and ended(server) == "closed local - close", (client, server)
        assert carried(client) == (1000, 1000, 3000, 0) and carried(server) == (3000, 3000, 1000, 0), (client, server)


def test_both_close_at_once(net):
    """The client's FIN is lost; the server's comes meanwhile, and does not acknowledge it."""
    stage = Stage(net)
    for port, address in stage.each(9000):
        stage.connect(address, port)
        talk(stage.left, stage.right)
        drop(stage.server, "input", f"tcp dport {port}")
        stage.left.do("c.close()")
        wait_ss(stage.client, f"dport = :{port}", "FIN-WAIT-1")
        stage.right.do("s.close()")
        wait_ss(stage.client, f"dport = :{port}", "CLOSING")
        pass_all(stage.server)
    events = stage.stop()
    for port in stage.ports:
        client, server = both_ends(events, port)
        assert ended(client) == "closed both - close" and ended(server) == "closed local - close", (client, server)
        assert carried(client) == (1000, 1000, 3000, 0) and carried(server) == (3000, 3000, 1000, 0), (client, server)
        assert client["retransmits"] > 0 and client["syn_retransmits"] == 0, client


def test_half_closed_for_seconds(net):
    """The clients shut down, wait in vain for ten seconds, then the server sends, and closes."""
    seconds = 10
    stage = Stage(net)
    for port, address in stage.each(9000):
        stage.connect(address, port)
        talk(stage.left, stage.right, 10, 20)
        stage.left.do(f"c.shutdown(socket.SHUT_WR); c{port} = c; c.settimeout({seconds})")
        stage.right.do(f"s{port} = s")
    stage.left.fails("c.recv(1)", "TimeoutError")
    for port in stage.ports:
        stage.right.do(f"s{port}.sendall(b'z' * 30)")
        read_all(stage.left, f"c{port}", 30)
        stage.right.do(f"s{port}.close()")
        wait_ss(stage.client, f"dport = :{port}", "TIME-WAIT")
        stage.left.do(f"c{port}.close()")
    events = stage.stop()
    for port in stage.ports:
        client, server = both_ends(events, port)
        assert ended(client) == "closed local - shutdown" and ended(server) == "closed remote - close", (client, server)
        assert client["fin_received"] and server["fin_received"], (client, server)
        assert carried(client) == (10, 10, 50, 0) and carried(server) == (50, 50, 10, 0), (client, server)
        for event in (client, server):
            assert seconds * 1e6 <= event["closing_us"] <= netns.patience(seconds + 2) * 1e6, event


def test_half_closed_by_both(net):
    """Both ends shut down and close later, when it is over: whoever has only shut down has not closed."""
    stage = Stage(net)
    for port, address in stage.each(9000):
        stage.connect(address, port)
        talk(stage.left, stage.right, 10, 20)
        stage.left.do("c.shutdown(socket.SHUT_WR)")
        assert stage.right.do("len(s.recv(1))") == 0
        stage.right.do("s.shutdown(socket.SHUT_WR)")
        wait_ss(stage.client, f"dport = :{port}", "TIME-WAIT")
        wait_ss(stage.server, f"sport = :{port}")
        stage.left.do("c.close()")
        stage.right.do("s.close()")
    for port, address in stage.each(9010):  # a close() that waits for its FIN's acknowledgement
        stage.connect(address, port)
        stage.left.do("c.close()")
        assert stage.right.do("len(s.recv(1))") == 0
        stage.right.do("s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 10)); s.close()")
    events = stage.stop()
    for port in stage.ports:
        client, server = both_ends(events, port)
        what = "close" if port > 9010 else "shutdown"
        assert (ended(client), ended(server)) == (f"closed local - {what}", f"closed remote - {what}"), (client, server)


def test_reset_by_this_end(net):
    """SO_LINGER 0; data that were not read; and the other end's view of it."""
    stage = Stage(net)
    for port, address in stage.each(9000):
        stage.connect(address, port)
        talk(stage.left, stage.right, 10, 20)
        stage.left.do("reset(c)")
        stage.right.fails("s.recv(1)", "ConnectionResetError")
        stage.right.do("s.close()")
    for port, address in stage.each(9010):
        stage.connect(address, port)
        stage.right.do("s.sendall(b'y' * 500)")
        stage.left.do("c.recv(100)")
        stage.left.do("c.close()")
        stage.right.fails("s.recv(1)", "ConnectionResetError")
        stage.right.do("s.close()")
    events = stage.stop()
    for port in stage.ports:
        client, server = both_ends(events, port)
        assert ended(client) == "reset_sent local - close", client
        assert ended(server) == "reset_received remote ECONNRESET -", server
        unread = port > 9010
        assert carried(client) == ((0, 0, 500, 400) if unread else (10, 10, 20, 0)), client
        assert carried(server) == ((500, 500, 0, 0) if unread else (20, 20, 10, 0)), server
        assert client["closing_us"] is None and server["closing_us"] is None, (client, server)
        check_owners(stage, client, server)


def test_data_after_close(net):
    """The client has closed; what the server sends then is answered with a RST, which the client's end has sent."""
    stage = Stage(net)
    for port, address in stage.each(9000):
        stage.connect(address, port)
        talk(stage.left, stage.right, 10, 20)
        drop(stage.server, "output", f"tcp sport {port} tcp flags & (psh | ack) == ack")  # the FIN stays unacknowledged
        stage.left.do("c.close()")
        wait_ss(stage.client, f"dport = :{port}", "FIN-WAIT-1")
        wait_ss(stage.server, f"sport = :{port}", "CLOSE-WAIT")
        stage.right.do("s.sendall(b'y' * 5)")
        wait_for_reset(stage.right)
        pass_all(stage.server)
        stage.right.do("s.close()")
    events = stage.stop()
    for port in stage.ports:
        client, server = both_ends(events, port)
        assert ended(client).split()[:2] == ["reset_sent", "local"], client
        assert ended(server) == "reset_received remote EPIPE -", server
        assert client["local_close"] == "close" and client["bytes_acked"] == 10, client


def test_data_after_shutdown(net):
    """The client has shut down both directions and holds its socket: it is its end that answers data with a RST."""
    stage = Stage(net)
    for port, address in stage.each(9000):
        stage.connect(address, port)
        talk(stage.left, stage.right, 10, 20)
        stage.left.do("c.shutdown(socket.SHUT_RDWR)")
        assert stage.right.do("len(s.recv(1))") == 0
        wait_ss(stage.client, f"dport = :{port}", "FIN-WAIT-2")
        stage.right.do("s.sendall(b'y' * 5)")
        wait_for_reset(stage.right)
        stage.left.do("c.close()")
        stage.right.do("s.close()")
    assert nstat(stage.client, "TcpExtTCPAbortOnData", "TcpOutRsts") == [2, 2]
    events = stage.stop()
    for port in stage.ports:
        client, server = both_ends(events, port)
        assert ended(client) == "reset_sent local ECONNRESET close" and client["last_state"] == "FIN_WAIT2", client
        assert ended(server) == "reset_received remote EPIPE -", server


def test_a_process_that_ends(net):
    """By a signal, by itself, and with data that it had not read."""
    stage = Stage(net)
    for port, address in stage.each(9000):
        stage.right.do(f"l = listen({address!r}, {port})")
        for work in ("os.kill(os.getpid(), 9)", "os._exit(3)", "os.kill(os.getpid(), 15)"):
            stage.left.do(f"pid = child(lambda: (c := connect({address!r}, {port}), c.sendall(b'x'), {work}))")
            stage.right.do("s, _ = l.accept(); s.recv(1)")
            stage.left.do("os.waitpid(pid, 0)")
            assert stage.right.do("len(s.recv(1))") == 0
            stage.right.do("s.close()")
        stage.left.do("r, w = os.pipe()")
        stage.left.do(f"pid = child(lambda: (c := connect({address!r}, {port}), c.recv(1), os.kill(os.getpid(), 9)))")
        stage.right.do("s, _ = l.accept(); s.sendall(b'xyz')")
        stage.left.do("os.waitpid(pid, 0)")
        stage.right.fails("s.recv(1)", "ConnectionResetError")
        stage.right.do("s.close(); l.close()")
    events = stage.stop()
    assert len(events) == 16, events
    for port in stage.ports:
        clients = [event for event in events if event["rport"] == port]
        assert [(ended(event), event.get("exit_signal")) for event in clients] == [
            ("closed local - killed", 9), ("closed local - exit", None), ("closed local - killed", 15),
            ("reset_sent local - killed", 9)], clients
        assert carried(clients[3]) == (0, 0, 3, 2), clients[3]
        servers = [event for event in events if event["lport"] == port]
        assert [ended(event) for event in servers] == ["closed remote - close"] * 3 + [
            "reset_received remote ECONNRESET -"], servers


def test_destroyed(net):
    """ss -K: the event says who did it."""
    stage = Stage(net)
    ss = netns.require("ss")
    for port, address in stage.each(9000):
        stage.connect(address, port)
        talk(stage.left, stage.right, 10, 20)
        stage.client.run([ss, "-K", "dport", "=", f":{port}"])
        if stage.client.run([ss, "-Htn", f"dport = :{port}"]).stdout.strip():
            netns.skip("this kernel destroys no sockets (CONFIG_INET_DIAG_DESTROY)")
        stage.left.fails("c.recv(1)", "ConnectionAbortedError")
        stage.right.fails("s.recv(1)", "ConnectionResetError")
        stage.right.do("s.close()")
    events = stage.stop()
    for port in stage.ports:
        client, server = both_ends(events, port)
        assert ended(client) == "destroyed local ECONNABORTED -", client
        assert client["task_comm"] == "ss" and client["comm"] == stage.left.comm, client
        assert ended(server) == "reset_received remote ECONNRESET -", server


def test_used_again(net):
    """A socket that is disconnected and connected again has two lives."""
    stage = Stage(net)
    for port, address in stage.each(9000):
        family = "socket.AF_INET6" if ":" in address else "socket.AF_INET"
        stage.connect(address, port)
        talk(stage.left, stage.right, 10, 20)
        stage.left.do("unspec = struct.pack('H14x', 0)")
        stage.left.do("assert ctypes.CDLL(None).connect(c.fileno(), unspec, 16) == 0")
        stage.right.do(f"s.close(); l = listen({address!r}, {port})")
        stage.left.do(f"assert c.family == {family}; c.connect(({address!r}, {port}))")
        stage.right.do("s, _ = l.accept(); l.close()")
        talk(stage.left, stage.right, 7, 8)
        stage.left.do("c.close()")
        wait_ss(stage.server, f"sport = :{port}", "CLOSE-WAIT")
        stage.right.do("s.close()")
    for port in stage.ports:
        settle(stage.client, port)
        settle(stage.server, port)
    events = stage.sockeye.stop().events
    for port in stage.ports:
        first, second = [event for event in events if event["rport"] == port and event["netns"] == stage.client.inode]
        assert first["cookie"] == second["cookie"], (first, second)
        assert ended(first) == "reset_sent local - close" and ended(second) == "closed local - close", (first, second)
        assert carried(first) == (10, 10, 20, 0) and carried(second) == (7, 7, 8, 0), (first, second)
        assert first["timestamp_ns"] + second["duration_us"] * 1000 <= second["timestamp_ns"], (first, second)
