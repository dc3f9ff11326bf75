# SPDX-License-Identifier: Apache-2.0
"""`who` beside `ss -tanpe`, which is run once in each network namespace, socket by socket."""
import ctypes
import json
import os
import re
import socket

import netns
from holders import IDLE, three_holders
from ready import start_ready

ALONE = "looks at the sockets of the whole machine"
STATES = {"ESTAB": "ESTABLISHED", "FIN-WAIT-1": "FIN_WAIT1", "FIN-WAIT-2": "FIN_WAIT2", "UNCONN": "CLOSE"}
libc = ctypes.CDLL(None, use_errno=True)


def who(net, *words):
    """The rows by cookie; each cookie comes once."""
    done = net.host.run([netns.program_of("SOCKEYE"), "who", "--json", "--strict", *words])
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    by_cookie = {row["cookie"]: row for row in rows}
    assert len(by_cookie) == len(rows), "a socket is there twice"
    return by_cookie


def in_namespaces(rows, namespaces):
    inodes = {namespace.inode for namespace in namespaces}
    return {cookie: row for cookie, row in rows.items() if row["netns"] in inodes}


def ss(namespace):
    """What ss says of each socket, by cookie: (facts, pids of its holders)."""
    lines = namespace.run([netns.require("ss"), "-Htanpe"], timeout=60).stdout.splitlines()
    return dict(parsed(line, namespace.inode) for line in lines)


def parsed(line, inode):
    state, recv_q, send_q, local, remote = line.split()[:5]

    def end(text):
        address, port = text.rsplit(":", 1)
        address = address.strip("[]")
        return "::" if address == "*" else address, 0 if port == "*" else int(port)

    def number(pattern, base=10):
        found = re.search(pattern, line)
        return int(found[1], base) if found else 0

    facts = (STATES.get(state, state.replace("-", "_")), int(recv_q), int(send_q), *end(local), *end(remote), inode,
             number(r"\bino:(\d+)"), number(r"\buid:(\d+)"))
    return str(number(r"\bsk:([0-9a-f]+)", 16)), (facts, {int(pid) for pid in re.findall(r"\bpid=(\d+)", line)})


def facts_of(row):
    return (row["state"], row["recv_q"], row["send_q"], row["laddr"], row["lport"], row["raddr"], row["rport"],
            row["netns"], row["inode"] or 0, row["socket_uid"] or 0)


def expect_same(rows, told):
    """who's rows are what ss told, owners and all: an owner is one of the holders, and where there is none, unknown."""
    missing, more = told.keys() - rows.keys(), rows.keys() - told.keys()
    assert not missing and not more, f"who lacks {[told[c] for c in missing][:5]}, ss lacks {[rows[c] for c in more][:5]}"
    for cookie, (facts, holders) in told.items():
        row = rows[cookie]
        assert facts_of(row) == facts, f"who: {facts_of(row)}\nss:  {facts}"
        if holders:
            assert row["pid"] in holders and row["owner_source"] == "snapshot", f"{row}\nheld by {holders}"
        else:
            assert row["pid"] is None and row["comm"] is None and row["owner_source"] == "unknown", row


def hold(namespace, address, port, connections):
    """`connections` open ones, so twice as many sockets, between two processes in the namespace."""
    server = namespace.load("server", "--addr", address, "--port", port, "--threads", 1)
    namespace.wait_listen(port)
    words = ("client", "--addr", address, "--port", port, "--connections", connections, "--threads", 1, "--hold", 1000)
    return server, start_ready(lambda fd: namespace.load(*words, "--ready-fd", fd, pass_fds=[fd]), timeout=60)


class Inside:
    """Sockets made here belong to another namespace, in which no process is."""

    def __init__(self, net, namespace):
        self.own = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.other = os.open(f"{netns.NETNS_DIR}/{namespace.name}", os.O_RDONLY)
        net.on_exit(lambda: os.close(self.own))
        net.on_exit(lambda: os.close(self.other))

    def __enter__(self):
        assert libc.setns(self.other, 0) == 0, os.strerror(ctypes.get_errno())

    def __exit__(self, *_):
        assert libc.setns(self.own, 0) == 0, os.strerror(ctypes.get_errno())


