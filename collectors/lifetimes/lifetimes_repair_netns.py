# SPDX-License-Identifier: Apache-2.0
"""`lifetimes` and `connections` of sockets that have had another connection before, or that TCP_REPAIR has made without a
handshake, as CRIU restores one. Witnesses: ss, nstat, what the processes wrote."""
import re

import netns
from lifetimes_netns import Stage
from lifetimes_tools import ended, both_ends, read_all, settle
from puppet import Puppet
from states_tools import linked_by_threads
from witness import nstat, wait_ss

REPAIR = """
def repaired(address, port, peer, peers_port, seq, ack):
    made = tcp(address)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.IPPROTO_TCP, 19, 1)  # TCP_REPAIR
    for queue, number in ((2, seq), (1, ack)):
        made.setsockopt(socket.IPPROTO_TCP, 20, queue)  # TCP_REPAIR_QUEUE
        made.setsockopt(socket.IPPROTO_TCP, 21, struct.pack("I", number))  # TCP_QUEUE_SEQ
    made.bind((address, port))
    made.connect((peer, peers_port))
    return made
"""


def repair(stage, port, address):
    """left's `c` and right's `s`, one connection, without a packet."""
    mine = stage.client.addresses[6 if ":" in address else 4]
    stage.left.do(f"c = repaired({mine!r}, {port + 1000}, {address!r}, {port}, 1000, 5000)")
    stage.right.do(f"s = repaired({address!r}, {port}, {mine!r}, {port + 1000}, 5000, 1000)")


class Repaired(Stage):
    def __init__(self, net):
        self.client, self.server = linked_by_threads(net)
        places = ",".join(str(place.inode) for place in (self.client, self.server))
        self.sockeye = net.sockeye("trace", "lifetimes,connections", "--netns", places)
        self.left, self.right = Puppet(self.client), Puppet(self.server)
        self.ports = []
        for puppet in (self.left, self.right):
            puppet.do(REPAIR)

    def lives(self):
        """The events of the clients and the servers, and the run."""
        for port in self.ports:
            settle(self.client, port)
            settle(self.server, port)
        run = self.sockeye.stop()
        events = [event for event in run.events if event["event"] == "lifetimes"]
        for event in events:
            for name in ("bytes_written", "bytes_acked", "bytes_received", "bytes_unread"):
                assert event[name] is None or 0 <= event[name] < 1 << 31, event
            assert event["role"] == "unknown" and event["handshake_us"] is None, event
            assert event["handshake_unknown"] == "repaired", event
        assert "anomalies" not in run.end, run.end
        return events, run


def end_repair(stage):
    for puppet, name in ((stage.left, "c"), (stage.right, "s")):
        puppet.do(f"{name}.setsockopt(socket.IPPROTO_TCP, 19, 0)")


def test_restored(net):
    """What goes over it from there on is told, to the byte; of a handshake nothing."""
    stage = Repaired(net)
    for port, address in stage.each(9000):
        repair(stage, port, address)
        end_repair(stage)
        stage.left.do("c.sendall(b'x' * 10)")
        read_all(stage.right, "s", 10)
        stage.right.do("s.sendall(b'y')")
        read_all(stage.left, "c", 1)
        stage.left.do("c.close()")
        wait_ss(stage.server, f"sport = :{port}", "CLOSE-WAIT")
        stage.right.do("s.close()")
    events, run = stage.lives()
    for port in stage.ports:
        client, server = both_ends(events, port)
        assert ended(client) == "closed local - close" and ended(server) == "closed remote - close", (client, server)
        for event, sent, came in ((client, 10, 1), (server, 1, 10)):
            assert (event["bytes_written"], event["bytes_acked"], event["bytes_received"]) == (sent, sent, came), event
    made = [event for event in run.events if event["event"] == "connections"]
    assert len(made) == 2 * len(stage.ports), made
    for event in made:
        assert (event["event_type"], event["outcome"], event["duration_us"]) == ("connect", "repaired", None), event
        assert event["role"] == "unknown", event


def test_nothing_was_sent(net):
    stage = Repaired(net)
    for port, address in stage.each(9000):
        repair(stage, port, address)
        end_repair(stage)
        stage.left.do("c.close()")
        wait_ss(stage.server, f"sport = :{port}", "CLOSE-WAIT")
        stage.right.do("s.close()")
    events, _ = stage.lives()
    for port in stage.ports:
        for event in both_ends(events, port):
            assert (event["end"], event["bytes_written"], event["bytes_acked"], event["bytes_received"]) == ("closed", 0, 0, 0), event


