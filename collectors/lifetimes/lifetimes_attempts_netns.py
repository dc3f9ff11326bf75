# SPDX-License-Identifier: Apache-2.0
"""`lifetimes` and connections that never came about, or were never answered again. Witnesses: the processes' errors,
ss, the kernel's counters (nstat)."""
import netns
from lifetimes_tools import carried, ended, expect_each, talk
from witness import nstat, wait_ss
from workload import drop, pass_all, set_sysctl
from lifetimes_netns import Stage


def of_clients(stage):
    events = stage.stop()
    assert {event["role"] for event in events} == {"client"} and {event["netns"] for event in events} == {stage.client.inode}, events
    for event in events:
        assert event["last_state"] == "SYN_SENT" and carried(event) == (0, 0, 0, 0), event
        assert event["handshake_us"] is None and "handshake_unknown" not in event, event
        assert event["srtt_us"] is None and event["min_rtt_us"] is None, event
    return events


def test_refused(net):
    stage = Stage(net)
    for port, address in stage.each(9000):
        stage.left.fails(f"connect({address!r}, {port})", "ConnectionRefusedError")
    assert nstat(stage.client, "TcpAttemptFails") == [2]
    events = of_clients(stage)
    assert [ended(event) for event in events] == ["refused remote ECONNREFUSED -"] * 2, events
    assert [(event["segs_out"], event["retransmits"], event["syn_retransmits"]) for event in events] == [(1, 0, 0)] * 2, events


def test_unreachable(net):
    """A router says so by ICMP."""
    stage = Stage(net)
    for port, address in stage.each(9000):
        rules = (f"table inet lost {{ chain lost {{ type filter hook input priority 0; tcp dport {port} "
                 f"reject with icmpx type host-unreachable; }}; }}")
        done = stage.server.run([netns.require("nft"), rules], check=False)
        if done.code != 0:
            netns.skip(f"nft rejects no packets here: {done.stderr.strip()}")
        stage.left.fails(f"connect({address!r}, {port})", "No route to host")
        pass_all(stage.server)
    events = of_clients(stage)
    assert [ended(event) for event in events] == ["unreachable network EHOSTUNREACH -"] * 2, events


def test_no_answer(net):
    """The firewall drops SYNs: the kernel gives up, after as many more as it has counted."""
    stage = Stage(net)
    set_sysctl(stage.client, "net/ipv4/tcp_syn_retries", 1)
    for port, address in stage.each(9000):
        drop(stage.server, "input", f"tcp dport {port}")
        stage.left.fails(f"connect({address!r}, {port})", "TimeoutError", timeout=30)
        pass_all(stage.server)
    events = of_clients(stage)
    expect_each(net, events, ["syn_timed_out nobody ETIMEDOUT -"] * 2, ended)
    counted, = nstat(stage.client, "TcpRetransSegs")
    assert sum(event["retransmits"] for event in events) * 2 == counted * len(events) >= 4, (counted, events)
    for event in events:
        assert event["syn_retransmits"] == event["retransmits"] == event["segs_out"] - 1, event
        assert 2_900_000 <= event["duration_us"] <= netns.patience(6) * 1e6, event


def test_cancelled(net):
    """By close(), by a signal that ends the process, by its own time limit."""
    stage = Stage(net)
    for port, address in stage.each(9000):
        drop(stage.server, "input", f"tcp dport {port}")
        stage.left.do(f"c = tcp({address!r}); c.setblocking(False); c.connect_ex(({address!r}, {port}))")
        wait_ss(stage.client, f"dport = :{port}", "SYN-SENT")
        stage.left.do("c.close()")
        pid = stage.left.do(f"pid = child(lambda: connect({address!r}, {port}))") or stage.left.do("pid")
        wait_ss(stage.client, f"dport = :{port}", "SYN-SENT")
        stage.left.do(f"os.kill({pid}, 9); os.waitpid({pid}, 0)")
        stage.left.do(f"c = tcp({address!r}); c.settimeout(0.5)")
        stage.left.fails(f"c.connect(({address!r}, {port}))", "TimeoutError")
        stage.left.do("c.close()")
        pass_all(stage.server)
    events = of_clients(stage)
    assert [(ended(event), event.get("exit_signal")) for event in events] == [
        ("cancelled local - close", None), ("cancelled local - killed", 9), ("cancelled local - close", None)] * 2, events
    assert events[2]["duration_us"] >= 500_000, events[2]


def test_no_port_left(net):
    """connect() itself fails: no SYN is sent. A process that closes afterwards is not told again."""
    stage = Stage(net)
    set_sysctl(stage.client, "net/ipv4/ip_local_port_range", "32000 32000")
    for port, address in stage.each(9000):
        stage.right.do(f"l = listen({address!r}, {port})")
        stage.left.do(f"c = connect({address!r}, {port})")
        stage.left.fails(f"d = tcp({address!r}); d.connect(({address!r}, {port}))", "Cannot assign requested address")
        stage.left.do("d.close(); c.close()")
        stage.right.do("s, _ = l.accept(); s.close(); l.close()")
    events = [event for event in stage.stop() if event["last_state"] == "SYN_SENT"]
    assert [ended(event) for event in events] == ["failed local - close"] * 2, events
    for event in events:
        assert event["lport"] is None and (event["segs_out"], event["retransmits"]) == (0, 0), event


