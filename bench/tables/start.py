# SPDX-License-Identifier: Apache-2.0
"""How long it takes from the start of a tool to the first event it shows."""
import os
import select
import signal
import subprocess
import time

import figures
import netns
import session as sessions
import tools
from tables import common

TITLE = "From the start to the first event"
RATE = 2_000
PATIENCE_S = 30


def first_event_ms(tool):
    """On a terminal, where every tool writes each line at once."""
    reader, terminal = os.openpty()
    started = time.monotonic()
    process = subprocess.Popen([tools.path_of(tool.program), *tool.argv[1:]], stdin=subprocess.DEVNULL, stdout=terminal,
                               stderr=subprocess.DEVNULL, preexec_fn=netns.die_with_parent)
    os.close(terminal)
    seen = b""
    try:
        while not any(tool.line.search(line) for line in seen.split(b"\n")[:-1]):
            seen = seen[seen.rfind(b"\n") + 1:]
            readable, _, _ = select.select([reader], [], [], PATIENCE_S)
            if not readable:
                raise sessions.NotUsable(f"no event within {PATIENCE_S} s")
            seen += os.read(reader, 1 << 16)
        return (time.monotonic() - started) * 1000
    finally:
        os.close(reader)
        process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def measure(session):
    wanted, peers = common.states_tools(session)
    found = {tool: [] for tool in wanted + peers}
    rounds = session.pick(15, 4)
    load = session.workload.client("--connections", 10_000_000, "--rate", RATE)
    try:
        for _ in range(rounds):
            for tool, times in found.items():
                try:
                    times.append(first_event_ms(tool))
                except sessions.NotUsable as reason:
                    session.say(f"a start of {tool.name} does not count: {reason}")
    finally:
        load.end()
    session.workload.wait_finished()
    return {"rows": [{"tool": tool.name, "ms": times} for tool, times in found.items()]}


def render(data):
    return [f"Milliseconds, while {RATE:,} connections a second are made; output to a terminal, in lines.", "",
            *common.markdown(["tool", "starts", "first event after, ms"],
                             [[row["tool"], str(len(row["ms"])), figures.text(row["ms"], 0)] for row in data["rows"]])]
