# SPDX-License-Identifier: Apache-2.0
"""What the scenarios of `retransmits` share: a connection between two puppets, packets that are dropped when the scenario
says so, and the kernel's own counters."""
import collections

import netns
from kernel_types import has_name, tracepoint_arguments
from puppet import Puppet
from witness import nstat
from workload import drop, pass_all, set_sysctl

__all__ = ["drop", "nstat", "pass_all", "Puppet", "set_sysctl"]

PORT = 9100
FAMILIES = (4, 6)
TYPES = ("timeout", "fast", "tail_loss_probe", "syn", "synack", "non_congestion")


def pair(net, **sysctls):
    """Client and server whose packets are no longer than the link's MTU, so that rules can drop single segments."""
    client, server = net.client_and_server()
    for place in (client, server):
        place.run([netns.require("ethtool"), "-K", "veth0", "tso", "off", "gro", "off"])
    for name, value in sysctls.items():
        set_sysctl(client, f"net/ipv4/{name}", value)
    return client, server


def watch(net, *places, words=(), **options):
    return net.sockeye("retransmits", "--netns", ",".join(str(place.inode) for place in places), *words, **options)


Connection = collections.namedtuple("Connection", "left right port")


def connect(left, right, server, family, port):
    """Puppet `left` is connected to puppet `right`, which is in `server`: sockets c and s."""
    address = server.addresses[family]
    right.do(f"l = listen({address!r}, {port})")
    left.do(f"c = connect({address!r}, {port})")
    right.do("s, _ = l.accept()")
    return Connection(left, right, port)


def transfer(connection, size):
    """So many bytes go over, and are read."""
    connection.left.start(f"c.sendall(b'x' * {size})")
    connection.right.do(read_all("s", size))
    connection.left.finish()


def read_all(which, size):
    """An expression that reads so many bytes."""
    return f"len({which}.recv({size}, socket.MSG_WAITALL))"


def close(connection):
    connection.left.do("c.close()")
    connection.right.do("s.close(); l.close()")


def is_type(kind, port):
    """For wait_for(): a row of this type on a connection to this port."""
    return lambda row: row["event"] == "retransmits" and row["type"] == kind and port in (row["lport"], row["rport"])


def by_type(rows):
    """Segments by type."""
    counts = collections.Counter()
    for row in rows:
        counts[row["type"]] += row["segments"]
    return counts


def of(rows, place):
    return [row for row in rows if row["netns"] == place.inode]


def tells_failures():
    """From 6.15: the kernel tells also of what it could not transmit."""
    return tracepoint_arguments("tcp_retransmit_skb") >= 3


def counted(place):
    """Segments that the namespace sent again and that the kernel tells of."""
    segments, failed = nstat(place, "TcpRetransSegs", "TcpExtTCPRetransFail")
    return segments if tells_failures() else segments - failed


def check_segments(rows, *places):
    """As many as the kernel counted, by namespace; and as many as each socket says itself."""
    for place in places:
        total = sum(row["segments"] for row in of(rows, place))
        assert total == counted(place), (total, counted(place), of(rows, place))
    last = {row["cookie"]: row for row in rows}
    for cookie, row in last.items():
        told = sum(each["segments"] for each in rows if each["cookie"] == cookie)
        assert row["cookie"] is None or told <= row["total_segments"], (told, row)


def gives_cookies():
    """From 5.12, to tracing programs. Where not, sockeye has ids of its own, but none for a half-open request."""
    return has_name("bpf_get_socket_ptr_cookie")


def check_rows(rows):
    """What holds for any row."""
    for row in rows:
        assert row["type"] in TYPES, row
        assert row["lport"] and row["rport"], row
        assert row["cookie"] or row["type"] == "synack" and not gives_cookies(), row
        length = (row["end_seq_raw"] - row["seq_raw"]) % (1 << 32)
        assert row["seq"] is not None and row["end_seq"] - row["seq"] == length, row
        assert length - row["bytes"] in (0, 1), row  # SYN or FIN
        assert row["pid"] and row["comm"], row
    times = [row["timestamp_ns"] for row in rows if not row.get("late")]
    assert times == sorted(times), "not in the order of time"
