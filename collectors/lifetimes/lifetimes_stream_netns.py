# SPDX-License-Identifier: Apache-2.0
"""`lifetimes` as a stream: filters, beside another collector, and again out of a recording."""
import os

import netns
from lifetimes_tools import check, settle, talk
from scenario import watch
from states_tools import by_socket, life, linked_by_threads, ROOM
from workload import run_load
from lifetimes_netns import Stage
from states_replay_netns import check_same, replay_in_jail

PORT = 7000
CONNECTIONS = netns.scaled(2000)


def replays_as_it_was(net, shown):
    """One run, shown in this format, with lines in its log file: both again out of the recording."""
    client_place, server_place = linked_by_threads(net)
    folder = net.folder()
    sockeye = watch(net, "lifetimes", client_place, server_place, words=(
        "--format", shown, "--log-file", folder / "log", "--record", folder / "recording", *ROOM))
    for family in (4, 6):
        run_load(client_place, server_place, server_place.addresses[family], CONNECTIONS)
    settle(client_place, PORT)
    sockeye.process.stop(2)
    file = sockeye.process.stdout_file.fileno()
    live = os.pread(file, os.fstat(file).st_size, 0)
    assert live.count(b"\n") >= 4 * CONNECTIONS, live.count(b"\n")
    recording = folder / "recording"
    check_same(live, replay_in_jail(net, recording, "--format", shown, "--end-record"))
    check_same((folder / "log").read_bytes(), replay_in_jail(net, recording, "--format", "line", "--end-record"))


def test_lines_as_they_were(net):
    replays_as_it_was(net, "line")


def test_a_table_as_it_was(net):
    replays_as_it_was(net, "table")


def test_json_as_it_was(net):
    replays_as_it_was(net, "json")


def ends(event):
    return event["netns"], event["laddr"], event["lport"], event["raddr"], event["rport"]


def test_filters(net):
    """Exactly the events that match; those of a run without filters are sorted out here."""
    stage = Stage(net)
    places = ("--netns", f"{stage.client.inode},{stage.server.inode}")
    wanted = {
        ("--dst-port", "9004"): lambda event: event["rport"] == 9004,
        ("-6", "--direction", "out"): lambda event: event["family"] == "ipv6" and event["role"] == "client",
        ("--pid", str(stage.right.pid)): lambda event: event["pid"] == stage.right.pid,
        ("--comm", "!" + stage.left.comm, "--port", "9000-9009"): lambda event: False,
    }
    runs = {words: net.sockeye("lifetimes", *places, *words) for words in wanted}
    for first in (9000, 9010):
        for port, address in stage.each(first):
            stage.connect(address, port)
            talk(stage.left, stage.right, 10, 20)
            stage.left.do("c.close()")
            assert stage.right.do("len(s.recv(1))") == 0
            stage.right.do("s.close()")
    events = stage.stop()
    assert len(events) == 8, events
    for words, passes in wanted.items():
        shown = {ends(event) for event in runs[words].stop().events}  # 5.10 has no cookies: each run has its own
        assert shown == {ends(event) for event in events if passes(event)}, (words, shown)


def test_beside_states(net):
    """One stream, ordered by time. A connection's event comes with its transition into CLOSE, and counts from the first one."""
    client_place, server_place = linked_by_threads(net)
    places = ("--netns", f"{client_place.inode},{server_place.inode}")
    sockeye = net.sockeye("trace", "states,lifetimes", *places, *ROOM)
    run_load(client_place, server_place, server_place.addresses[4], 500)
    settle(client_place, PORT)
    events = sockeye.stop().events
    times = [event["timestamp_ns"] for event in events if "late" not in event]
    assert times == sorted(times), "out of order"
    lives = {event["cookie"]: event for event in events if event["event"] == "lifetimes"}
    sockets = by_socket([event for event in events if event["event"] == "states"])
    assert len(lives) == len(sockets) == 1000, (len(lives), len(sockets))
    for transitions in sockets:
        first, last = transitions[0], transitions[-1]
        one = lives[first["cookie"]]
        check(one)
        assert one["last_state"] == last["old_state"], (life(transitions), one)
        assert one["timestamp_ns"] == last["timestamp_ns"], (last, one)
        took_us = (last["timestamp_ns"] - first["timestamp_ns"]) // 1000
        assert one["duration_us"] == took_us, (life(transitions), one)
        assert one["pid"] == last["pid"], (transitions, one)
