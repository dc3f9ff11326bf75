# SPDX-License-Identifier: Apache-2.0
"""`connections`: each way in which a connect fails, told once. Witnesses: what the programs were told, ss, nstat."""
import errno
import re
import time

import netns
from connections_tools import PORT, check_event, the_only, watch
from puppet import Puppet
from witness import nstat, wait_ss
from workload import drop, pass_all, require_mptcp


def failed(net, client, code, error, words=()):
    """The event of a connect that raises this error; the process it is of is the event's."""
    sockeye = watch(net, client, words=words)
    left = Puppet(client)
    left.fails(code, error)
    event = the_only(sockeye.stop())
    assert event["pid"] == left.pid, event
    return event


def test_refused(net):
    client, server = net.client_and_server()
    for number, family in enumerate((4, 6), 1):
        event = failed(net, client, f"connect({server.addresses[family]!r}, 9)", "Connection refused")
        assert (event["outcome"], event["error"], event["dport"]) == ("refused", "ECONNREFUSED", 9), event
        assert nstat(client, "TcpAttemptFails") == [number]


def test_refused_on_loopback(net):
    """The answer comes while connect() still holds the socket."""
    place = net.namespace("one")
    for address in ("127.0.0.1", "::1"):
        event = failed(net, place, f"connect({address!r}, 9)", "Connection refused")
        assert (event["outcome"], event["error"], event["daddr"]) == ("refused", "ECONNREFUSED", address), event
        assert event["sport"] and event["duration_us"] is not None, event


def test_a_line_leaves_out_what_does_not_apply(net):
    """A connection that is fine has no error and no translation, one that failed has the error."""
    place = net.namespace("one")
    for address, shown in (("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")):
        sockeye = watch(net, place, words=("--format", "line"))
        left = Puppet(place)
        left.do(f"l = listen({address!r}, {PORT}); c = connect({address!r}, {PORT}); s, _ = l.accept()")
        left.fails(f"connect({address!r}, 9)", "Connection refused")
        told = [re.sub(" CONTAINER=[^ ]+$", "", line) for line in sockeye.stop().lines if " Connection: " in line]
        assert len(told) == 3, told
        for kind, port, outcome in (("connect", PORT, "established"), ("accept", PORT, "established"),
                                    ("connect", 9, "refused ERROR=ECONNREFUSED")):
            form = re.compile(f".* Connection: TYPE={kind} SRC={re.escape(shown)}:[0-9]+ DST={re.escape(shown)}:{port} "
                              f"PID={left.pid} COMM=[^ ]+ UID=0 OUTCOME={outcome}")
            assert sum(form.fullmatch(line) is not None for line in told) == 1, (form, told)
        left.do("s.close(); c.close(); l.close()")


def test_no_answer(net):
    """A firewall that drops SYNs: each of them counts, and the end is a time-out."""
    client, server = net.client_and_server()
    client.run(["sysctl", "-qw", "net.ipv4.tcp_syn_retries=1"])
    drop(server, "input", f"tcp dport {PORT}")
    for family in (4, 6):
        before, = nstat(client, "TcpRetransSegs")
        began = time.monotonic()
        event = failed(net, client, f"connect({server.addresses[family]!r}, {PORT})", "timed out")
        assert (event["outcome"], event["error"]) == ("timed_out", "ETIMEDOUT"), event
        assert [event["syn_retransmits"]] == [nstat(client, "TcpRetransSegs")[0] - before], event
        assert 2_500_000 < event["duration_us"] < (time.monotonic() - began) * 1e6, event
    pass_all(server)


def test_no_host(net):
    """Nobody has the address: the kernel gives up looking for its link-layer address."""
    client, server = net.client_and_server()
    address = server.addresses[4].rsplit(".", 1)[0] + ".199"
    event = failed(net, client, f"connect({address!r}, {PORT})", "No route to host")
    assert (event["outcome"], event["error"], event["daddr"]) == ("host_unreachable", "EHOSTUNREACH", address), event


def test_no_local_port(net):
    client, server = net.client_and_server()
    client.run(["sysctl", "-qw", "net.ipv4.ip_local_port_range=40000 40000"])
    Puppet(server).do(f"l = listen({server.addresses[4]!r}, {PORT})")
    sockeye = watch(net, client)
    left = Puppet(client)
    left.do(f"c = connect({server.addresses[4]!r}, {PORT})")
    left.fails(f"connect({server.addresses[4]!r}, {PORT})", "Cannot assign requested address")
    first, second = sockeye.stop().events
    assert first["outcome"] == "established" and first["sport"] == 40000, first
    assert (second["outcome"], second["error"], second["sport"]) == ("no_local_port", "EADDRNOTAVAIL", None), second
    assert (second["daddr"], second["dport"], second["pid"]) == (server.addresses[4], PORT, left.pid), second


