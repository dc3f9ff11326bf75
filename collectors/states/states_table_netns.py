# SPDX-License-Identifier: Apache-2.0
"""The table of `states` on a terminal of a certain size, which changes, and in a pipe, under load."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios

import netns
from puppet import Puppet
from ready import start_ready
from states_tools import ROOM, events_of
from workload import start_load

PORT = 7100
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
HEADER = re.compile(r" *(TIME|PID|COMM) .*NEWSTATE")


class Terminal:
    """sockeye on a terminal of its own."""

    def __init__(self, net, columns, events, *words, **environment):
        self.master, self.slave = pty.openpty()
        for fd in (self.master, self.slave):
            net.on_exit(lambda fd=fd: os.close(fd))
        self.text = b""
        self.resize(columns, events)
        argv = [netns.program_of("SOCKEYE"), *words, *ROOM, "--ready-fd"]
        variables = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
        variables.update(TERM="xterm", **environment)
        self.process = start_ready(lambda fd: net.host.popen([*argv, fd], pass_fds=[fd], stdout=self.slave,
                                                             env=variables))

    def resize(self, columns, events):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", events, columns, 0, 0))

    def read(self):
        """What there is to read; a terminal that is not read stops whoever writes."""
        while select.select([self.master], [], [], 0)[0]:
            self.text += os.read(self.master, 65536)

    def wait_for(self, condition, what):
        def look():
            self.read()
            return condition(self.lines())
        try:
            return netns.wait_until(look, what, 60)
        except AssertionError as error:
            raise AssertionError(f"{error}; the last of {len(self.lines())}:\n" + "\n".join(self.lines()[-10:])) from None

    def lines(self):
        """Whole lines, colours left out."""
        text = COLOUR.sub("", self.text.decode().replace("\r\n", "\n"))
        return text.split("\n")[:-1]

    def go(self):
        """The window is closed; the kernel tells who had it with SIGHUP."""
        nothing = os.open(os.devnull, os.O_RDWR)
        for fd in (self.master, self.slave):
            os.dup2(nothing, fd)
        os.close(nothing)
        self.process.popen.send_signal(signal.SIGHUP)

    def stop(self):
        self.process.popen.send_signal(signal.SIGINT)
        netns.wait_until(lambda: self.read() or self.process.popen.poll() is not None, "its end")
        self.read()
        assert self.process.wait() == 0, self.process.stderr
        assert " 0 lost" in self.process.stderr, self.process.stderr
        return self.lines()


def check_lines(lines, columns, events):
    """None is longer than the terminal is wide, and on each screen there is a header."""
    assert lines and max(map(len, lines)) <= columns, max(lines, key=len)
    assert not any(re.search(r"[\x00-\x1f\x7f]", line) for line in lines), "a control character"
    headers = [number for number, line in enumerate(lines) if HEADER.match(line)]
    assert headers[0] == 0, lines[0]
    screens = zip(headers, headers[1:] + [len(lines)])
    assert max(end - start for start, end in screens) <= events - 1, headers
    return headers


def check_columns(lines, headers):
    """Under a header no column moves: the numbers of each end where its title ends."""
    for start, end in zip(headers, headers[1:] + [len(lines)]):
        at = lines[start].index("RPORT") + len("RPORT")
        for line in lines[start + 1:end]:
            assert line[at - 1].isdigit() and line[at:at + 1] in ("", " "), (lines[start], line)


def load_both(net, connections=400):
    """So many connections over IPv4 and as many over IPv6 with a long address, within a namespace."""
    place = net.namespace("load")
    place.ip("address", "add", "fd77:1111:2222:3333:4444:5555:6666:7777/128", "dev", "lo", "nodad")

    def run():
        for number, address in enumerate(("127.0.0.1", "fd77:1111:2222:3333:4444:5555:6666:7777")):
            server = start_load(place, "server", "--addr", address, "--port", PORT + number)
            client = place.load("client", "--addr", address, "--port", PORT + number, "--connections", connections)
            yield client
            server.stop()
    return place, run


def run_all(terminal, run):
    for client in run():
        terminal.wait_for(lambda _, client=client: client.popen.poll() is not None, "the load")
        assert client.wait() == 0, client.stderr


def run_in(net, columns, events):
    place, run = load_both(net)
    terminal = Terminal(net, columns, events, "states", "--netns", str(place.inode))
    run_all(terminal, run)
    wanted = events_of(place, 800, 4)
    terminal.wait_for(lambda lines: count_events(lines) >= wanted, "all events")
    lines = terminal.stop()
    headers = check_lines(lines, columns, events)
    check_columns(lines, headers)
    assert len(lines) - len(headers) == wanted, (len(lines), len(headers))
    assert b"\x1b[1m" in terminal.text and b"\x1b[32mESTABLISHED" in terminal.text, "no colours"
    whole = [line for line in lines if "fd77:1111:2222:3333:4444:5555:6666:7777" in line]
    assert len(whole) >= 400 * 10, f"{len(whole)} addresses are whole"
    return lines


def test_a_small_terminal(net):
    lines = run_in(net, 80, 24)
    assert lines[0].split() == ["TIME", "PID", "COMM", "LPORT", "RADDR", "RPORT", "NEWSTATE", "MS"], lines[0]


def test_a_large_terminal(net):
    lines = run_in(net, 200, 50)
    assert lines[0].split() == ["TIME", "PID", "COMM", "OWNER", "LADDR", "LPORT", "RADDR", "RPORT", "OLDSTATE",
                                "NEWSTATE", "MS", "CONTAINER"], lines[0]


def count_events(lines):
    return sum(not HEADER.match(line) for line in lines)


def after_events(lines, events):
    """The lines after so many events."""
    for number, line in enumerate(lines):
        if events == 0:
            return lines[number:]
        events -= not HEADER.match(line)
    return []


def test_a_terminal_that_is_resized(net):
    """Each size has a header at once, and lines that fit."""
    place = net.namespace("one")
    terminal = Terminal(net, 80, 24, "states", "--netns", str(place.inode))
    start_load(place, "server", "--addr", "127.0.0.1", "--port", PORT)
    terminal.wait_for(lambda lines: count_events(lines) == 2, "the events of two listeners")
    seen = 2
    for columns, events in ((200, 50), (60, 10), (120, 24), (44, 24)):
        terminal.resize(columns, events)
        client = place.load("client", "--addr", "127.0.0.1", "--port", PORT, "--connections", 50)
        terminal.wait_for(lambda lines, wanted=seen + 500: count_events(lines) >= wanted, f"{columns}x{events}")
        assert client.wait() == 0, client.stderr
        part = after_events(terminal.lines(), seen)
        check_columns(part, check_lines(part, columns, events))
        seen += 500
    terminal.stop()


def test_no_colour(net):
    place = net.namespace("one")
    terminal = Terminal(net, 80, 24, "states", "--netns", str(place.inode), NO_COLOR="1")
    server = start_load(place, "server", "--addr", "127.0.0.1", "--port", PORT)
    assert server.stop() == 0
    terminal.wait_for(lambda lines: len(lines) >= 5, "the events of two listeners")
    terminal.stop()
    assert b"\x1b" not in terminal.text, terminal.text


def run_piped(net, *words):
    place, run = load_both(net, 50)
    sockeye = net.sockeye("states", "--format", "table", "--netns", place.inode, *ROOM, *words)
    for client in run():
        assert client.wait(60) == 0, client.stderr
    return sockeye, sockeye.stop().lines, events_of(place, 100, 4)


def test_a_pipe(net):
    """All columns, whole values, one header, no escape."""
    sockeye, lines, expected = run_piped(net)
    assert "\x1b" not in sockeye.process.stdout
    assert sum(bool(HEADER.match(line)) for line in lines) == 1 and HEADER.match(lines[0]), lines[0]
    events = lines[1:-1]
    assert len(events) == expected, len(events)
    columns = lines[0].split()
    assert len(columns) == 12 and all(len(event.split()) == 12 for event in events), columns
    assert not any("~" in event for event in events), "a value was cut"
    assert {event.split()[columns.index("LADDR")] for event in events} == {
        "127.0.0.1", "fd77:1111:2222:3333:4444:5555:6666:7777"}
    assert " End: DELIVERED=" in lines[-1], lines[-1]


def test_colour_always(net):
    sockeye, _, _ = run_piped(net, "--color", "always")
    assert "\x1b[32mESTABLISHED" in sockeye.process.stdout
    assert not any("~" in line for line in COLOUR.sub("", sockeye.process.stdout).splitlines())


def test_times(net):
    """Two tables of the same events, one with boot times: the same as in JSON."""
    sockeye, lines, _ = run_piped(net, "-T", "boot")
    assert lines[0].split()[0] == "BOOT_S", lines[0]
    times = [float(line.split()[0]) for line in lines[1:]]
    with open("/proc/uptime", encoding="ascii") as file:
        uptime = float(file.read().split()[0])
    assert all(uptime - 60 < time <= uptime + 0.01 for time in times), (times[0], times[-1], uptime)
    late = re.search(r"([\d,]+) late", sockeye.process.stderr)
    backwards = sum(before > after for before, after in zip(times, times[1:]))
    assert backwards <= (int(late[1].replace(",", "")) if late else 0), sockeye.process.stderr
    done = net.host.run([netns.program_of("SOCKEYE"), "states", "-T", "boot"], check=False)
    assert done.code == 2 and "--format table" in done.stderr, done


def test_a_terminal_that_goes_away(net):
    """Nobody is left who would see anything: it ends. With its terminal SIGHUP is about the log file."""
    place = net.namespace("one")
    terminal = Terminal(net, 80, 24, "states", "--netns", str(place.inode), "--log-file", str(net.folder() / "log"))
    terminal.process.popen.send_signal(signal.SIGHUP)
    Puppet(place).fails("connect('127.0.0.1', 9)", "ConnectionRefusedError")
    terminal.wait_for(lambda lines: any("SYN_SENT" in line for line in lines), "an event after SIGHUP")
    terminal.go()
    assert terminal.process.wait() in (0, 1), terminal.process.stderr
