# SPDX-License-Identifier: Apache-2.0
"""Recordings: what a run showed is shown again, byte for byte, by nobody who can see nothing of the machine; a narrower
filter gives what a run with that filter gave at the same time."""
import os
import pathlib
import re
import signal
import subprocess

import netns
from own_mounts import own_mounts
from pace import SBIN
from states_tools import ROOM, identity, events_in, events_of, small_disk
from witness import wait_ss
from workload import run_load, start_load

PORT = 7000
CONNECTIONS = netns.scaled(3_000)
# What two runs that watch at the same time see alike; each reads the clock for itself.
OWN_TIMES = ("time", "timestamp_ns", "duration_us", "late")


def libraries(program):
    """The files that the dynamic loader maps for a program, itself included."""
    words = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout.split()
    return [word for word in words if word.startswith("/")]


JAIL = """
mount -t tmpfs -o mode=755 jail "$1" && cd "$1" && chmod 755 . && mkdir -p lib64 || exit
for file in $3; do mkdir -p ".$(dirname "$file")" && cp -L "$file" ".$file" || exit; done
cp "$2" recording && chmod 444 recording && shift 3 && exec chroot --userspec=65534:65534 --groups=65534 . "$@"
"""


def replay_in_jail(net, recording, *words, code=0):
    """Replays as nobody, in mount, pid and network namespaces that hold the program, its libraries and the recording:
    what it wrote, as bytes."""
    program = netns.program_of("SOCKEYE")
    folder = net.folder()
    argv = [*own_mounts(JAIL, "--pid", "--net", "--fork"), folder, recording, " ".join([program] + libraries(program)), program, "replay", "/recording", *words]
    done = subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL, capture_output=True, timeout=netns.patience(60),
                          check=False, env={"TZ": "Pacific/Auckland", "PATH": os.environ["PATH"] + ":" + SBIN})
    assert done.returncode == code, f"exit code {done.returncode}: {done.stderr.decode()}"
    return done.stdout


def replay_events(net, recording, *words):
    done = net.host.run([netns.program_of("SOCKEYE"), "replay", recording, "--json", *words])
    return netns.parse_lines(done.stdout.splitlines())


def check_same(live, replayed):
    if live == replayed:
        return
    pairs = zip(live.splitlines(), replayed.splitlines())
    number, pair = next(((i, pair) for i, pair in enumerate(pairs) if pair[0] != pair[1]), (None, None))
    raise AssertionError(f"{len(live)} bytes live, {len(replayed)} replayed; line {number}: {pair}")


def replays_as_it_was(net, shown):
    """One run, shown in this format, with lines in its log file: both again out of the recording."""
    client_place, server_place = net.client_and_server()
    folder = net.folder()
    zoned = netns.Place(net, ["env", "TZ=Asia/Kathmandu"])
    sockeye = net.sockeye("states", "--format", shown, "--log-file", folder / "log", "--record", folder / "recording",
                          "--netns", f"{client_place.inode},{server_place.inode}", *ROOM, place=zoned)
    for family in (4, 6):
        run_load(client_place, server_place, server_place.addresses[family], CONNECTIONS)
    sockeye.stop()
    file = sockeye.process.stdout_file.fileno()
    live = os.pread(file, os.fstat(file).st_size, 0)
    assert live.count(b"\n") >= 20 * CONNECTIONS, live.count(b"\n")
    recording = folder / "recording"
    assert recording.stat().st_mode & 0o777 == 0o640, oct(recording.stat().st_mode)
    check_same(live, replay_in_jail(net, recording, "--format", shown, "--end-record"))
    check_same((folder / "log").read_bytes(), replay_in_jail(net, recording, "--format", "line", "--end-record"))


def test_lines_as_they_were(net):
    replays_as_it_was(net, "line")


def test_a_table_as_it_was(net):
    replays_as_it_was(net, "table")


def test_json_as_it_was(net):
    replays_as_it_was(net, "json")


def test_gaps_as_they_were(net):
    """What the ring had no room for is missing in the same places."""
    place = net.namespace("one")
    recording = net.folder() / "recording"
    sockeye = net.sockeye("states", "--ring-size", "64K", "--netns", place.inode, "--record", recording, lossy=True)
    server = start_load(place, "server", "--addr", "127.0.0.1", "--port", PORT)
    sockeye.process.popen.send_signal(signal.SIGSTOP)
    client = place.load("client", "--addr", "127.0.0.1", "--port", PORT, "--connections", CONNECTIONS)
    assert client.wait(100) == 0, client.stderr
    sockeye.process.popen.send_signal(signal.SIGCONT)
    sockeye.wait_for(lambda event: event["event"] == "gap")
    assert server.stop() == 0, server.stderr
    run = sockeye.stop()
    assert run.gaps and run.end["lost"] > 0, run.end
    file = sockeye.process.stdout_file.fileno()
    live = os.pread(file, os.fstat(file).st_size, 0)
    check_same(live, replay_in_jail(net, recording, "--json", "--end-record"))
    replay_in_jail(net, recording, "--strict", code=1)


