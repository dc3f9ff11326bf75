# SPDX-License-Identifier: Apache-2.0
"""The figures of `lifetimes` beside those of `ss -ti`, and of sockets that are older than the run."""
import errno
import re
import time

import netns
from lifetimes_tools import carried, connected, ended, both_ends, lives_of, settle, talk, wait_for_reset
from puppet import Puppet
from scenario import watch
from states_tools import linked_by_threads
from witness import wait_ss
from workload import drop, pass_all
from lifetimes_netns import Stage

FIGURES = {"rtt": r"\brtt:([\d.]+)/([\d.]+)", "minrtt": r"\bminrtt:([\d.]+)", "retrans": r"\bretrans:\d+/(\d+)",
           "bytes_acked": r"\bbytes_acked:(\d+)", "bytes_received": r"\bbytes_received:(\d+)",
           "segs_out": r"\bsegs_out:(\d+)", "segs_in": r"\bsegs_in:(\d+)", "busy": r"\bbusy:(\d+)ms",
           "rwnd_limited": r"\brwnd_limited:(\d+)ms", "sndbuf_limited": r"\bsndbuf_limited:(\d+)ms"}


def figures(place, condition):
    """What ss has of the only socket: numbers by name, 0 where ss leaves one out."""
    text = place.run([netns.require("ss"), "-Htin", condition]).stdout
    found = {name: re.search(pattern, text) for name, pattern in FIGURES.items()}
    return {name: [float(group) for group in match.groups()] if match else [0.0] for name, match in found.items()}


def check_figures(event, said, syn):
    """`syn`: 1 on a client, whose bytes_acked has the SYN in ss."""
    round_trips = tuple(int(value * 1000 + 0.5) for value in said["rtt"])
    assert (event["srtt_us"], event["rttvar_us"]) == round_trips, (event, said)
    assert event["min_rtt_us"] == int(said["minrtt"][0] * 1000 + 0.5), (event, said)
    assert event["retransmits"] == said["retrans"][0], (event, said)
    assert event["bytes_acked"] == max(0, said["bytes_acked"][0] - syn), (event, said)
    assert event["bytes_received"] == said["bytes_received"][0], (event, said)
    assert (event["segs_out"], event["segs_in"]) == (said["segs_out"][0], said["segs_in"][0]), (event, said)
    for name in ("rwnd_limited", "sndbuf_limited", "busy"):
        assert event[f"{name}_us"] // 1000 >= said[name][0], (name, event, said)


def test_as_ss_shows_them(net):
    """Asked right before a reset, after which nothing changes any more."""
    stage = Stage(net)
    said = {}
    for port, address in stage.each(9000):
        stage.connect(address, port)
        for _ in range(5):
            talk(stage.left, stage.right, 100_000, 200_000)
        drop(stage.server, "input", f"tcp dport {port}")
        stage.left.do("c.sendall(b'x' * 10)")
        netns.wait_until(lambda: figures(stage.client, f"dport = :{port}")["retrans"][0] > 0, "a retransmission")
        pass_all(stage.server)
        assert stage.right.do("len(s.recv(100))") == 10
        stage.left.wait_acknowledged("c")
        said[port] = figures(stage.client, f"dport = :{port}"), figures(stage.server, f"sport = :{port}")
        stage.left.do("reset(c)")
        wait_for_reset(stage.right, errno.ECONNRESET)
        stage.right.do("s.close()")
    events = stage.stop()
    for port in stage.ports:
        client, server = both_ends(events, port)
        check_figures(client, said[port][0], syn=1)
        said[port][1]["segs_in"][0] += 1  # the RST
        check_figures(server, said[port][1], syn=0)


def test_stalled_by_the_peers_window(net):
    """The reader does not read, for a second."""
    stage = Stage(net)
    said = {}
    for port, address in stage.each(9000):
        stage.right.do(f"l = tcp({address!r}); l.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20000)")
        stage.right.do(f"l.bind(({address!r}, {port})); l.listen()")
        stage.left.do(f"c = connect({address!r}, {port}); c.settimeout(1)")
        stage.right.do("s, _ = l.accept(); l.close()")
        stage.left.fails("c.sendall(b'x' * 20_000_000)", "timed out")
        said[port] = figures(stage.client, f"dport = :{port}")
        stage.left.do("reset(c)")
        wait_for_reset(stage.right, errno.ECONNRESET)
        stage.right.do("s.close()")
    events = stage.stop()
    for port in stage.ports:
        client, server = both_ends(events, port)
        for name in ("busy", "rwnd_limited", "sndbuf_limited"):
            assert client[f"{name}_us"] // 1000 >= said[port][name][0], (name, client, said[port])
        assert client["rwnd_limited_us"] >= 800_000, client
        assert client["bytes_written"] > client["bytes_acked"] == server["bytes_received"], (client, server)
        assert server["bytes_unread"] == server["bytes_received"], server


def keep_open(left, right, server, ports):
    """Connections to these ports, whose last digit is the family, in both puppets' `kept`."""
    left.do("kept = []")
    right.do("kept = []")
    for port in ports:
        connected(left, right, server.addresses[port % 10], port)
        talk(left, right, 1000, 2000)
        left.do("kept.append(c)")
        right.do("kept.append(s)")


