# SPDX-License-Identifier: Apache-2.0
"""What the scenarios of `lifetimes` share: connections that puppets open and end, and what must hold for any event."""
import errno

import netns

TCP_CLOSE = 7  # <net/tcp_states.h>
TIME_OUTS = ("syn_timed_out", "timed_out", "window_timed_out", "keepalive_timed_out")


def lives_of(run, *places):
    """The events of the sockets in these namespaces, each checked, in the order of the stream."""
    inodes = {place.inode for place in places}
    events = [event for event in run.events if event["event"] == "lifetimes" and event["netns"] in inodes]
    for event in events:
        check(event)
    cookies = {event["cookie"] for event in events}
    assert len(cookies) == len(events), "a socket has two events"
    return events


def check(event):
    """What holds for any event."""
    assert not event["end"].isdigit() and not event["closed_by"].isdigit(), event
    assert event["duration_us"] is not None, event
    for part in ("handshake_us", "closing_us"):  # a server's socket is born when its handshake is over
        is_within = event[part] is None or event[part] <= event["duration_us"]
        assert is_within or (part == "handshake_us" and event["role"] != "client"), (part, event)
    assert event["handshake_us"] is None or "handshake_unknown" not in event, event
    is_of_before = event.get("handshake_unknown") == "before_start"
    assert event["since_start"] == is_of_before or event["last_state"] == "SYN_SENT", event
    assert (event["bytes_acked"] is None) == (event["bytes_written"] is None), event
    assert (event["bytes_acked"] or 0) <= (event["bytes_written"] or 0) and event["bytes_unread"] <= event["bytes_received"], event
    assert (event["syn_retransmits"] or 0) <= event["retransmits"], event
    assert event["busy_us"] is None or event["busy_us"] >= event["rwnd_limited_us"] + event["sndbuf_limited_us"], event
    # Some jiffies more: the kernel counts in them, begins and ends in the middle of one, and where its timer interrupt was
    # late (the machine is a guest of a busy one) makes up for them at once.
    assert event["since_start"] or (event["busy_us"] or 0) <= event["duration_us"] + netns.patience(0.05) * 1e6, event
    assert (event["srtt_us"] is None) == (event["rttvar_us"] is None), event
    assert ("exit_signal" in event) == (event.get("local_close") == "killed"), event
    if event["end"] == "closed":
        assert event["closing_us"] is not None or event["since_start"], event
        assert event["last_state"] in ("FIN_WAIT2", "LAST_ACK", "CLOSING"), event
        assert event["bytes_acked"] == event["bytes_written"], event
    if event["closed_by"] == "nobody":
        assert event["end"] in TIME_OUTS, event


def expect_each(net, events, wanted, what):
    """Each of `events` is what `wanted` says of it, as what(event). What a timer ends may be hidden (tests/netns/guarded.py)."""
    told = [what(event) for event in events]
    assert told and not set(told) - set(wanted), (told, wanted, events)
    missing = len(wanted) - len(told)
    assert sorted(told) == sorted(wanted) or missing > 0 and net.hidden.explains(missing), (told, wanted, net.hidden.count())


def both_ends(events, port):
    """The events of the only connection to this port: the client's and the server's."""
    client = [event for event in events if event["rport"] == port]
    server = [event for event in events if event["lport"] == port]
    assert len(client) == len(server) == 1, (port, client, server)
    assert (client[0]["laddr"], client[0]["lport"]) == (server[0]["raddr"], server[0]["rport"]), (client, server)
    assert client[0]["role"] in ("client", "unknown") and server[0]["role"] in ("server", "unknown"), (client, server)
    return client[0], server[0]


def ended(event):
    """In one word: how, by whom, with which error, and what the process at this end did."""
    words = [event["end"], event["closed_by"], event["error"], event.get("local_close")]
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


def carried(event):
    """(written, acknowledged, received, unread)"""
    return tuple(event[key] for key in ("bytes_written", "bytes_acked", "bytes_received", "bytes_unread"))


def wait_for_reset(puppet, error=errno.EPIPE):
    """Until `s` was ended by a RST that its peer sent: asking for SO_ERROR before that would take the error away
    from under the kernel, which reads it once more as the socket goes to CLOSE."""
    netns.wait_until(lambda: puppet.do("s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]") == TCP_CLOSE, "a reset")
    assert puppet.do("s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)") == error


def settle(place, port, timeout=netns.PATIENCE_S):
    """Until the namespace has no full socket of this port. Minisockets (TIME-WAIT, FIN-WAIT-2) and requests (SYN-RECV) may be
    left: a SYN that arrives after its connection has ended makes a request that lives for 63 s."""
    ss = netns.require("ss")

    def full_sockets():
        lines = place.run([ss, "-Htanoiem", "-O", "exclude", "time-wait", f"( sport = :{port} or dport = :{port} )"]).stdout
        return [line for line in lines.splitlines() if not line.startswith(("FIN-WAIT-2", "SYN-RECV", "LISTEN"))]

    netns.wait_until(lambda: not full_sockets(), f"the end of the sockets of port {port}", timeout,
                     seen=lambda: full_sockets()[:3])