class Zoo:
    """Sockets in each state that can be held still, made by this process."""

    def __init__(self, net):
        self.kept = []
        net.on_exit(self.close)

    def close(self):
        for kept in self.kept:
            kept.close()

    def new(self, family=socket.AF_INET):
        made = socket.socket(family)
        self.kept.append(made)
        return made

    def listener(self, backlog, family=socket.AF_INET, address="127.0.0.1"):
        made = self.new(family)
        made.bind((address, 0))
        made.listen(backlog)
        return made

    def pair(self, listener):
        client = self.new(listener.family)
        client.connect(listener.getsockname())
        server, _ = listener.accept()
        self.kept.append(server)
        return client, server

    def stuffed(self, listener):
        """A pair whose client has written more than the server's window takes."""
        client, server = self.pair(listener)
        client.setblocking(False)
        try:
            while client.send(b"x" * 65536):
                pass
        except BlockingIOError:
            return client, server

    def fill(self):
        listener = self.listener(16)
        six = self.listener(16, socket.AF_INET6, "::1")
        self.listener(16, socket.AF_INET6, "::")
        self.pair(six)
        unread, _ = self.pair(listener)
        unread.send(b"12345")
        self.stuffed(listener)
        self.stuffed(listener)[0].close()     # FIN_WAIT1, orphaned
        self.pair(listener)[0].close()        # FIN_WAIT2 minisocket, CLOSE_WAIT
        half, _ = self.pair(listener)
        half.shutdown(socket.SHUT_WR)         # FIN_WAIT2, a full socket; CLOSE_WAIT
        client, server = self.pair(listener)
        client.close()
        server.close()                        # TIME_WAIT
        self.new().connect(listener.getsockname())  # waits for accept(): nobody's
        full = self.listener(0)
        self.new().connect(full.getsockname())
        dropped = self.new()
        dropped.setblocking(False)
        dropped.connect_ex(full.getsockname())      # SYN_SENT
        deferring = self.listener(16)
        deferring.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 100)
        self.new().connect(deferring.getsockname())  # SYN_RECV, a request socket


def compared(net, namespaces):
    """who's rows of the namespaces, having compared them with what ss says of them: taken between two looks of ss that
    say the same, as probes of a window that is shut move queues now and then."""
    def look():
        told = {}
        for namespace in namespaces:
            told.update(ss(namespace))
        return told

    def between_equals():
        before, rows, after = look(), who(net), look()
        return (rows, after) if before == after else None
    rows, told = netns.wait_until(between_equals, "sockets that stand still", 30)
    rows = in_namespaces(rows, namespaces)
    expect_same(rows, told)
    return rows


def test_equals_ss_in_every_state(net):
    namespace = net.namespace("zoo")
    with Inside(net, namespace):
        Zoo(net).fill()
    rows = compared(net, [namespace])
    states = {row["state"] for row in rows.values()}
    wanted = {"ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE_WAIT", "LISTEN"}
    assert states == wanted, states
    assert any(row["pid"] == os.getpid() for row in rows.values())


def test_equals_ss_in_three_namespaces(net):
    held = [(net.namespace("four"), "127.0.0.1"), (net.namespace("six"), "::1")]
    for number, (namespace, address) in enumerate(held):
        hold(namespace, address, 7000 + number, 1500)
    alone = net.namespace("alone")  # sockets, but no process
    with Inside(net, alone):
        zoo = Zoo(net)
        listener = zoo.listener(16)
        for _ in range(100):
            zoo.pair(listener)
    namespaces = [namespace for namespace, _ in held] + [alone]
    rows = compared(net, namespaces)
    assert len(rows) == 2 * 2 * 1500 + 2 + 200 + 1, len(rows)
    assert sum(row["pid"] == os.getpid() for row in rows.values()) == 201


def test_idle_connections_of_before(net):
    held = three_holders(net)
    rows = compared(net, [holder.space for holder in held])
    for holder in held:
        states = [row["state"] for row in rows.values() if row["pid"] == holder.pid]
        assert sorted(states) == ["ESTABLISHED"] * 2 * IDLE + ["LISTEN"], (holder.pid, len(states))


def test_listen_and_filters(net):
    namespace = net.namespace("filters")
    server, client = hold(namespace, "127.0.0.1", 7200, 10)
    namespace.run([netns.require("ss"), "-Htane"])  # on 5.10 a socket has a cookie once somebody has asked for it

    def cookies(*words):
        return set(in_namespaces(who(net, *words), [namespace]))

    everything = cookies()
    assert len(everything) == 21
    listeners = in_namespaces(who(net, "--listen"), [namespace])
    assert [row["state"] for row in listeners.values()] == ["LISTEN"], listeners
    assert [row["pid"] for row in listeners.values()] == [server.pid], listeners
    assert len(cookies("--pid", str(client.pid))) == 10
    assert len(cookies("--local-port", "7200", "--pid", str(server.pid))) == 11
    assert cookies("--netns", str(namespace.inode), "--port", "7200", "--comm", "load,sockeye_load") == everything
    assert not cookies("--port", "7201")
    assert not cookies("-6")


def test_no_stream_of_it(net):
    program = netns.program_of("SOCKEYE")
    done = net.host.run([program, "trace", "who"], check=False)
    assert done.code == 2 and "sockeye who" in done.stderr, done
