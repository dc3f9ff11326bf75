# SPDX-License-Identifier: Apache-2.0
"""`lifetimes` of connections that are half closed before they end. Who has shut down only its sending side takes data, and
answers them with a RST no earlier than it has shut down the other one as well. Witnesses: nstat, ss, the peer's errors."""
import netns
from lifetimes_netns import Stage
from lifetimes_tools import ended, both_ends, read_all, wait_for_reset
from witness import nstat, wait_ss
from workload import drop, pass_all, set_sysctl

ACKS_OF_SERVER = "tcp sport {port} tcp flags & (fin | syn | rst | psh | ack) == ack"
FIN_OF_CLIENT = "tcp dport {port} tcp flags & fin == fin"


def resets(place):
    """How many RSTs it has sent, and how many connections it has aborted as data came too late."""
    return nstat(place, "TcpOutRsts", "TcpExtTCPAbortOnData")


class HalfClosed(Stage):
    """Connections on which the client shuts down its sending side first, and what the client's event says."""

    def open(self, port, address, waits="FIN-WAIT-2"):
        self.connect(address, port)
        self.left.do("c.sendall(b'request'); c.shutdown(socket.SHUT_WR)")
        read_all(self.right, "s", 7)
        wait_ss(self.client, f"dport = :{port}", waits)

    def answer(self, size=6):
        self.right.do(f"s.sendall(b'y' * {size})")
        read_all(self.left, "c", size)

    def expect(self, wanted, of_the_client, sent=0, on_data=0):
        """So the clients end; so many RSTs does the client's end send, so many of them on data, for each port."""
        assert resets(self.client) == [sent * len(self.ports), on_data * len(self.ports)], resets(self.client)
        events = self.stop()
        for port in self.ports:
            client, server = both_ends(events, port)
            assert ended(client) == wanted, (wanted, client)
            assert client["closed_by"] == "local", client
            of_the_client(client, server)


def nothing(*_events):
    pass


def test_answered_then_closed(net):
    """close() before the peer's FIN: a minisocket waits for that."""
    stage = HalfClosed(net)
    for port, address in stage.each(9000):
        stage.open(port, address)
        stage.answer()
        stage.left.do("c.close()")
        wait_ss(stage.client, f"dport = :{port}", "FIN-WAIT-2")
        stage.right.do("s.close()")
        wait_ss(stage.client, f"dport = :{port}", "TIME-WAIT")

    def carried(client, server):
        assert (client["bytes_written"], client["bytes_received"]) == (7, 6), client
        assert server["end"] == "closed" and server["closed_by"] == "remote", server

    stage.expect("closed local - shutdown", carried)


def test_answered_after_a_last_acknowledgement(net):
    """The last packet before close() is one without data, which begins behind the answer."""
    stage = HalfClosed(net)
    for port, address in stage.each(9000):
        stage.connect(address, port)
        drop(stage.server, "input", FIN_OF_CLIENT.format(port=port))
        stage.left.do("c.sendall(b'request'); c.shutdown(socket.SHUT_WR)")
        read_all(stage.right, "s", 7)
        stage.answer()
        wait_ss(stage.client, f"dport = :{port}", "FIN-WAIT-1")
        stage.left.do("c.close()")
        pass_all(stage.server)
        wait_ss(stage.client, f"dport = :{port}", "FIN-WAIT-2")  # a minisocket, as soon as the FIN is acknowledged
        stage.right.do("s.close()")
    stage.expect("closed local - shutdown", nothing)


def test_lingering_close_of_a_server(net):
    """As nginx closes: it shuts down, reads what still comes, and closes. The roles are changed: `c` plays the server."""
    stage = HalfClosed(net)
    for port, address in stage.each(9000):
        stage.connect(address, port)
        stage.left.do("c.sendall(b'response'); c.shutdown(socket.SHUT_WR)")
        for _ in range(3):
            stage.right.do("s.sendall(b'x' * 1000)")
            read_all(stage.left, "c", 1000)
        stage.left.do("c.close()")
        wait_ss(stage.client, f"dport = :{port}", "FIN-WAIT-2")
        read_all(stage.right, "s", 8)
        stage.right.do("s.close()")
    stage.expect("closed local - shutdown", nothing)


def test_the_peers_fin_first(net):
    stage = HalfClosed(net)
    for port, address in stage.each(9000):
        stage.open(port, address)
        stage.answer()
        stage.right.do("s.close()")
        wait_ss(stage.client, f"dport = :{port}", "TIME-WAIT")
        stage.left.do("c.close()")
    stage.expect("closed local - shutdown", nothing)


