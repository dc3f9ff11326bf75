# SPDX-License-Identifier: Apache-2.0
"""Readers of the output: one that goes ends the run if it read standard output, and costs any other output its lines;
one that does not read keeps nobody from stopping. Witnesses: exit codes, the clock, what other readers got."""
import array
import fcntl
import os
import pty
import signal
import socket
import termios
import time

import netns
from puppet import Puppet
from ready import start_ready
from states_tools import ROOM, events_of
from workload import run_load

ALONE = "measures how soon a run ends"
PORT = 7000
SOON_S = 1.5  # from SIGTERM to the end, whatever the outputs are


def start(net, *words, before=(), **popen):
    """sockeye with these words, once it is ready. before: the command that starts it."""
    argv = [*before, netns.program_of("SOCKEYE"), *words, "--ready-fd"]
    return start_ready(lambda fd: net.host.popen([*argv, fd], pass_fds=[fd], **popen))


def pipe(net):
    """(read end, write end): the caller closes what it is about, the rest goes with the Net."""
    ends = os.pipe()
    files = [os.fdopen(end, mode, buffering=0) for end, mode in zip(ends, ("rb", "wb"))]
    for file in files:
        net.on_exit(file.close)
    return files


# ---- a reader that takes nothing, beside another ----

def read_all(fd):
    text = b""
    while True:
        try:
            text += os.read(fd, 65536)
        except BlockingIOError:
            return text.decode()


def test_a_log_file_that_nobody_reads_stops_no_other_output(net):
    """Standard output gets every event, in order; the log file has whole lines, and tells of its loss once it is read again."""
    place = net.namespace("one")
    fifo = str(net.folder() / "fifo")
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    net.on_exit(lambda: os.close(reader))
    sockeye = net.sockeye("states", "--netns", place.inode, "--log-file", fifo, *ROOM, lossy=True)
    run_load(place, place, "127.0.0.1", 1000)
    netns.wait_until(lambda: "its reader takes nothing" in sockeye.process.stderr, "a log file that is full")
    puppet = Puppet(place)
    text = []

    def is_told():
        puppet.fails("connect('127.0.0.1', 9)", "ConnectionRefusedError")
        text.extend(read_all(reader).splitlines())
        return any(" Gap: " in line for line in text) and " State Change: " in text[-1]
    netns.wait_until(is_told, "a gap and an event in the log file", seen=lambda: text[-3:])
    run = sockeye.stop()
    closing = [event for event in run.events if event["rport"] != 9]
    assert len(closing) == events_of(place, 1000), len(closing)
    assert run.end["late"] == 0 and run.end["lost"] > 0, run.end
    assert all("State Change: " in line or " Gap: " in line for line in text), text


# ---- a reader that goes ----

def test_a_reader_of_a_pipe_that_goes_while_nothing_happens(net):
    """`| head -1`, and then no event comes."""
    place = net.namespace("one")
    for words in (["states", "--format", "line"], ["connections", "--format", "table"], ["lifetimes", "--json"],
                  ["counts", "--watch", "1h"], ["states", "--format", "recording"]):
        reading, writing = pipe(net)
        only = [] if words[0] == "counts" else ["--netns", place.inode]
        sockeye = start(net, *words, *only, stdout=writing)
        writing.close()
        reading.close()
        assert sockeye.wait() == 0, sockeye.stderr
        assert "lost" not in sockeye.stderr or " 0 lost" in sockeye.stderr, sockeye.stderr


def test_a_terminal_that_is_closed(net):
    """Standard output is on it, and nobody sends SIGHUP, as without a session."""
    for words in (["states", "--netns", net.namespace("one").inode], ["counts", "--watch", "1h"]):
        master, slave = pty.openpty()
        sockeye = start(net, *words, stdout=slave)
        os.close(slave)
        os.close(master)
        assert sockeye.wait() == 0, sockeye.stderr


def hang_up(sockeye):
    sockeye.popen.send_signal(signal.SIGHUP)


def test_a_hangup(net):
    """SIGHUP ends a run that has nothing to reopen, unless it was ignored at the start (nohup)."""
    place = net.namespace("one")
    words = ("states", "--json", "--netns", place.inode)
    for ending in (words, ("counts", "--watch", "1h")):
        sockeye = start(net, *ending)
        hang_up(sockeye)
        assert sockeye.wait() == 0, sockeye.stderr
    logging = start(net, *words, "--log-file", net.folder() / "log")
    ignoring = start(net, *words, before=["sh", "-c", 'trap "" HUP; exec "$@"', "sh"])
    for sockeye in (logging, ignoring):
        hang_up(sockeye)
    Puppet(place).do(f"l = listen('::1', {PORT})")
    for sockeye in (logging, ignoring):
        netns.wait_until(lambda sockeye=sockeye: '"event":"states"' in sockeye.stdout, "an event after SIGHUP")
        assert sockeye.stop() == 0, sockeye.stderr