def test_taken_away(net):
    """CRIU closes what it has saved while it is in repair mode: nobody hears of it."""
    stage = Repaired(net)
    for port, address in stage.each(9000):
        repair(stage, port, address)
        stage.left.do("c.close()")
        stage.right.do("s.close()")
    events, _ = stage.lives()
    assert nstat(stage.client, "TcpOutRsts") + nstat(stage.server, "TcpOutRsts") == [0, 0]
    assert len(events) == 4 and {ended(event) for event in events} == {"checkpointed local - close"}, events


def rwnd_limited_ms(space, port):
    found = re.search(r" rwnd_limited:(\d+)ms", space.run([netns.require("ss"), "-Htin", f"dport = :{port}"]).stdout)
    return int(found.group(1)) if found else 0


def reconnect(stage, port, address):
    """The peer does not read for longer than a FIN waits for its answer on a busy machine; then the client connects again."""
    stage.right.do(f"l = listen({address!r}, {port}); l.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)")
    stage.left.do(f"c = connect({address!r}, {port})")
    stage.right.do("s, _ = l.accept()")
    stage.left.do("c.setblocking(False)\ntry:\n  while True: c.send(b'x' * 65536)\nexcept BlockingIOError: pass")
    netns.wait_until(lambda: rwnd_limited_ms(stage.client, port) >= 200, "a window that is full for long")
    stage.left.do("c.setblocking(True); assert ctypes.CDLL(None).connect(c.fileno(), struct.pack('H14x', 0), 16) == 0")
    stage.right.do("s.close()")
    stage.left.do(f"c.connect(({address!r}, {port}))")
    stage.right.do("s, _ = l.accept(); l.close()")


def two_lives(stage, port):
    events = [event for event in stage.run.events if event["rport"] == port and event["netns"] == stage.client.inode]
    assert len(events) == 2 and events[0]["cookie"] == events[1]["cookie"], events
    return events


def test_one_socket_two_connections(net):
    """Of the times of the first none is in the second's event, which wrote nothing; or, as nobody knows, it has none."""
    stage = Stage(net)
    for port, address in stage.each(9000):
        reconnect(stage, port, address)
        stage.left.do("c.close()")
        wait_ss(stage.server, f"sport = :{port}", "CLOSE-WAIT")
        stage.right.do("s.close()")
    for port, address in stage.each(9010):
        reconnect(stage, port, address)
        stage.left.do("c.sendall(b'x' * 5)")
        read_all(stage.right, "s", 5)
        stage.left.do("c.close()")
        wait_ss(stage.server, f"sport = :{port}", "CLOSE-WAIT")
        stage.right.do("s.close()")
    for port in stage.ports:
        settle(stage.client, port)
        settle(stage.server, port)
    stage.run = stage.sockeye.stop()
    for port in stage.ports:
        first, second = two_lives(stage, port)
        assert first["end"] == "reset_sent" and second["end"] == "closed", (first, second)
        assert first["rwnd_limited_us"] > 0 and first["busy_us"] > 0, first
        if port > 9010:
            assert (second["busy_us"], second["rwnd_limited_us"], second["sndbuf_limited_us"]) == (None,) * 3, second
        else:
            assert second["rwnd_limited_us"] == second["sndbuf_limited_us"] == 0, second
            assert second["busy_us"] <= netns.patience(0.05) * 1e6, second
            assert second["busy_us"] < first["busy_us"], (first, second)
        assert second["min_rtt_us"] is None or second["min_rtt_us"] <= second["duration_us"], second
    assert "anomalies" not in stage.run.end, stage.run.end


def test_its_own_least_round_trip(net):
    """The second connection's round trips take 40 ms and more; the first one's did not."""
    stage = Stage(net)
    for port, address in stage.each(9000):
        stage.connect(address, port)
        stage.left.do("assert ctypes.CDLL(None).connect(c.fileno(), struct.pack('H14x', 0), 16) == 0")
        stage.right.do(f"s.close(); l = listen({address!r}, {port})")
        delay = stage.server.run([netns.require("tc"), "qdisc", "add", "dev", "veth0", "root", "netem", "delay", "40ms"],
                                 check=False)
        if delay.code != 0:
            netns.skip("this kernel has no sch_netem")
        stage.left.do(f"c.connect(({address!r}, {port}))")
        stage.right.do("s, _ = l.accept(); l.close()")
        stage.left.do("c.close()")
        wait_ss(stage.server, f"sport = :{port}", "CLOSE-WAIT")
        stage.right.do("s.close()")
        stage.server.run(["tc", "qdisc", "del", "dev", "veth0", "root"])
    for port in stage.ports:
        settle(stage.client, port)
        settle(stage.server, port)
    stage.run = stage.sockeye.stop()
    for port in stage.ports:
        first, second = two_lives(stage, port)
        assert first["min_rtt_us"] < 40_000 <= second["srtt_us"], (first, second)
        assert second["min_rtt_us"] is None or second["min_rtt_us"] >= 40_000, second