def without_times(events):
    """Events of each socket in their order, as text."""
    sockets = {}
    for event in events:
        kept = {key: value for key, value in event.items() if key not in (*OWN_TIMES, "cookie")}
        if event["owner_source"] in ("accept", "inherited"):  # another run may make its event before it sees the accept
            del kept["owner_source"], kept["tid"]
            kept.pop("thread", None)
        sockets.setdefault((event["netns"], identity(event)), []).append(str(kept))
    return sockets


def narrower(net, *words, of_client):
    """A run that sees everything is recorded beside one with the filter. `of_client`: the words that need its pid."""
    client_place, server_place = net.client_and_server()
    places = ("--netns", f"{client_place.inode},{server_place.inode}")
    recording = net.folder() / "recording"
    server = start_load(server_place, "server", "--addr", server_place.addresses[4], "--port", PORT)
    client = client_place.popen(["sh", "-c", "read line; exec \"$@\"", "sh", netns.program_of("SOCKEYE_LOAD"), "client",
                                 "--addr", server_place.addresses[4], "--port", PORT, "--connections", CONNECTIONS],
                                stdin=subprocess.PIPE)
    filters = [*words, *(word.format(pid=client.pid, server=server.pid) for word in of_client)]
    everything = net.sockeye("states", *places, "--record", recording, *ROOM)
    some = net.sockeye("states", *places, *filters, *ROOM)
    client.popen.stdin.write(b"\n")
    client.popen.stdin.close()
    assert client.wait(100) == 0, client.stderr
    wait_ss(server_place, f"sport = :{PORT}")
    assert server.stop() == 0, server.stderr
    wanted = without_times(events_in(some.stop(), client_place, server_place))
    assert sum(map(len, wanted.values())) >= CONNECTIONS, len(wanted)
    all_events = everything.stop().events
    events = replay_events(net, recording, *places, *filters)
    assert len(events) < len(all_events), "the filter leaves nothing out"
    replayed = without_times(events)
    assert replayed == wanted, [pair for key in wanted.keys() | replayed.keys()
                                for pair in [(wanted.get(key), replayed.get(key))] if pair[0] != pair[1]][:2]


def test_a_narrower_filter_by_port_and_pid(net):
    narrower(net, "--dst-port", PORT, of_client=["--pid", "{pid}"])


def test_a_narrower_filter_by_what_is_excluded(net):
    narrower(net, "--active-only", "-4", of_client=["--pid", "!{pid}"])


def test_a_narrower_filter_by_direction_and_network(net):
    narrower(net, "--direction", "in", "--peer-ip", "10.77.0.0/16", "--comm", "sockeye_load", of_client=[])


def test_a_run_that_was_killed(net):
    """What is older than a second is there; the rest is said to be missing."""
    place = net.namespace("one")
    recording = net.folder() / "recording"
    sockeye = net.sockeye("states", "--netns", place.inode, "--record", recording)
    run_load(place, place, "127.0.0.1", 300)
    for _ in range(2):  # the first block after the load may have been made before its last events were read
        size = recording.stat().st_size
        netns.wait_until(lambda: recording.stat().st_size > size, "the next second")
    shown = sockeye.wait_for(lambda event: event["event"] == "states")
    sockeye.process.popen.kill()
    sockeye.process.wait()
    done = net.host.run([netns.program_of("SOCKEYE"), "replay", recording, "--json"], check=False)
    events = netns.parse_lines(done.stdout.splitlines())
    assert done.code == 1 and f"damaged at byte {recording.stat().st_size} (block " in done.stderr, done.stderr
    assert "the end of the run is missing" in done.stderr, done.stderr
    assert len(events) == events_of(place, 300) and events[0] == shown, len(events)


