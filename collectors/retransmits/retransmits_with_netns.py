# SPDX-License-Identifier: Apache-2.0
"""Retransmissions beside the events of `states`, in one stream; and what a recording of them shows."""
import os
import re
import time

import netns
from bpf_objects import descriptors_of
from retransmits_tools import close, connect, drop, FAMILIES, nstat, pair, pass_all, PORT, Puppet, read_all

LINE = re.compile(r"\w{3} \d\d \d{4} [\d:.]{12} State Change: SRC=(\S+):(\d+) DST=(\S+):(\d+) PID=(\d+) COMM=(\S+) STATE=(.+)")


def lossy_connections(net, sockeye_words):
    """A connection of each family whose first data is lost. (run, what it wrote, (client, server, left puppet))"""
    client, server = pair(net)
    left, right = Puppet(client), Puppet(server)
    sockeye = net.sockeye(*sockeye_words, "--netns", f"{client.inode},{server.inode}")
    for number, family in enumerate(FAMILIES, 1):
        connection = connect(left, right, server, family, PORT + family)
        drop(server, "input", f"tcp dport {PORT + family}")
        left.do("c.send(b'x' * 300)")
        netns.wait_until(lambda number=number: nstat(client, "TcpRetransSegs")[0] >= number, "a retransmission")
        pass_all(server)
        right.do(read_all("s", 300))
        close(connection)
    run = sockeye.stop()
    file = sockeye.process.stdout_file.fileno()
    return run, os.pread(file, os.fstat(file).st_size, 0), (client, server, left)


def replayed(net, *words):
    return net.host.run([netns.program_of("SOCKEYE"), "replay", *words, "--end-record"]).stdout.encode()


def test_lines_of_states(net):
    """`states --with retransmits`: lines of one form, in the order of time; replayed, and in the log, the same."""
    folder = net.folder()
    words = ("states", "--with", "retransmits", "--format", "line", "--record", folder / "recording", "--log-file",
             folder / "log")
    run, live, (client, _, left) = lossy_connections(net, words)
    lines = [line for line in run.lines if "State Change: " in line]
    again = [LINE.fullmatch(line) for line in lines if "Retransmit" in line]
    assert len(again) >= nstat(client, "TcpRetransSegs")[0] > 1, lines
    assert all(again), [line for line in lines if "Retransmit" in line]
    for family in FAMILIES:
        mine = [match for match in again if match[4] == str(PORT + family)]
        assert mine, (family, again)
        for match in mine:
            assert (match[5], match[6], match[7]) == (str(left.pid), left.comm, "Retransmit (ESTABLISHED)"), match[0]
    times = [time.strptime(line[:20], "%b %d %Y %H:%M:%S") for line in lines]
    assert times == sorted(times), lines
    assert replayed(net, folder / "recording", "--format", "line") == live
    assert (folder / "log").read_bytes() == live
    alone = replayed(net, folder / "recording", "retransmits", "--format", "line").decode()
    assert alone.count("STATE=Retransmit (ESTABLISHED)") == len(again) and "SYN_SENT" not in alone, alone


def test_one_stream_in_the_order_of_time(net):
    """`trace states,retransmits`: each collector's own lines and objects."""
    folder = net.folder()
    words = ("trace", "states,retransmits", "--record", folder / "recording")
    run, live, _ = lossy_connections(net, words)
    assert {event["event"] for event in run.events} == {"states", "retransmits"}, run.events
    times = [event["timestamp_ns"] for event in run.events if not event.get("late")]
    assert times == sorted(times)
    for event in run.events:
        if event["event"] == "retransmits":
            same = [other for other in run.events if other["event"] == "states" and other["cookie"] == event["cookie"]]
            assert same and same[0]["timestamp_ns"] < event["timestamp_ns"] < same[-1]["timestamp_ns"], (event, same)
    assert replayed(net, folder / "recording", "--json") == live
    lines = replayed(net, folder / "recording", "--format", "line").decode()
    assert " Retransmit: SRC=" in lines and "STATE=Retransmit" not in lines, lines


def replays_as_it_was(net, shown):
    folder = net.folder()
    words = ("retransmits", "--format", shown, "--record", folder / "recording")
    run, live, (client, _, _) = lossy_connections(net, words)
    assert len(run.lines) >= nstat(client, "TcpRetransSegs")[0] > 1, run.lines
    assert replayed(net, folder / "recording", "--format", shown) == live


def test_a_table_as_it_was(net):
    replays_as_it_was(net, "table")


def test_lines_as_they_were(net):
    replays_as_it_was(net, "line")


def test_what_is_not_asked_for_is_not_attached(net):
    """The hooks of `retransmits` are there with it, and only then."""
    for words, expected in ((("states",), False), (("states", "--with", "retransmits"), True)):
        sockeye = net.sockeye(*words)
        attached = "".join(descriptors_of(sockeye.process.pid))
        sockeye.stop()
        assert ("tcp_retransmit_skb" in attached) == expected, (words, attached)
