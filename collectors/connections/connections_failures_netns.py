# SPDX-License-Identifier: Apache-2.0
"""`connections`: each way in which a connect fails, told once. Witnesses: what the programs were told, ss, nstat."""
import errno
import re
import time

import netns
from connections_tools import check_event, the_only
from scenario import PORT, expect
from witness import nstat, wait_ss
from workload import MPTCP, drop, pass_all, require_mptcp, set_sysctl


def failed(pair, error, words=(), **where):
    """The event of a connect that fails with this error; the process it is of is the event's."""
    sockeye = pair.watch("connections", *words)
    pair.fails(error, **where)
    return the_only(sockeye.stop(), pid=pair.client.pid)


def test_refused(net):
    for number, pair in enumerate(net.tcp_pairs(), 1):
        event = failed(pair, "Connection refused", port=9)
        expect([event]).one(outcome="refused", error="ECONNREFUSED", dport=9)
        assert nstat(pair.client.place, "TcpAttemptFails") == [number]


def test_refused_on_loopback(net):
    """The answer comes while connect() still holds the socket."""
    for pair in net.tcp_pairs():
        address = {4: "127.0.0.1", 6: "::1"}[pair.family]
        event = failed(pair, "Connection refused", port=9, address=address)
        expect([event]).one(outcome="refused", error="ECONNREFUSED", daddr=address)
        assert event["sport"] and event["duration_us"] is not None, event


def test_a_line_leaves_out_what_does_not_apply(net):
    """A connection that is fine has no error and no translation, one that failed has the error."""
    for pair in net.tcp_pairs():
        sockeye = pair.watch("connections", "--format", "line")
        pair.connect()
        pair.fails("Connection refused", port=9)
        told = [re.sub(" CONTAINER=[^ ]+$", "", line) for line in sockeye.stop().lines if " Connection: " in line]
        assert len(told) == 3, told
        ends = [re.escape(f"[{place.addresses[6]}]" if pair.family == 6 else place.addresses[4])
                for place in (pair.client.place, pair.server.place)]
        for kind, process, port, outcome in (("connect", pair.client, PORT, "established"),
                                             ("accept", pair.server, PORT, "established"),
                                             ("connect", pair.client, 9, "refused ERROR=ECONNREFUSED")):
            form = re.compile(f".* Connection: TYPE={kind} SRC={ends[0]}:[0-9]+ DST={ends[1]}:{port} "
                              f"PID={process.pid} COMM=[^ ]+ UID=0 OUTCOME={outcome}")
            assert sum(form.fullmatch(line) is not None for line in told) == 1, (form, told)


def test_no_answer(net):
    """A firewall that drops SYNs: each of them counts, and the end is a time-out."""
    for pair in net.tcp_pairs():
        client, server = pair.client.place, pair.server.place
        set_sysctl(client, "net/ipv4/tcp_syn_retries", 1)
        drop(server, "input", f"tcp dport {PORT}")
        before, = nstat(client, "TcpRetransSegs")
        began = time.monotonic()
        event = failed(pair, "timed out")
        expect([event]).one(outcome="timed_out", error="ETIMEDOUT")
        assert [event["syn_retransmits"]] == [nstat(client, "TcpRetransSegs")[0] - before], event
        assert 2_500_000 < event["duration_us"] < (time.monotonic() - began) * 1e6, event
        pass_all(server)


def test_no_host(net):
    """Nobody has the address: the kernel gives up looking for its link-layer address."""
    pair = net.tcp_pair()
    address = pair.address.rsplit(".", 1)[0] + ".199"
    event = failed(pair, "No route to host", address=address)
    expect([event]).one(outcome="host_unreachable", error="EHOSTUNREACH", daddr=address)


def test_no_local_port(net):
    pair = net.tcp_pair()
    set_sysctl(pair.client.place, "net/ipv4/ip_local_port_range", "40000 40000")
    sockeye = pair.watch("connections", places=[pair.client.place])
    pair.connected()
    pair.fails("Cannot assign requested address")
    events = expect(sockeye.stop())
    events.one(outcome="established", sport=40000)
    events.one(outcome="no_local_port", error="EADDRNOTAVAIL", sport=None, daddr=pair.address, dport=PORT, pid=pair.client.pid)
    events.times(2)