def test_keepalive(net):
    """Nothing is under way, and the other end is gone: two probes, a second apart."""
    stage = Stage(net)
    for port, address in stage.each(9000):
        stage.connect(address, port)
        talk(stage.left, stage.right, 10, 20)
        for option, value in (("KEEPIDLE", 1), ("KEEPINTVL", 1), ("KEEPCNT", 2)):
            stage.left.do(f"c.setsockopt(socket.IPPROTO_TCP, socket.TCP_{option}, {value})")
        drop(stage.server, "input", f"tcp dport {port}")
        stage.left.do("c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)")
        stage.left.fails("c.recv(1)", "TimeoutError", timeout=30)
        pass_all(stage.server)
        stage.right.do("reset(s)")
    events = stage.stop()
    clients = [event for event in events if event["netns"] == stage.client.inode]
    expect_each(net, clients, ["keepalive_timed_out nobody ETIMEDOUT -"] * 2, ended)
    expect_each(net, clients, [(10, 10, 20, 0)] * 2, carried)


def test_keepalive_of_a_host_that_is_gone(net):
    """The kernel of this end says that there is no route; the socket still waits for its probes."""
    stage = Stage(net)
    for port, address in stage.each(9000):
        stage.connect(address, port)
        talk(stage.left, stage.right, 10, 20)
        for option, value in (("KEEPIDLE", 1), ("KEEPINTVL", 1), ("KEEPCNT", 2)):
            stage.left.do(f"c.setsockopt(socket.IPPROTO_TCP, socket.TCP_{option}, {value})")
        stage.left.do("c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)")
        # Packets find no neighbour: the kernel answers itself, by ICMP, while the socket probes.
        family = "-6" if ":" in address else "-4"
        stage.client.ip(family, "neighbour", "flush", "dev", "veth0")
        stage.client.ip(family, "route", "add", "unreachable", address)
        stage.left.fails("c.recv(1)", "Error", timeout=30)
        stage.client.ip(family, "route", "delete", "unreachable", address)
        stage.right.do("reset(s)")
    events = [event for event in stage.stop() if event["netns"] == stage.client.inode]
    expect_each(net, events, [("keepalive_timed_out", "nobody")] * 2, lambda event: (event["end"], event["closed_by"]))
    assert {event["error"] for event in events} <= {"ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"}, events


def test_not_acknowledged(net):
    """What was sent is not acknowledged (TCP_USER_TIMEOUT); what waits for a closed window, likewise."""
    stage = Stage(net)
    for port, address in stage.each(9000):
        stage.connect(address, port)
        talk(stage.left, stage.right, 10, 20)
        stage.left.do("c.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1500)")
        drop(stage.server, "input", f"tcp dport {port}")
        stage.left.do("c.sendall(b'x' * 100)")
        stage.left.fails("c.recv(1)", "TimeoutError", timeout=30)
        pass_all(stage.server)
        stage.right.do("reset(s)")
    for port, address in stage.each(9010):
        stage.right.do(f"l = tcp({address!r}); l.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20000)")
        stage.right.do(f"l.bind(({address!r}, {port})); l.listen()")
        stage.left.do(f"c = connect({address!r}, {port}); c.setblocking(False)")
        stage.right.do("s, _ = l.accept(); l.close()")
        stage.left.do("sent = 0\ntry:\n  while True: sent += c.send(b'x' * 65536)\nexcept BlockingIOError: pass")
        netns.wait_until(lambda port=port: is_stalled(stage.client, port), "a closed window")
        drop(stage.server, "input", f"tcp dport {port}")
        stage.left.do("c.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1500); c.settimeout(30)")
        stage.left.fails("c.recv(1)", "timed out", timeout=40)
        pass_all(stage.server)
        stage.right.do("reset(s)")
    events = [event for event in stage.stop() if event["netns"] == stage.client.inode]
    expect_each(net, events, ["timed_out nobody ETIMEDOUT -"] * 2 + ["window_timed_out nobody ETIMEDOUT -"] * 2, ended)
    for event in events:
        if event["end"] == "timed_out":
            assert event["rport"] < 9010 and carried(event) == (110, 10, 20, 0) and event["retransmits"] > 0, event
            assert event["segs_out"] >= 3 + event["retransmits"], event
        else:
            assert event["rport"] > 9010 and event["bytes_written"] > event["bytes_acked"] > 0, event
            assert event["rwnd_limited_us"] > 1_000_000, event


def is_stalled(place, port):
    """Everything that the window took was acknowledged; the rest waits."""
    said = place.run([netns.require("ss"), "-Htino", f"dport = :{port}"]).stdout
    return "timer:(persist" in said
