# SPDX-License-Identifier: Apache-2.0
"""How long it takes from an event until its line can be read."""
import os
import re
import select
import signal
import socket
import subprocess
import time

import figures
import netns
import session as sessions
import tools
from tables import common

TITLE = "From an event to its line"
RATE = 2_000
PORT = 18_999
LINE = re.compile(rb"[ :]%d(?!\d)" % PORT)
QUIET_S = 1
PATIENCE_S = 30


class OnTerminal:
    """A tool that writes to a terminal, where every tool writes each line at once."""

    def __init__(self, tool):
        self._reader, terminal = os.openpty()
        try:
            self._process = subprocess.Popen([tools.path_of(tool.program), *tool.argv[1:]], stdin=subprocess.DEVNULL,
                                             stdout=terminal, stderr=subprocess.DEVNULL, preexec_fn=netns.die_with_parent)
        finally:
            os.close(terminal)
        self._rest = b""

    def close(self):
        os.close(self._reader)
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def read_until(self, deadline):
        """Whether a line of the event came before the deadline."""
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self._reader], [], [], left)[0]:
                return False
            *lines, self._rest = (self._rest + os.read(self._reader, 1 << 16)).split(b"\n")
            if any(LINE.search(line) for line in lines):
                return True
        return False


def event():
    """A listener that comes and goes: the time when it came."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", PORT))
        came = time.monotonic()
        listener.listen()
    return came


def delays_ms(tool, count):
    """After the first one, which tells that the tool has started."""
    shown = OnTerminal(tool)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not shown.read_until(time.monotonic() + QUIET_S):
            if time.monotonic() > deadline:
                raise sessions.NotUsable(f"no event within {PATIENCE_S} s")
            event()
        found = []
        for _ in range(count):
            while shown.read_until(time.monotonic() + QUIET_S):  # the end of the one before; then nothing for a second
                pass
            came = event()
            if not shown.read_until(came + PATIENCE_S):
                raise sessions.NotUsable(f"an event was not shown within {PATIENCE_S} s")
            found.append((time.monotonic() - came) * 1000)
        return found
    finally:
        shown.close()


def measured(session, wanted, count):
    found = {}
    for tool in wanted:
        try:
            found[tool.name] = delays_ms(tool, count)
        except sessions.NotUsable as reason:
            session.say(f"{tool.name} does not count: {reason}")
            session.left_out[tool.name] = str(reason)
    return found


def measure(session):
    own, peers = common.states_tools(session)
    count = session.pick(20, 5)
    idle = measured(session, own + peers, count)
    load = session.workload.client("--connections", 10_000_000, "--rate", RATE)
    try:
        busy = measured(session, own + peers, count)
    finally:
        load.end()
    session.workload.wait_finished()
    return {"rows": [{"tool": name, "idle": idle[name], "busy": busy[name]} for name in idle if name in busy]}


def render(data):
    return [f"Milliseconds until the line can be read: after a second in which nothing happened, and while {RATE:,} connections a second "
            "are made; output to a terminal.", "",
            *common.markdown(["tool", "events", "idle, ms", "busy, ms"],
                             [[row["tool"], str(len(row["idle"])), figures.text(row["idle"], 0), figures.text(row["busy"], 0)]
                              for row in data["rows"]])]