def test_no_local_port_for_a_socket_that_had_one(net):
    """It was refused before, and keeps the port of that attempt until it gets another."""
    client, server = net.client_and_server()
    client.run(["sysctl", "-qw", "net.ipv4.ip_local_port_range=40000 40001"])
    for family in (4, 6):
        Puppet(server).do(f"l = listen({server.addresses[family]!r}, {PORT})")
        sockeye = watch(net, client)
        left = Puppet(client)
        left.do(f"a = tcp({server.addresses[family]!r})")
        left.fails(f"a.connect(({server.addresses[family]!r}, 9))", "Connection refused")
        left.do(f"c = [connect({server.addresses[family]!r}, {PORT}) for _ in range(2)]")
        left.fails(f"a.connect(({server.addresses[family]!r}, {PORT}))", "Cannot assign requested address")
        refused, *_, last = sockeye.stop().events
        assert refused["outcome"] == "refused" and refused["sport"] in (40000, 40001), refused
        assert (last["outcome"], last["error"], last["sport"]) == ("no_local_port", "EADDRNOTAVAIL", None), last
        left.do("[reset(each) for each in c] and None")


def test_before_the_first_syn(net):
    """No route, a route that forbids it: nothing of that is a change of state."""
    client, server = net.client_and_server()
    client.run([netns.require("ip"), "route", "add", "prohibit", "10.66.0.0/16"])
    client.run([netns.require("ip"), "route", "add", "unreachable", "10.67.0.0/16"])
    cases = {"10.66.0.1": ("Permission denied", "denied", "EACCES"),
             "10.67.0.1": ("No route to host", "host_unreachable", "EHOSTUNREACH"),
             "10.68.0.1": ("Network is unreachable", "net_unreachable", "ENETUNREACH"),
             "2001:db8::68": ("Network is unreachable", "net_unreachable", "ENETUNREACH")}
    sockeye = watch(net, client, words=["--connect-errors"])
    left = Puppet(client)
    for address, (words, _, _) in cases.items():
        left.fails(f"connect({address!r}, {PORT})", words)
    left.do("import select; c = tcp('1.2.3.4'); c.setblocking(False)")
    for _ in range(2):  # refused after its SYN: told once, though connect() says it again
        left.do(f"[c.connect_ex(({server.addresses[4]!r}, 9)), select.select([], [c], [], 5)][0]")
    events = sockeye.stop().events
    refused = events.pop()
    assert refused["outcome"] == "refused" and refused["dport"] == 9, refused
    assert [(event["daddr"], event["dport"], event["outcome"], event["error"], event["pid"]) for event in events] == [
        (address, PORT, outcome, error, left.pid) for address, (_, outcome, error) in cases.items()], events


def test_cancelled(net):
    """A program that gives up before there is an answer has not failed, and nobody has refused it."""
    client, server = net.client_and_server()
    drop(server, "input", f"tcp dport {PORT}")
    for family in (4, 6):
        sockeye = watch(net, client)
        left = Puppet(client)
        left.do(f"c = tcp({server.addresses[family]!r}); c.setblocking(False)")
        left.do(f"c.connect_ex(({server.addresses[family]!r}, {PORT}))")
        wait_ss(client, f"dport = :{PORT}", "SYN-SENT")
        left.do("c.close()")
        event = the_only(sockeye.stop())
        assert (event["outcome"], event["pid"], "error" in event) == ("cancelled", left.pid, False), event
    pass_all(server)


def test_killed_in_the_handshake(net):
    client, server = net.client_and_server()
    drop(server, "input", f"tcp dport {PORT}")
    sockeye = watch(net, client)
    left = Puppet(client)
    left.start(f"c = connect({server.addresses[4]!r}, {PORT})")
    wait_ss(client, f"dport = :{PORT}", "SYN-SENT")
    left.process.popen.kill()
    left.process.wait()
    event = the_only(sockeye.stop())
    assert (event["outcome"], event["pid"]) == ("cancelled", left.pid), event
    pass_all(server)


def test_ended_by_another_thread(net):
    """connect() comes back with an error of a connect that is told as cancelled by then."""
    client, server = net.client_and_server()
    drop(server, "input", f"tcp dport {PORT}")
    sockeye = watch(net, client, words=["--connect-errors"])
    left = Puppet(client)
    left.do("c = tcp('1.2.3.4'); error = []")
    left.do(f"t = threading.Thread(target=lambda: error.append(c.connect_ex(({server.addresses[4]!r}, {PORT})))); t.start()")
    wait_ss(client, f"dport = :{PORT}", "SYN-SENT")
    left.do("refused = []\ntry: c.shutdown(socket.SHUT_RDWR)\nexcept OSError as e: refused.append(e.errno)")
    if left.do("refused") == [errno.EBUSY]:  # tcp_disconnect() of some kernels, while another thread waits
        netns.skip("this kernel lets no thread end the connect() of another")
    assert left.do("(t.join(), error[0])[1]") > 0
    event = the_only(sockeye.stop())
    assert (event["outcome"], event["pid"]) == ("cancelled", left.pid), event
    pass_all(server)