def test_no_local_port_for_a_socket_that_had_one(net):
    """It was refused before, and keeps the port of that attempt until it gets another."""
    for pair in net.tcp_pairs():
        set_sysctl(pair.client.place, "net/ipv4/ip_local_port_range", "40000 40001")
        sockeye = pair.watch("connections", places=[pair.client.place])
        pair.client.do(f"a = tcp({pair.address!r})")
        pair.client.fails(f"a.connect(({pair.address!r}, 9))", "Connection refused")
        ends = [pair.connected(), pair.connected()]
        pair.client.fails(f"a.connect({pair.to})", "Cannot assign requested address")
        events = expect(sockeye.stop())
        assert events.one(outcome="refused")["sport"] in (40000, 40001)
        events.one(outcome="no_local_port", error="EADDRNOTAVAIL", sport=None)
        for end in ends:
            end.reset()


def test_before_the_first_syn(net):
    """No route, a route that forbids it: nothing of that is a change of state."""
    pair = net.tcp_pair()
    pair.client.place.ip("route", "add", "prohibit", "10.66.0.0/16")
    pair.client.place.ip("route", "add", "unreachable", "10.67.0.0/16")
    cases = {"10.66.0.1": ("Permission denied", "denied", "EACCES"),
             "10.67.0.1": ("No route to host", "host_unreachable", "EHOSTUNREACH"),
             "10.68.0.1": ("Network is unreachable", "net_unreachable", "ENETUNREACH"),
             "2001:db8::68": ("Network is unreachable", "net_unreachable", "ENETUNREACH")}
    sockeye = pair.watch("connections", "--connect-errors")
    for address, (words, _, _) in cases.items():
        pair.fails(words, address=address)
    pair.client.do("import select; c = tcp('1.2.3.4'); c.setblocking(False)")
    for _ in range(2):  # refused after its SYN: told once, though connect() says it again
        pair.client.do(f"[c.connect_ex(({pair.address!r}, 9)), select.select([], [c], [], 5)][0]")
    events = expect(sockeye.stop())
    for address, (_, outcome, error) in cases.items():
        events.one(daddr=address, dport=PORT, outcome=outcome, error=error, pid=pair.client.pid)
    events.one(outcome="refused", dport=9)
    events.times(len(cases) + 1)


def under_way(pair, *words):
    """sockeye beside a client whose connect() as `c` gets no answer: whose SYN has been sent."""
    drop(pair.server.place, "input", f"tcp dport {PORT}")
    sockeye = pair.watch("connections", *words)
    pair.client.do(f"c = tcp({pair.address!r}); error = []")
    pair.client.do(f"t = threading.Thread(target=lambda: error.append(c.connect_ex({pair.to})), daemon=True); t.start()")
    wait_ss(pair.client.place, f"dport = :{PORT}", "SYN-SENT")
    return sockeye


def test_cancelled(net):
    """A program that gives up before there is an answer has not failed, and nobody has refused it."""
    for pair in net.tcp_pairs():
        drop(pair.server.place, "input", f"tcp dport {PORT}")
        sockeye = pair.watch("connections")
        pair.client.do(f"c = tcp({pair.address!r}); c.setblocking(False); c.connect_ex({pair.to})")
        wait_ss(pair.client.place, f"dport = :{PORT}", "SYN-SENT")
        pair.client.do("c.close()")
        the_only(sockeye.stop(), outcome="cancelled", pid=pair.client.pid, error=None)
        pass_all(pair.server.place)


def test_killed_in_the_handshake(net):
    pair = net.tcp_pair()
    sockeye = under_way(pair)
    pair.client.process.popen.kill()
    pair.client.process.wait()
    the_only(sockeye.stop(), outcome="cancelled", pid=pair.client.pid)


def test_ended_by_another_thread(net):
    """connect() comes back with an error of a connect that is told as cancelled by then."""
    pair = net.tcp_pair()
    sockeye = under_way(pair, "--connect-errors")
    pair.client.do("refused = []\ntry: c.shutdown(socket.SHUT_RDWR)\nexcept OSError as e: refused.append(e.errno)")
    if pair.client.do("refused") == [errno.EBUSY]:  # tcp_disconnect() of some kernels, while another thread waits
        netns.skip("this kernel lets no thread end the connect() of another")
    assert pair.client.do("(t.join(), error[0])[1]") > 0
    the_only(sockeye.stop(), outcome="cancelled", pid=pair.client.pid)


# ---- those that connect() itself refuses ----

