# SPDX-License-Identifier: Apache-2.0
"""`lifetimes` as a stream: filters, beside another collector, and again out of a recording."""
import os

import netns
from lifetimes_tools import check, settle, talk, watch
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
    sockeye = watch(net, client_place, server_place, words=(
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


def ends(row):
    return row["netns"], row["laddr"], row["lport"], row["raddr"], row["rport"]


def test_filters(net):
    """Exactly the records that match; those of a run without filters are sorted out here."""
    stage = Stage(net)
    places = ("--netns", f"{stage.client.inode},{stage.server.inode}")
    wanted = {
        ("--dst-port", "9004"): lambda row: row["rport"] == 9004,
        ("-6", "--direction", "out"): lambda row: row["family"] == "ipv6" and row["role"] == "client",
        ("--pid", str(stage.right.pid)): lambda row: row["pid"] == stage.right.pid,
        ("--comm", "!" + stage.left.comm, "--port", "9000-9009"): lambda row: False,
    }
    runs = {words: net.sockeye("lifetimes", *places, *words) for words in wanted}
    for first in (9000, 9010):
        for port, address in stage.each(first):
            stage.connect(address, port)
            talk(stage.left, stage.right, 10, 20)
            stage.left.do("c.close()")
            assert stage.right.do("len(s.recv(1))") == 0
            stage.right.do("s.close()")
    rows = stage.stop()
    assert len(rows) == 8, rows
    for words, passes in wanted.items():
        shown = {ends(row) for row in runs[words].stop().events}  # 5.10 has no cookies: each run has its own
        assert shown == {ends(row) for row in rows if passes(row)}, (words, shown)


def test_beside_states(net):
    """One stream, ordered by time. The record comes with the row into CLOSE, and counts from the first."""
    client_place, server_place = linked_by_threads(net)
    places = ("--netns", f"{client_place.inode},{server_place.inode}")
    sockeye = net.sockeye("trace", "states,lifetimes", *places, *ROOM)
    run_load(client_place, server_place, server_place.addresses[4], 500)
    settle(client_place, PORT)
    events = sockeye.stop().events
    times = [row["timestamp_ns"] for row in events if "late" not in row]
    assert times == sorted(times), "out of order"
    lives = {row["cookie"]: row for row in events if row["event"] == "lifetimes"}
    sockets = by_socket([row for row in events if row["event"] == "states"])
    assert len(lives) == len(sockets) == 1000, (len(lives), len(sockets))
    for rows in sockets:
        record = lives[rows[0]["cookie"]]
        check(record)
        assert record["last_state"] == rows[-1]["old_state"], (life(rows), record)
        assert record["timestamp_ns"] == rows[-1]["timestamp_ns"], (rows[-1], record)
        took_us = (rows[-1]["timestamp_ns"] - rows[0]["timestamp_ns"]) // 1000
        assert record["duration_us"] == took_us, (life(rows), record)
        assert record["pid"] == rows[-1]["pid"], (rows, record)
