# SPDX-License-Identifier: Apache-2.0
"""What is lost at which rate of events, and when the tool gets no CPU for a second."""
import signal
import statistics
import time

import session as sessions
import tools
from tables import common

TITLE = "Loss against event rate"
RATES = (1_000, 2_000, 5_000, 10_000, None)  # connections a second; None: flat out
QUICK_RATES = (2_000, None)
STALL_RATE = 2_000
STALL_S = 1.0


def stalled(session, running):
    """Work during which the tool gets no CPU for a second, in the middle of three."""
    client = session.workload.client("--connections", int(STALL_RATE * 3), "--rate", STALL_RATE)
    time.sleep(STALL_S)
    running.process.popen.send_signal(signal.SIGSTOP)
    try:
        time.sleep(STALL_S)
    finally:
        running.process.popen.send_signal(signal.SIGCONT)
    found = session.workload.finish(client)
    found["per_second"] = found["connections"] / found["seconds"]
    return found


def at_rate(session, rate):
    count = rate * session.pick(2, 1) if rate else session.pick(20_000, 6_000)
    return session.workload.connections(count, rate)


def row(tool, load, runs):
    return {"tool": tool.name, "load": load, "loss": common.loss_cells(runs),
            "events": statistics.fmean(run["per_second"] for run in runs) * tools.TRANSITIONS}


def measure(session):
    wanted, peers = common.states_tools(session)
    rounds = session.pick(3, 1)
    rows = []
    for tool in wanted + peers:
        for rate in session.pick(RATES, QUICK_RATES):
            found = session.in_turn([tool], lambda rate=rate: at_rate(session, rate), rounds)
            if found:
                rows.append(row(tool, f"{rate:,} connections/s" if rate else "flat out", found[tool]))
        runs = []
        for _ in range(rounds):
            with sessions.Running(tool) as running:
                runs.append(running.measure(lambda running=running: stalled(session, running)))
        rows.append(row(tool, f"{STALL_RATE:,} connections/s, tool stopped for {STALL_S:.0f} s", runs))
        session.say(f"{tool.name}: done")
    return {"rows": rows}


def render(data):
    rows = [[one["tool"], one["load"], f"{one['events']:,.0f}", *one["loss"]] for one in data["rows"]]
    return ["Truth is what the workload did: 10 state changes a connection. \"Neither\" is what was neither delivered nor reported "
            "lost: 0 where the accounts are right.", "",
            *common.markdown(["tool", "load", "events a second", *common.LOSS_HEAD], rows, text_columns=2)]
