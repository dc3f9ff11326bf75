# SPDX-License-Identifier: Apache-2.0
"""What the scenarios of `lifetimes` share: connections that puppets open and end, and what must hold for any record."""
import errno
import pathlib
import sys

import netns

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "states"))  # states_tools, for those that import this

TCP_CLOSE = 7  # <net/tcp_states.h>
TIME_OUTS = ("syn_timed_out", "timed_out", "window_timed_out", "keepalive_timed_out")


def watch(net, *places, words=(), **options):
    """sockeye, for these namespaces only: what else happens on the machine is none of the scenario's business."""
    return net.sockeye("lifetimes", "--netns", ",".join(str(place.inode) for place in places), *words, **options)


def records(run, *places):
    """The records of the sockets in these namespaces, each checked, in the order of the stream."""
    inodes = {place.inode for place in places}
    rows = [row for row in run.events if row["event"] == "lifetimes" and row["netns"] in inodes]
    for row in rows:
        check(row)
    cookies = {row["cookie"] for row in rows}
    assert len(cookies) == len(rows), "a socket has two records"
    return rows


def check(row):
    """What holds for any record."""
    assert not row["end"].isdigit() and not row["closed_by"].isdigit(), row
    assert row["duration_us"] is not None, row
    for part in ("handshake_us", "closing_us"):  # a server's socket is born when its handshake is over
        is_within = row[part] is None or row[part] <= row["duration_us"]
        assert is_within or (part == "handshake_us" and row["role"] != "client"), (part, row)
    assert row["handshake_us"] is None or "handshake_unknown" not in row, row
    is_of_before = row.get("handshake_unknown") == "before_start"
    assert row["since_start"] == is_of_before or row["last_state"] == "SYN_SENT", row
    assert (row["bytes_acked"] is None) == (row["bytes_written"] is None), row
    assert (row["bytes_acked"] or 0) <= (row["bytes_written"] or 0) and row["bytes_unread"] <= row["bytes_received"], row
    assert (row["syn_retransmits"] or 0) <= row["retransmits"], row
    assert row["busy_us"] is None or row["busy_us"] >= row["rwnd_limited_us"] + row["sndbuf_limited_us"], row
    # Some jiffies more: the kernel counts in them, begins and ends in the middle of one, and where its timer interrupt was
    # late (the machine is a guest of a busy one) makes up for them at once.
    assert row["since_start"] or (row["busy_us"] or 0) <= row["duration_us"] + netns.patience(0.05) * 1e6, row
    assert (row["srtt_us"] is None) == (row["rttvar_us"] is None), row
    assert ("exit_signal" in row) == (row.get("local_close") == "killed"), row
    if row["end"] == "closed":
        assert row["closing_us"] is not None or row["since_start"], row
        assert row["last_state"] in ("FIN_WAIT2", "LAST_ACK", "CLOSING"), row
        assert row["bytes_acked"] == row["bytes_written"], row
    if row["closed_by"] == "nobody":
        assert row["end"] in TIME_OUTS, row


def expect_each(net, rows, wanted, what):
    """Each of `rows` is what `wanted` says of it, as what(row). What a timer ends may be hidden (tests/netns/guarded.py)."""
    told = [what(row) for row in rows]
    assert told and not set(told) - set(wanted), (told, wanted, rows)
    missing = len(wanted) - len(told)
    assert sorted(told) == sorted(wanted) or missing > 0 and net.hidden.explains(missing), (told, wanted, net.hidden.count())


def of_port(rows, port):
    """The records of the only connection to this port: the client's and the server's."""
    client = [row for row in rows if row["rport"] == port]
    server = [row for row in rows if row["lport"] == port]
    assert len(client) == len(server) == 1, (port, client, server)
    assert (client[0]["laddr"], client[0]["lport"]) == (server[0]["raddr"], server[0]["rport"]), (client, server)
    assert client[0]["role"] in ("client", "unknown") and server[0]["role"] in ("server", "unknown"), (client, server)
    return client[0], server[0]


def ended(row):
    """In one word: how, by whom, with which error, and what the process at this end did."""
    words = [row["end"], row["closed_by"], row["error"], row.get("local_close")]
    return " ".join(word or "-" for word in words)


def connected(left, right, address, port):
    """left's `c` is connected to right's `s`."""
    right.do(f"l = listen({address!r}, {port})")
    left.do(f"c = connect({address!r}, {port})")
    right.do("s, _ = l.accept(); l.close()")


def read_all(puppet, name, size):
    puppet.do(f"got = 0\nwhile got < {size}:\n  got += len({name}.recv(65536))")


def talk(left, right, to_server=1000, to_client=3000):
    """So much payload each way, all of it read."""
    left.do(f"c.sendall(b'x' * {to_server})")
    read_all(right, "s", to_server)
    right.do(f"s.sendall(b'y' * {to_client})")
    read_all(left, "c", to_client)


def carried(row):
    """(written, acknowledged, received, unread)"""
    return tuple(row[key] for key in ("bytes_written", "bytes_acked", "bytes_received", "bytes_unread"))


def wait_for_reset(puppet):
    """Until `s` was ended by a RST that its peer sent: asking for SO_ERROR before that would take the error away
    from under the kernel, which reads it once more as the socket goes to CLOSE."""
    netns.wait_until(lambda: puppet.do("s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]") == TCP_CLOSE, "a reset")
    assert puppet.do("s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)") == errno.EPIPE


def settle(place, port, timeout=netns.PATIENCE_S):
    """Until the namespace has no full socket of this port. Minisockets (TIME-WAIT, FIN-WAIT-2) and requests (SYN-RECV) may be
    left: a SYN that arrives after its connection has ended makes a request that lives for 63 s."""
    ss = netns.require("ss")

    def full_sockets():
        lines = place.run([ss, "-Htanoiem", "-O", "exclude", "time-wait", f"( sport = :{port} or dport = :{port} )"]).stdout
        return [line for line in lines.splitlines() if not line.startswith(("FIN-WAIT-2", "SYN-RECV", "LISTEN"))]

    netns.wait_until(lambda: not full_sockets(), f"the end of the sockets of port {port}", timeout,
                     seen=lambda: full_sockets()[:3])
