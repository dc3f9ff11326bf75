# SPDX-License-Identifier: Apache-2.0
"""`retransmits --totals`: what is counted in the kernel is what the stream tells one by one, and what nstat says."""
import collections
import os

import netns
from bpf_objects import ids_of, in_kernel
from retransmits_tools import FAMILIES, Puppet, TYPES, close, connect, counted, nstat, of, pair, pass_all, PORT, transfer
from scenario import watch
from workload import lose

BYTES = 300_000


def start_totals(net, places, *words):
    return watch(net, "retransmits", *places, words=words or ("--totals",))


def lossy_transfers(server, lefts, right, times=1):
    """Two connections of each puppet, one of each family, that lose packets as long as data goes over."""
    for _ in range(times):
        for number, left in enumerate(lefts):
            for family in FAMILIES:
                connection = connect(left, right, server, family, PORT + 10 * number + family)
                lose(server, 10)
                transfer(connection, BYTES)
                pass_all(server)
                close(connection)


def add_up(rows, key, value="segments"):
    sums = collections.Counter()
    for row in rows:
        sums[key(row)] += row[value]
    return sums


def socket_of(row):
    """Not its cookie: 5.10 has none, and each run its own in its place."""
    return row["laddr"], row["lport"], row["raddr"], row["rport"], row["pid"]


def transition(event):
    return event["cookie"], event["old_state"], event["new_state"]


def check_event(row):
    assert row["event"] == "retransmit_totals" and row["interval_us"] > 0, row
    assert sum(row[kind] for kind in TYPES) == row["segments"] > 0, row
    assert row["failed"] <= row["segments"], row


def test_the_same_as_the_stream(net):
    """By connection and by process, beside a stream of everything."""
    client, server = pair(net)
    right, lefts = Puppet(server), [Puppet(client), Puppet(client)]
    stream = watch(net, "retransmits", client, server, words=("--ring-size", "16M"))
    by_connection = start_totals(net, (client, server))
    by_process = start_totals(net, (client, server), "--by", "process")
    lossy_transfers(server, lefts, right)
    rows = stream.stop().events
    connections = by_connection.stop().events
    processes = by_process.stop().events
    for row in connections + processes:
        check_event(row)
    assert sum(row["segments"] for row in of(rows, client)) == counted(client), counted(client)
    assert len(of(connections, client)) == 2 * len(lefts), connections
    for value in ("segments", "bytes"):
        assert add_up(connections, socket_of, value) == add_up(rows, socket_of, value), value
        assert add_up(processes, lambda row: row["pid"], value) == add_up(rows, lambda row: row["pid"], value), value
    for kind in TYPES:
        of_kind = [row for row in rows if row["type"] == kind]
        assert sum(row[kind] for row in connections) == sum(row["segments"] for row in of_kind), kind
    for told in (connections, processes):
        ranks = [row["segments"] for row in told]
        assert ranks == sorted(ranks, reverse=True), ranks
    for row in processes:
        assert row["laddr"] is None and row["cookie"] is None and row["comm"], row
    assert {left.pid for left in lefts} <= {row["pid"] for row in processes}, processes


def test_each_interval(net):
    """What was counted in one interval is not in the next; nothing is lost at the seam."""
    client, server = pair(net)
    right, lefts = Puppet(server), [Puppet(client)]
    stream = watch(net, "retransmits", client, server, words=("--ring-size", "16M"))
    totals = start_totals(net, (client, server), "--interval", "1s")
    both = start_totals(net, (client, server), "--interval", "1s", "--totals")
    lossy_transfers(server, lefts, right, times=2)
    first = totals.wait_for(lambda row: row["event"] == "retransmit_totals")
    both.wait_for(lambda row: row["event"] == "retransmit_totals")  # so that the run is longer than an interval
    lossy_transfers(server, lefts, right)
    rows = stream.stop().events
    told = totals.stop().events
    for row in told:
        check_event(row)
    assert len({row["timestamp_ns"] for row in told}) > 1, told
    assert first["interval_us"] >= 1_000_000, first
    assert add_up(told, socket_of) == add_up(rows, socket_of), told
    with_totals = both.stop().events
    whole = [row for row in with_totals if row["interval_us"] == max(each["interval_us"] for each in with_totals)]
    assert add_up(whole, socket_of) == add_up(rows, socket_of), with_totals
    assert add_up(with_totals, socket_of) == add_up(rows * 2, socket_of), with_totals