def test_older_than_the_run(net):
    """Bytes are whole, and right though nobody has seen which end connected; durations count from the start."""
    client, server = linked_by_threads(net)
    left, right = Puppet(client), Puppet(server)
    ports = [9004, 9006, 9014, 9016, 9024, 9026]
    keep_open(left, right, server, ports)
    for number in (4, 5):  # half closed before the start
        left.do(f"kept[{number}].shutdown(socket.SHUT_WR)")
        wait_ss(server, f"sport = :{ports[number]}", "CLOSE-WAIT")
    began = time.monotonic()
    sockeye = watch(net, "lifetimes", client, server)
    ready = time.monotonic()
    for number, port in enumerate(ports):
        left.do(f"c = kept[{number}]")
        right.do(f"s = kept[{number}]")
        if number < 4:
            talk(left, right, 10, 20)
    for number in (0, 1):
        left.do(f"kept[{number}].close()")
        wait_ss(server, f"sport = :{ports[number]}", "CLOSE-WAIT")
        right.do(f"kept[{number}].close()")
    for number in (2, 3):
        right.do(f"kept[{number}].sendall(b'unread')")
        netns.wait_until(lambda port=ports[number]: client.run(
            ["ss", "-Htn", f"dport = :{port}"]).stdout.split()[1:2] == ["6"], "data that wait")
        left.do(f"kept[{number}].close()")
        right.do(f"kept[{number}].close()")
    before_last = time.monotonic()
    for number in (4, 5):
        right.do(f"kept[{number}].close()")
        left.do(f"kept[{number}].close()")
    for port in ports:
        settle(client, port)
        settle(server, port)
    ended_at = time.monotonic()
    events = lives_of(sockeye.stop(), client, server)
    assert len(events) == 12, events
    for number, port in enumerate(ports):
        of_client, of_server = both_ends(events, port)
        for event, role in ((of_client, "client"), (of_server, "server")):
            assert event["since_start"] and event["owner_source"] in ("snapshot", "use"), event
            assert event["duration_us"] <= (ended_at - began) * 1e6 and event["syn_retransmits"] is None, event
            assert event["role"] == role and event["handshake_unknown"] == "before_start", event
        to_client = 2020 + 6 * (number in (2, 3)) if number < 4 else 2000
        to_server = 1010 if number < 4 else 1000
        assert carried(of_client) == (to_server, to_server, to_client, 6 * (number in (2, 3))), of_client
        assert carried(of_server) == (to_client, to_client, to_server, 0), of_server
        if number < 2:
            assert ended(of_client) == "closed local - close" and ended(of_server) == "closed remote - close", events
        elif number < 4:
            assert ended(of_client) == "reset_sent local - close" and of_server["end"] == "reset_received", events
        else:
            assert of_client["closed_by"] == "local" and of_server["closed_by"] == "remote", (of_client, of_server)
        if number >= 4:
            assert of_server["duration_us"] >= (before_last - ready) * 1e6, of_server


def test_an_attempt_older_than_the_run(net):
    """A SYN that nobody answers, and one that is answered once sockeye runs."""
    client, server = linked_by_threads(net)
    left, right = Puppet(client), Puppet(server)
    drop(server, "input", "tcp dport 9000-9999")
    for port, family in ((9004, 4), (9006, 6)):
        address = server.addresses[family]
        for number in (0, 1):
            left.do(f"c{family}{number} = tcp({address!r}); c{family}{number}.setblocking(False)")
            left.do(f"c{family}{number}.connect_ex(({address!r}, {port + 10 * number}))")
            wait_ss(client, f"dport = :{port + 10 * number}", "SYN-SENT")
    sockeye = watch(net, "lifetimes", client, server)
    for port, family in ((9004, 4), (9006, 6)):
        left.do(f"c{family}0.close()")
        right.do(f"l{family} = listen({server.addresses[family]!r}, {port + 10})")
    pass_all(server)
    for port, family in ((9004, 4), (9006, 6)):
        right.do(f"s, _ = l{family}.accept(); l{family}.close(); s.sendall(b'abc')", timeout=30)
        left.do(f"c{family}1.setblocking(True); c{family}1.recv(3); c{family}1.close()")
        right.do("s.recv(1); s.close()")
        for place in (client, server):
            settle(place, port + 10)
    events = lives_of(sockeye.stop(), client, server)
    assert len(events) == 6, events
    for port in (9004, 9006):
        cancelled, = [event for event in events if event["rport"] == port]
        assert ended(cancelled) == "cancelled local - close" and cancelled["since_start"], cancelled
        of_client, of_server = both_ends(events, port + 10)
        assert of_client["since_start"] and of_client["handshake_unknown"] == "before_start", of_client
        assert carried(of_client) == (0, 0, 3, 0) and carried(of_server) == (3, 3, 0, 0), (of_client, of_server)
        assert of_client["syn_retransmits"] >= 1, of_client
