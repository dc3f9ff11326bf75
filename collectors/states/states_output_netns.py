# SPDX-License-Identifier: Apache-2.0
"""What `states` writes, and where: the line format, the log file across rotation and a full disk, names of processes
that would like to be commands of the terminal."""
import collections
import os
import pathlib
import re
import signal
import subprocess

import netns
from ready import start_ready
from puppet import Puppet
from states_tools import ROOM, events_of, small_disk
from witness import wait_ss
from workload import run_load, start_load

PORT = 7000
LINE = re.compile(r"[A-Z][a-z]{2} [ 0-9]{2} \d{4} \d\d:\d\d:\d\d\.\d{3} State Change: "
                  r"SRC=(\S+):(\d+|\?) DST=(\S+):(\d+) PID=(\d+) COMM=(\S+) STATE=([A-Za-z ]+ \([A-Z_0-9]+\))")
GAP = re.compile(r"[A-Z][a-z]{2} .* Gap: LOST=(\d+) STAGE=\S+ REASON=\S+ \(.*\)")
END = re.compile(r"[A-Z][a-z]{2} .* End: DELIVERED=(\d+) LOST=(\d+) LATE=\d+ INCOMPLETE=(\d+) TABLE_FULL=\d+ SKIPPED=\d+")
WORDS = {
    "Connecting (SYN_SENT)", "Handshake (SYN_RECV)", "Connected (ESTABLISHED)", "Connection Closing (FIN_WAIT1)",
    "Waiting (FIN_WAIT2)", "Cooldown (TIME_WAIT)", "Closed (CLOSE)", "Remote Closed (CLOSE_WAIT)",
    "Final Close (LAST_ACK)", "Listening (LISTEN)", "Closing (CLOSING)",
}


# Of 20 connections to a server with two listeners. Where the client's sockets end is for the kernel to choose.
EXPECTED = (
    ("client", "Connecting (SYN_SENT)", 20), ("client", "Connected (ESTABLISHED)", 20),
    ("client", "Connection Closing (FIN_WAIT1)", 20), ("client", "Waiting (FIN_WAIT2)", 20),
    ("server", "Handshake (SYN_RECV)", 20), ("server", "Connected (ESTABLISHED)", 20),
    ("server", "Remote Closed (CLOSE_WAIT)", 20), ("server", "Final Close (LAST_ACK)", 20),
    ("server", "Closed (CLOSE)", 22), ("server", "Listening (LISTEN)", 2),
)


def check_end(line, delivered):
    end = END.fullmatch(line)
    assert end and [int(end[1]), int(end[2]), int(end[3])] == [delivered, 0, 0], line


def test_the_line_format(net):
    place = net.namespace("one")
    sockeye = net.sockeye("states", "--format", "line", "--netns", place.inode)
    by_pid = {}
    for address in ("127.0.0.1", "::1"):
        client, server = run_load(place, place, address, 20)
        by_pid[str(client.pid)] = (address, "client")
        by_pid[str(server.pid)] = (address, "server")
    lines = sockeye.stop().lines
    check_end(lines.pop(), events_of(place, 40, 4))
    counts = collections.Counter()
    for line in lines:
        match = LINE.fullmatch(line)
        assert match, line
        source, source_port, peer, peer_port, pid, comm, words = match.groups()
        address, side = by_pid[pid]
        shown = f"[{address}]" if ":" in address else address
        assert source == shown and comm == "sockeye_load" and words in WORDS, line
        if peer_port == "0":
            assert side == "server" and peer == ("[::]" if ":" in address else "0.0.0.0"), line
        else:
            assert peer == shown, line
        assert str(PORT) == (peer_port if side == "client" else source_port), line
        counts[address, side, words] += 1
    for address in ("127.0.0.1", "::1"):
        for side, words, count in EXPECTED:
            assert counts[address, side, words] == count, (address, side, words, counts)