def test_a_full_disk(net):
    """Said once, counted; standard output goes on; the recording is one of what it has, with a gap for the rest."""
    place = net.namespace("one")
    folder = net.folder()
    mounted = small_disk(net, folder)
    sockeye = net.sockeye("states", "--netns", place.inode, "--record", folder / "recording", *ROOM, place=mounted,
                          lossy=True)
    disk = pathlib.Path(f"/proc/{sockeye.process.pid}/root{folder}")
    run_load(place, place, "127.0.0.1", 8_000)
    gap = sockeye.wait_for(lambda event: event["event"] == "gap")
    assert (gap["stage"], gap["reason"]) == ("sink", "write_failed"), gap
    assert sockeye.process.stderr.count("No space left on device") == 1, sockeye.process.stderr
    (disk / "ballast").unlink()
    run_load(place, place, "127.0.0.1", 50)
    with open(disk / "recording", "rb") as file:
        run = sockeye.stop()
        (folder / "copy").write_bytes(file.read())
    told = replay_events(net, folder / "copy", "--end-record")
    end = told.pop()
    events = [event for event in told if event["event"] == "states"]
    lost = sum(event["lost"] for event in told if event["event"] == "gap")
    assert len(run.events) == events_of(place, 8_050, 4), len(run.events)
    assert 0 < lost == run.end["lost"] == end["lost"], (lost, run.end, end)
    assert len(events) + lost == len(run.events) and end["delivered"] == len(events), (len(events), lost, len(run.events))


def test_through_a_pipe(net):
    """A recording that is replayed while it is made, as over ssh, and recorded again with less in it."""
    place = net.namespace("one")
    folder = net.folder()
    program = netns.program_of("SOCKEYE")
    read_end, write_end = os.pipe()
    try:
        live = net.sockeye("states", "--netns", place.inode, "--format", "recording", "--record", folder / "whole",
                           place=Piped(net, write_end))
        replay = net.host.popen([program, "replay", "-", "--json", "--end-record", "--record", folder / "narrow",
                                 "--dst-port", PORT], stdin=read_end)
    finally:
        os.close(read_end)
        os.close(write_end)
    run_load(place, place, "::1", 200)
    netns.wait_until(lambda: replay.stdout.count("\n") >= 5 * 200, "events that are shown while it runs")
    live.process.stop(signal.SIGINT)
    assert replay.wait() == 0, replay.stderr
    words = ("--json", "--end-record", "--dst-port", str(PORT))
    assert net.host.run([program, "replay", folder / "whole", *words]).stdout == replay.stdout
    assert net.host.run([program, "replay", folder / "narrow", *words[:2]]).stdout == replay.stdout


class Piped(netns.Place):
    """Standard output of what is started here is a descriptor."""

    def __init__(self, net, stdout):
        super().__init__(net)
        self.stdout = stdout

    def popen(self, argv, **popen):
        return super().popen(argv, stdout=self.stdout, **popen)


def test_a_snapshot(net):
    """`who` is recorded as any stream is; --listen narrows it later."""
    place = net.namespace("one")
    recording = net.folder() / "recording"
    start_load(place, "server", "--addr", "127.0.0.1", "--port", PORT)
    program = netns.program_of("SOCKEYE")
    live = net.host.run([program, "who", "--json", "--record", recording, "--end-record"])
    check_same(live.stdout.encode(), replay_in_jail(net, recording, "--json", "--end-record"))
    events = replay_events(net, recording, "--listen", "--netns", place.inode)
    assert {(event["state"], event["lport"]) for event in events} == {("LISTEN", PORT)}, events


def test_what_it_opens(net):
    """Nothing but the recording and the libraries. (libcap-ng asks for the number of capabilities when it is loaded.)"""
    strace = netns.require("strace")
    place = net.namespace("one")
    folder = net.folder()
    sockeye = net.sockeye("states", "--netns", place.inode, "--record", folder / "recording")
    run_load(place, place, "127.0.0.1", 10)
    sockeye.stop()
    net.host.run([strace, "-f", "-o", folder / "calls", "-e", "trace=file,bpf,socket,perf_event_open",
                  netns.program_of("SOCKEYE"), "replay", folder / "recording"])
    calls = (folder / "calls").read_text().splitlines()
    opened = {match[1] for line in calls if (match := re.search(r'open\w*\([^"]*"([^"]+)".* = \d+$', line))}
    # Standard output and error are pipes here, which it opens anew for itself.
    known = {str(folder / "recording"), "/proc/sys/kernel/cap_last_cap", "/proc/self/fd/1", "/proc/self/fd/2"}
    foreign = {file for file in opened - known if ".so" not in file}
    assert not foreign and not any(re.search(r" (bpf|socket|perf_event_open)\(", line) for line in calls), foreign