def test_beside_events(net):
    """Events of one collector and rows of another in one run: each as its own run has them, in order of time, also in replay."""
    client, server = pair(net)
    right, lefts = Puppet(server), [Puppet(client)]
    where = "--netns", f"{client.inode},{server.inode}", "--ring-size", "16M"
    streams = {name: net.sockeye(name, *where) for name in ("states", "retransmits")}
    recording = net.folder() / "recording"
    beside = [net.sockeye("trace", "states,retransmits", "--totals", *where, "--record", recording),
              net.sockeye("trace", "retransmit_totals,states", "--interval", "1s", *where)]
    lossy_transfers(server, lefts, right, times=2)
    alone = {name: stream.stop().events for name, stream in streams.items()}
    runs = [run.stop() for run in beside]
    for run in runs:
        rows = [event for event in run.events if event["event"] == "retransmit_totals"]
        states = [event for event in run.events if event["event"] == "states"]
        assert len(rows) + len(states) == len(run.events) and rows, run.events
        assert add_up(rows, socket_of) == add_up(alone["retransmits"], socket_of), rows
        assert collections.Counter(map(transition, states)) == collections.Counter(map(transition, alone["states"]))
        times = [event["timestamp_ns"] for event in run.events]
        assert times == sorted(times) and run.end["late"] == 0, run.end
    replayed = net.host.run([netns.program_of("SOCKEYE"), "replay", recording, "--json"]).stdout
    assert netns.parse_lines(replayed.splitlines()) == runs[0].events


def test_by_container(net):
    """Processes of no container, as one group; what is replayed is what was shown."""
    client, server = pair(net)
    folder = net.folder()
    right, lefts = Puppet(server), [Puppet(client), Puppet(client)]
    for shown in ("table", "line", "json"):
        recording = folder / shown
        before = sum(nstat(place, "TcpRetransSegs")[0] for place in (client, server))
        totals = start_totals(net, (client, server), "--by", "container", "--format", shown, "--record", recording)
        lossy_transfers(server, lefts, right)
        run = totals.stop()
        file = totals.process.stdout_file.fileno()
        live = os.pread(file, os.fstat(file).st_size, 0)
        replayed = net.host.run([netns.program_of("SOCKEYE"), "replay", recording, "--format", shown, "--end-record"])
        assert replayed.stdout.encode() == live, (replayed.stdout, live)
        after = sum(nstat(place, "TcpRetransSegs")[0] for place in (client, server))
        if shown == "json":
            events = run.events or netns.parse_lines(live.decode().splitlines())[:-1]
            assert sum(row["segments"] for row in events) == after - before, (events, after, before)
            assert len(events) == 1 and (events[0].get("group") == "no_container" or events[0]["container"]), events
            assert events[0]["pid"] is None and events[0]["laddr"] is None, events


def test_nothing_goes_out_of_the_kernel_but_rows(net):
    """No ring of events, and the maps of rows only in a run that wants them."""
    place = net.namespace("one")
    names = {}
    for words in (("retransmits", "--totals"), ("retransmits",)):
        run = net.sockeye(*words, "--netns", place.inode)
        maps = in_kernel(net, "map")
        names[words] = {maps[number]["name"] for number in ids_of(run.process.pid, "map")}
        run.stop()
    totals, stream = names.values()
    assert "ring" in stream and "ring" not in totals, names
    assert any(name.startswith("retransmit_tota") for name in totals - stream), names