def test_a_reader_of_the_log_that_goes(net):
    """Standard output goes on; what the log lost is told, counted, and told to its next reader first."""
    place = net.namespace("one")
    log = net.folder() / "log"
    os.mkfifo(log)
    first = os.fdopen(os.open(log, os.O_RDONLY | os.O_NONBLOCK), "rb")
    sockeye = net.sockeye("states", "--netns", place.inode, "--log-file", log, *ROOM, lossy=True)
    run_load(place, place, "127.0.0.1", 5)
    netns.wait_until(lambda: len(sockeye.process.stdout.splitlines()) == events_of(place, 5), "the events")
    got = first.read().decode().splitlines()
    first.close()
    run_load(place, place, "::1", 5)
    netns.wait_until(lambda: "nobody reads it any more" in sockeye.process.stderr, "a complaint")
    sockeye.wait_for(lambda event: event["event"] == "gap")
    netns.wait_until(lambda: sum('"laddr":"::1"' in line for line in sockeye.process.stdout.splitlines()) > 50, "the events")
    with open(os.open(log, os.O_RDONLY | os.O_NONBLOCK), "rb") as second:
        run_load(place, place, "127.0.0.1", 5)
        run = sockeye.stop()
        got_again = second.read().decode().splitlines()
    assert sockeye.process.stderr.count("nobody reads it any more") == 1, sockeye.process.stderr
    lost = sum(gap["lost"] for gap in run.gaps)
    assert lost > 0 and run.end["lost"] == lost and run.end["delivered"] + lost == len(run.events), run.end
    assert " Gap: LOST=" in got_again[0], got_again[:2]
    assert " End: " in got_again.pop() and "State Change" in got[0]
    changes = [line for line in got + got_again if "State Change" in line]
    assert len(changes) + lost == len(run.events), (len(changes), lost, len(run.events))


# ---- a reader that does not read ----

def has_at_least(file, size):
    """Whether so many bytes lie in a pipe, socket or terminal."""
    waiting = array.array("i", [0])
    fcntl.ioctl(file, termios.FIONREAD, waiting)
    return waiting[0] >= size


class Unread:
    """Standard output that nobody reads: `stdout` is for sockeye, `reading` the other end."""

    def __init__(self, net, kind):
        if kind == "terminal":
            self.reading, self.stdout = pty.openpty()
        elif kind == "pipe":
            self.reading, self.stdout = os.pipe()
        else:
            self._ends = socket.socketpair()
            self.reading, self.stdout = (end.fileno() for end in self._ends)
            return
        for end in (self.reading, self.stdout):
            net.on_exit(lambda end=end: os.close(end))

    def fill(self):
        """There is no room for anything more."""
        os.set_blocking(self.stdout, False)
        try:
            while True:
                os.write(self.stdout, b"x")
        except BlockingIOError:
            os.set_blocking(self.stdout, True)


def seconds_to_end(sockeye):
    began = time.monotonic()
    sockeye.popen.send_signal(signal.SIGTERM)
    code = sockeye.wait(60)
    return time.monotonic() - began, code


def check_ends_soon(sockeye, what, codes=(0,)):
    took, code = seconds_to_end(sockeye)
    print(f"{what}: {took:.2f} s")
    assert code in codes, (what, code, sockeye.stderr)
    assert took < netns.patience(SOON_S), (what, took)


def test_a_stream_that_nobody_reads(net):
    """2,000 connections to an output that takes some kilobytes, with a large ring, and words that nobody reads either."""
    place = net.namespace("one")
    for kind in ("terminal", "pipe", "socket"):
        for words_too in (False, True):
            out = Unread(net, kind)
            sockeye = start(net, "states", "--json", "--netns", place.inode, *ROOM, "--record", net.folder() / "recording",
                            stdout=out.stdout, before=["sh", "-c", 'exec "$@" 2>&1', "sh"] if words_too else ())
            run_load(place, place, "::1", 2_000)
            netns.wait_until(lambda out=out: has_at_least(out.reading, 2_000), "a full output")
            check_ends_soon(sockeye, f"{kind}{', words too' if words_too else ''}")
            assert words_too or "nobody reads it" in sockeye.stderr and "sink/write_failed" in sockeye.stderr, sockeye.stderr


def test_files_that_nobody_reads(net):
    """A FIFO in the place of the log and of the recording; the disk is full besides."""
    place = net.namespace("one")
    for option, other in (("--log-file", "--record"), ("--record", "--log-file")):
        fifo = net.folder() / "fifo"
        os.mkfifo(fifo)
        reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        net.on_exit(lambda reading=reading: os.close(reading))
        sockeye = start(net, "states", "--json", "--netns", place.inode, *ROOM, option, fifo, other, "/dev/full")
        run_load(place, place, "127.0.0.1", 10_000 if option == "--record" else 2_000)
        netns.wait_until(lambda reading=reading: has_at_least(reading, 2_000), "a full pipe")
        check_ends_soon(sockeye, f"{option} FIFO")


def test_other_commands_that_nobody_reads(net):
    """`counts`, `who` and `replay`, of which not all arrives; a run that nothing keeps from ending."""
    place = net.namespace("one")
    recording = net.folder() / "recording"
    sockeye = net.sockeye("states", "--netns", place.inode, "--record", recording, *ROOM)
    run_load(place, place, "127.0.0.1", 2_000)
    check_ends_soon(sockeye.process, "a file")
    puppet = Puppet(place)
    puppet.do("import resource")
    puppet.do("resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))")
    puppet.do("many = [listen('127.0.0.1', 10000 + i) for i in range(1500)]")
    program = netns.program_of("SOCKEYE")
    for kind, size in (("terminal", 4_000), ("pipe", 50_000)):
        for words in (["counts"], ["counts", "--watch"]):
            out = Unread(net, kind)
            out.fill()
            sockeye = start(net, *words, stdout=out.stdout)
            check_ends_soon(sockeye, f"{' '.join(words)} into a {kind}", codes=(0, 1))
        for words in (["who", "--json", "--netns", place.inode], ["replay", recording, "--json"]):
            out = Unread(net, kind)
            sockeye = net.host.popen([program, *words], stdout=out.stdout)
            netns.wait_until(lambda out=out, size=size: has_at_least(out.reading, size), "output")
            check_ends_soon(sockeye, f"{words[0]} into a {kind}", codes=(0, 1))