def test_data_with_the_acknowledgement(net):
    """The FIN is acknowledged by a packet that has data, when the client has closed: that is answered with a RST. Before
    that nothing had come; or something had, and was read."""
    stage = HalfClosed(net)
    for port, address in stage.each(9000):
        stage.connect(address, port)
        drop(stage.server, "output", ACKS_OF_SERVER.format(port=port))
        stage.left.do("c.sendall(b'request'); c.shutdown(socket.SHUT_WR); c.close()")
        wait_ss(stage.client, f"dport = :{port}", "FIN-WAIT-1")
        stage.right.do("s.sendall(b'y' * 6)")
        wait_for_reset(stage.right)
        pass_all(stage.server)
        stage.right.do("s.close()")

    def server_was_reset(_client, server):
        assert server["end"] == "reset_received", server

    stage.expect("reset_sent local - shutdown", server_was_reset, sent=1, on_data=1)


def test_closed_while_the_answer_comes_again(net):
    """The peer never got the acknowledgement of its data, and sends them again after close(). The client has them already, so it
    acknowledges them again and sends no RST."""
    stage = HalfClosed(net)
    for port, address in stage.each(9000):
        stage.connect(address, port)
        drop(stage.server, "input", f"tcp dport {port}")
        again = nstat(stage.client, "TcpExtTCPDSACKOldSent")[0]
        stage.answer()
        stage.left.do("c.close()")
        netns.wait_until(lambda: nstat(stage.client, "TcpExtTCPDSACKOldSent")[0] > again + 1, "the answer, twice again")
        pass_all(stage.server)
        wait_ss(stage.client, f"dport = :{port}", "FIN-WAIT-2")
        stage.right.do("s.close()")
        wait_ss(stage.client, f"dport = :{port}", "TIME-WAIT")
    stage.expect("closed local - close", nothing)


def full_fin_wait2(stage, port, address):
    """FIN_WAIT2 of an orphan is a full socket while it has more than a minute to wait."""
    stage.open(port, address)
    stage.answer()
    stage.left.do("c.close()")
    wait_ss(stage.client, f"dport = :{port}", "FIN-WAIT-2")


def test_long_fin_timeout_and_a_reset(net):
    stage = HalfClosed(net)
    set_sysctl(stage.client, "net/ipv4/tcp_fin_timeout", 120)
    for port, address in stage.each(9000):
        full_fin_wait2(stage, port, address)
        stage.right.do("reset(s)")
        wait_ss(stage.client, f"dport = :{port}")
    stage.expect("reset_received local ECONNRESET shutdown", nothing)


def test_long_fin_timeout_and_data(net):
    stage = HalfClosed(net)
    set_sysctl(stage.client, "net/ipv4/tcp_fin_timeout", 120)
    for port, address in stage.each(9000):
        full_fin_wait2(stage, port, address)
        stage.right.do("s.sendall(b'y' * 5)")
        wait_ss(stage.client, f"dport = :{port}")
        stage.right.do("s.close()")
    stage.expect("reset_sent local ECONNRESET shutdown", nothing, sent=1, on_data=1)


def test_both_directions_one_after_the_other(net):
    """SHUT_WR, an answer that is read, SHUT_RD; then a RST comes, or data do."""
    stage = HalfClosed(net)
    for port, address in stage.each(9000):
        stage.open(port, address)
        stage.answer()
        stage.left.do("c.shutdown(socket.SHUT_RD)")
        stage.right.do("reset(s)")
        wait_ss(stage.client, f"dport = :{port}")
        stage.left.do("c.close()")
    stage.expect("reset_received local ECONNRESET shutdown", nothing)


def test_both_directions_then_data(net):
    stage = HalfClosed(net)
    for port, address in stage.each(9000):
        stage.open(port, address)
        stage.answer()
        stage.left.do("c.shutdown(socket.SHUT_RD)")
        stage.right.do("s.sendall(b'y' * 5)")
        wait_ss(stage.client, f"dport = :{port}")
        stage.left.do("c.close()")
        stage.right.do("s.close()")
    stage.expect("reset_sent local ECONNRESET shutdown", nothing, sent=1, on_data=1)


def test_the_answer_is_not_read(net):
    """close() leaves data unread: that is a RST, and the kernel says so (TCPAbortOnClose)."""
    stage = HalfClosed(net)
    for port, address in stage.each(9000):
        stage.open(port, address)
        stage.right.do("s.sendall(b'y' * 6)")
        netns.wait_until(lambda: stage.left.do("len(c.recv(6, socket.MSG_PEEK))") == 6, "the answer")
        stage.left.do("c.close()")
        wait_ss(stage.client, f"dport = :{port}")
        stage.right.do("s.close()")
    assert nstat(stage.client, "TcpExtTCPAbortOnClose") == [len(stage.ports)]
    stage.expect("reset_sent local - shutdown", nothing, sent=1)
