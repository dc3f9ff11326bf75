# SPDX-License-Identifier: Apache-2.0
"""What the scenarios of `retransmits` share: a connection between two puppets, packets that are dropped when the scenario
says so, and the kernel's own counters."""
import collections

import netns
from kernel_types import has_name, tracepoint_arguments
from puppet import Puppet
from scenario import End
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
    End(connection.left, "c").transfer(End(connection.right, "s"), size)


def read_all(which, size):
    """An expression that reads so many bytes."""
    return f"len({which}.recv({size}, socket.MSG_WAITALL))"


def close(connection):
    connection.left.do("c.close()")
    connection.right.do("s.close(); l.close()")


def is_type(kind, port):
    """For wait_for(): an event of this type on a connection to this port."""
    return lambda event: event["event"] == "retransmits" and event["type"] == kind and port in (event["lport"], event["rport"])


def by_type(events):
    """Segments by type."""
    counts = collections.Counter()
    for event in events:
        counts[event["type"]] += event["segments"]
    return counts


def of(events, place):
    return [event for event in events if event["netns"] == place.inode]


def tells_failures():
    """From 6.15: the kernel tells also of what it could not transmit."""
    return tracepoint_arguments("tcp_retransmit_skb") >= 3


def counted(place):
    """Segments that the namespace sent again and that the kernel tells of."""
    segments, failed = nstat(place, "TcpRetransSegs", "TcpExtTCPRetransFail")
    return segments if tells_failures() else segments - failed


def check_segments(events, *places):
    """As many as the kernel counted, by namespace; and as many as each socket says itself."""
    for place in places:
        total = sum(event["segments"] for event in of(events, place))
        assert total == counted(place), (total, counted(place), of(events, place))
    last = {event["cookie"]: event for event in events}
    for cookie, event in last.items():
        told = sum(each["segments"] for each in events if each["cookie"] == cookie)
        assert event["cookie"] is None or told <= event["total_segments"], (told, event)


def gives_cookies():
    """From 5.12, to tracing programs. Where not, sockeye has ids of its own, but none for a half-open request."""
    return has_name("bpf_get_socket_ptr_cookie")


def check_events(events):
    """What holds for any event."""
    for event in events:
        assert event["type"] in TYPES, event
        assert event["lport"] and event["rport"], event
        assert event["cookie"] or event["type"] == "synack" and not gives_cookies(), event
        length = (event["end_seq_raw"] - event["seq_raw"]) % (1 << 32)
        assert event["seq"] is not None and event["end_seq"] - event["seq"] == length, event
        assert length - event["bytes"] in (0, 1), event  # SYN or FIN
        assert event["pid"] and event["comm"], event
    times = [event["timestamp_ns"] for event in events if not event.get("late")]
    assert times == sorted(times), "not in the order of time"