# ---- those that connect() itself refuses ----

def test_the_same_connection_twice(net):
    """From a port that bind() gave: the kernel has no other, and says so in connect() alone."""
    client, server = net.client_and_server()
    Puppet(server).do(f"l = listen({server.addresses[4]!r}, {PORT})")
    runs = [watch(net, client, words=words) for words in ([], ["--connect-errors"])]
    left = Puppet(client)
    left.do("c = [tcp('1.2.3.4') for _ in 'ab']; "
            "[each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1) for each in c]; "
            f"[each.bind(({client.addresses[4]!r}, 40000)) for each in c]")
    left.do(f"c[0].connect(({server.addresses[4]!r}, {PORT}))")
    left.fails(f"c[1].connect(({server.addresses[4]!r}, {PORT}))", "Cannot assign requested address")
    for number, sockeye in enumerate(runs):
        events = sockeye.stop().events
        assert [event["outcome"] for event in events[:1]] == ["established"] and len(events) == 2, events
        check_event(events[1])
        assert (events[1]["sport"], events[1]["daddr"], events[1]["dport"]) == (40000, server.addresses[4], PORT), events[1]
        told = events[1]["outcome"], events[1].get("error")
        assert told == ("no_local_port", "EADDRNOTAVAIL") or (number == 0 and told == ("failed", None)), events[1]


def test_filters_before_the_first_syn(net):
    """They judge what the process asked for: its socket has no peer and is no client yet."""
    client, _ = net.client_and_server()
    matching = (["--dst-ip", "10.68.0.1"], ["--dst-port", PORT], ["--peer-ip", "10.68.0.0/24"], ["--peer-port", PORT],
                ["--ip", "10.68.0.1"], ["--port", PORT], ["--direction", "out"])
    others = (["--dst-port", f"!{PORT}"], ["--dst-ip", "!10.68.0.1"], ["--direction", "in"], ["--src-port", PORT])
    runs = [(wanted, words, watch(net, client, words=["--connect-errors", *words]))
            for wanted, group in ((1, matching), (0, others)) for words in group]
    left = Puppet(client)
    left.fails(f"connect('10.68.0.1', {PORT})", "Network is unreachable")
    for wanted, words, sockeye in runs:
        events = sockeye.stop().events
        assert len(events) == wanted, (words, events)
        for event in events:
            check_event(event)
            assert (event["daddr"], event["dport"], event["pid"]) == ("10.68.0.1", PORT, left.pid), event


def reject(place, how):
    """Everything for PORT is answered by ICMP until pass_all()."""
    rule = f"tcp dport {PORT} counter reject with {how}"
    done = place.run([netns.require("nft"), f"table inet lost {{ chain lost {{ type filter hook input priority 0; {rule}; }}; }}"],
                     check=False)
    if done.code != 0:
        netns.skip(f"nft rejects no packets here: {done.stderr.strip()}")


def test_an_error_that_was_taken_before(net):
    """SO_ERROR takes the error of a connect; what connect() says next is of that, and what it says then is a new failure."""
    client, server = net.client_and_server()
    reject(server, "icmp type host-unreachable")
    address = server.addresses[4]
    sockeye = watch(net, client, words=["--connect-errors"])
    left = Puppet(client)
    left.do("c = tcp('1.2.3.4'); c.setblocking(False)")
    left.do(f"c.connect_ex(({address!r}, {PORT}))")
    wait_ss(client, f"dport = :{PORT}", timeout=30)
    assert left.do("c.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)") == 113  # EHOSTUNREACH
    got = left.do(f"c.connect_ex(({address!r}, {PORT}))"); assert got == 103, got
    client.ip("route", "add", "unreachable", f"{address}/32")
    assert left.do(f"c.connect_ex(({address!r}, {PORT}))") == 113
    events = sockeye.stop().events
    assert [(event["outcome"], event["error"], event["duration_us"] is None) for event in events] == [
        ("host_unreachable", "EHOSTUNREACH", False), ("host_unreachable", "EHOSTUNREACH", True)], events
    pass_all(server)


def test_forbidden_far_away(net):
    """A firewall on the way says so by ICMPv6: connect() has EACCES as from a rule of this host, but none has denied it."""
    client, server = net.client_and_server()
    reject(server, "icmpv6 type admin-prohibited")
    event = failed(net, client, f"connect({server.addresses[6]!r}, {PORT})", "Permission denied", ["--connect-errors"])
    assert (event["outcome"], event["error"]) == ("host_unreachable", "EACCES"), event
    pass_all(server)


def test_mptcp_refused(net):
    """The subflow is told; the connection above it comes back with the same error, and is no second connect."""
    require_mptcp()
    client, server = net.client_and_server()
    for family in (4, 6):
        event = failed(net, client, f"connect({server.addresses[family]!r}, 9, 262)", "Connection refused", ["--connect-errors"])
        assert (event["outcome"], event["error"], event["mptcp"]) == ("refused", "ECONNREFUSED", True), event