def test_the_same_connection_twice(net):
    """From a port that bind() gave: the kernel has no other, and says so in connect() alone."""
    pair = net.tcp_pair()
    pair.listen()
    runs = [pair.watch("connections", *words, places=[pair.client.place]) for words in ([], ["--connect-errors"])]
    pair.client.do("c = [tcp('1.2.3.4') for _ in 'ab']; "
                   "[each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1) for each in c]; "
                   f"[each.bind(({pair.client.place.addresses[4]!r}, 40000)) for each in c]")
    pair.client.do(f"c[0].connect({pair.to})")
    pair.client.fails(f"c[1].connect({pair.to})", "Cannot assign requested address")
    for number, sockeye in enumerate(runs):
        events = expect(sockeye.stop())
        events.times(2, sport=40000, daddr=pair.address, dport=PORT)
        events.one(outcome="established")
        event = events.one(outcome=lambda outcome: outcome != "established")
        check_event(event)
        told = event["outcome"], event.get("error")
        assert told == ("no_local_port", "EADDRNOTAVAIL") or (number == 0 and told == ("failed", None)), event


def test_filters_before_the_first_syn(net):
    """They judge what the process asked for: its socket has no peer and is no client yet."""
    pair = net.tcp_pair()
    matching = (["--dst-ip", "10.68.0.1"], ["--dst-port", PORT], ["--peer-ip", "10.68.0.0/24"], ["--peer-port", PORT],
                ["--ip", "10.68.0.1"], ["--port", PORT], ["--direction", "out"])
    others = (["--dst-port", f"!{PORT}"], ["--dst-ip", "!10.68.0.1"], ["--direction", "in"], ["--src-port", PORT])
    runs = [(wanted, pair.watch("connections", "--connect-errors", *words))
            for wanted, group in ((1, matching), (0, others)) for words in group]
    pair.fails("Network is unreachable", address="10.68.0.1")
    for wanted, sockeye in runs:
        events = expect(sockeye.stop())
        events.times(wanted, daddr="10.68.0.1", dport=PORT, pid=pair.client.pid)
        for event in events.times(wanted):
            check_event(event)


def reject(place, how):
    """Everything for PORT is answered by ICMP until pass_all()."""
    rule = f"tcp dport {PORT} counter reject with {how}"
    done = place.run([netns.require("nft"), f"table inet lost {{ chain lost {{ type filter hook input priority 0; {rule}; }}; }}"],
                     check=False)
    if done.code != 0:
        netns.skip(f"nft rejects no packets here: {done.stderr.strip()}")


def test_an_error_that_was_taken_before(net):
    """SO_ERROR takes the error of a connect; what connect() says next is of that, and what it says then is a new failure."""
    pair = net.tcp_pair()
    reject(pair.server.place, "icmp type host-unreachable")
    sockeye = pair.watch("connections", "--connect-errors")
    pair.client.do(f"c = tcp('1.2.3.4'); c.setblocking(False); c.connect_ex({pair.to})")
    wait_ss(pair.client.place, f"dport = :{PORT}", timeout=30)
    assert pair.client.do("c.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)") == errno.EHOSTUNREACH
    assert pair.client.do(f"c.connect_ex({pair.to})") == errno.ECONNABORTED
    pair.client.place.ip("route", "add", "unreachable", f"{pair.address}/32")
    assert pair.client.do(f"c.connect_ex({pair.to})") == errno.EHOSTUNREACH
    first, second = expect(sockeye.stop()).times(2, outcome="host_unreachable", error="EHOSTUNREACH")
    assert first["duration_us"] is not None and second["duration_us"] is None, (first, second)


def test_forbidden_far_away(net):
    """A firewall on the way says so by ICMPv6: connect() has EACCES as from a rule of this host, but none has denied it."""
    pair = net.tcp_pair(6)
    reject(pair.server.place, "icmpv6 type admin-prohibited")
    expect([failed(pair, "Permission denied", ["--connect-errors"])]).one(outcome="host_unreachable", error="EACCES")


def test_mptcp_refused(net):
    """The subflow is told; the connection above it comes back with the same error, and is no second connect."""
    require_mptcp()
    for pair in net.tcp_pairs():
        sockeye = pair.watch("connections", "--connect-errors")
        pair.client.fails(f"connect({pair.address!r}, 9, {MPTCP})", "Connection refused")
        the_only(sockeye.stop(), outcome="refused", error="ECONNREFUSED", mptcp=True, pid=pair.client.pid)