def test_the_time_of_a_line_is_local(net):
    """The same event in the line format and as JSON; the time zone is the user's."""
    place = net.namespace("one")
    folder = net.folder()
    zoned = netns.Place(net, ["env", "TZ=Asia/Kathmandu", "LC_ALL=C"])
    sockeye = net.sockeye("states", "--netns", place.inode, "--log-file", folder / "log", place=zoned)
    puppet = Puppet(place)
    puppet.do(f"l = listen('::1', {PORT})")
    event = sockeye.wait_for(lambda event: event["event"] == "states")
    sockeye.stop()
    line = (folder / "log").read_text(encoding="ascii").splitlines()[0]
    second, fraction = event["time"].rstrip("Z").split(".")
    local = zoned.run(["date", "-d", second + "Z", "+%b %d %Y %H:%M:%S"]).stdout.strip()
    assert line.startswith(f"{local}.{fraction[:3]} State Change: "), (line, event["time"], local)


def test_the_log_file_across_rotation(net):
    """As logrotate does it: rename, then SIGHUP; under load. The files together are what went to standard output."""
    connections = netns.scaled(20_000)
    place = net.namespace("one")
    log = net.folder() / "log"
    sockeye = net.sockeye("states", "--format", "line", "--netns", place.inode, "--log-file", log, *ROOM)
    server = start_load(place, "server", "--addr", "::1", "--port", PORT)
    client = place.load("client", "--addr", "::1", "--port", PORT, "--connections", connections)
    old = []
    for number in range(1, 5):
        netns.wait_until(lambda: log.stat().st_size > 0, "lines in the log file")
        old.append(log.rename(f"{log}.{number}"))
        sockeye.process.popen.send_signal(signal.SIGHUP)
        netns.wait_until(log.exists, "a new log file")
    running = client.popen.poll() is None
    assert client.wait(60) == 0, client.stderr
    wait_ss(place, f"sport = :{PORT}")
    assert server.stop() == 0, server.stderr
    shown = sockeye.stop().lines
    assert running, "the load was over before the last rotation"
    written = [file.read_bytes() for file in old + [log]]
    assert all(text.endswith(b"\n") for text in written), "a line is cut at the end of a file"
    assert b"".join(written).decode().splitlines() == shown
    check_end(shown[-1], events_of(place, connections))
    assert all(LINE.fullmatch(line) for line in shown[:-1])


def test_a_log_file_that_cannot_be_reopened(net):
    """The directory is gone when SIGHUP comes: it says so, and goes on with the old file."""
    place = net.namespace("one")
    folder = net.folder() / "inner"
    folder.mkdir()
    sockeye = net.sockeye("states", "--netns", place.inode, "--log-file", folder / "log")
    with open(folder / "log", encoding="ascii") as log:
        (folder / "log").unlink()
        folder.rmdir()
        sockeye.process.popen.send_signal(signal.SIGHUP)
        netns.wait_until(lambda: "the old file is kept" in sockeye.process.stderr, "a complaint")
        Puppet(place).do(f"l = listen('::1', {PORT})")
        sockeye.wait_for(lambda event: event["event"] == "states")
        sockeye.stop()
        assert LINE.fullmatch(log.readline().rstrip("\n"))


def test_a_full_disk(net):
    """Said once, counted; standard output goes on, and the file as well once there is room, line by line."""
    place = net.namespace("one")
    folder = net.folder()
    mounted = small_disk(net, folder)
    sockeye = net.sockeye("states", "--netns", place.inode, "--log-file", folder / "log", *ROOM, place=mounted,
                          lossy=True)
    disk = pathlib.Path(f"/proc/{sockeye.process.pid}/root{folder}")
    run_load(place, place, "127.0.0.1", 300)
    gap = sockeye.wait_for(lambda event: event["event"] == "gap")
    assert (gap["stage"], gap["reason"]) == ("sink", "write_failed"), gap
    puppet = Puppet(place)
    for _ in range(10):  # a line or two at a time, some of which fit into what is left
        puppet.do("listen('127.0.0.2', 9000).close()")
        sockeye.wait_for(lambda event: event["event"] == "states" and event["new_state"] == "CLOSE")
    assert sockeye.process.stderr.count("No space left on device") == 1, sockeye.process.stderr
    (disk / "ballast").unlink()
    run_load(place, place, "::1", 50)
    with open(disk / "log", encoding="ascii") as log:  # which is there as long as it is open
        run = sockeye.stop()
        lines = log.read().split("\n")
    assert len(run.events) == events_of(place, 350, 4) + 10 * 2, len(run.events)
    lost = sum(gap["lost"] for gap in run.gaps)
    assert {gap["reason"] for gap in run.gaps} == {"write_failed"} and run.end["lost"] == lost, (run.gaps, run.end)
    assert lines.pop() == "" and END.fullmatch(lines.pop()), lines[-1]
    events = [line for line in lines if LINE.fullmatch(line)]
    assert all(LINE.fullmatch(line) or GAP.fullmatch(line) for line in lines), lines
    assert len(events) + lost == len(run.events), (len(events), lost, len(run.events))
    assert sum("SRC=[::1]:" in line for line in events) >= 500 + 4, "the file did not go on"


# ---- names that would like to be more than names ----

NAME = b'a\n\x1b[31m\x9b32m\x07\t"\\'  # 15 bytes, all that there is room for
ESCAPED = r"a\x0a\x1b[31m\x9b32m\x07\x09" + '"\\x5c'


def name_and_connect(place):
    """A listener, a connection that is reset, and its end, by a process of that name: 8 events."""
    puppet = Puppet(place)
    puppet.do(f"call_me({NAME!r})")
    puppet.do(f"l = listen('127.0.0.1', {PORT}); c = connect('127.0.0.1', {PORT}); reset(c); l.close()")
    return puppet


def test_a_name_in_json(net):
    place = net.namespace("one")
    assert len(NAME) == 15
    sockeye = net.sockeye("states", "--netns", place.inode)
    puppet = name_and_connect(place)
    run = sockeye.stop()
    raw = sockeye.process.stdout
    assert {(event["comm"], event["pid"]) for event in run.events} == {(NAME.decode(errors="replace"), puppet.pid)}
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", raw), raw
    assert raw.count("\n") == 8 + 1, raw


def test_a_name_in_lines(net):
    place = net.namespace("one")
    sockeye = net.sockeye("states", "--format", "line", "--netns", place.inode)
    name_and_connect(place)
    lines = sockeye.stop().lines
    assert len(lines) == 8 + 1, lines
    for line in lines[:-1]:
        match = LINE.fullmatch(line)
        assert match and match[6] == ESCAPED, line
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", sockeye.process.stdout)


def test_a_name_in_a_table_on_a_terminal(net):
    """In colour, 200 columns wide: what is left without sockeye's own colours has no control character."""
    script = netns.require("script")
    place = net.namespace("one")
    words = f"stty cols 200; exec {netns.program_of('SOCKEYE')} states --netns {place.inode} --ready-fd "
    colour = {**os.environ, "TERM": "xterm", "NO_COLOR": ""}
    terminal = start_ready(lambda fd: net.host.popen([script, "-qefc", f"{words}{fd}", "/dev/null"], pass_fds=[fd],
                                                     stdin=subprocess.PIPE, env=colour))
    puppet = name_and_connect(place)
    netns.wait_until(lambda: terminal.stdout.count(f" {puppet.pid} ") == 8, "the events")
    terminal.popen.stdin.write(b"\x03")
    terminal.popen.stdin.flush()
    assert terminal.wait() == 0, terminal.stdout
    shown = terminal.stdout.replace("\r\n", "\n")
    assert "\x1b[" in shown, "no colours on a terminal"
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", plain), plain
    events = [line for line in plain.splitlines() if f" {puppet.pid} " in line]
    assert len(events) == 8 and all(event.split()[2].startswith(r"a\x0a\x") for event in events), plain
    assert max(map(len, plain.splitlines())) <= 200, plain
