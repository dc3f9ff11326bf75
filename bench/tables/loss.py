# SPDX-License-Identifier: Apache-2.0
"""What is lost at which rate of events, and when the tool gets no CPU for a second."""
import signal
import time

import session as sessions
import tools
from tables import common

TITLE = "Loss against event rate"
RATES = (1_000, 2_000, 5_000, 10_000, None)  # connections a second; None: flat out
STALL_RATE = 2_000
STALL_S = 1.0


def stalled(session, tool):
    """A second without the reader, in the middle of three."""
    with sessions.Running(tool) as running:
        count = int(STALL_RATE * 3)

        def work():
            client = session.workload.client("--connections", count, "--rate", STALL_RATE)
            time.sleep(STALL_S)
            running.process.popen.send_signal(signal.SIGSTOP)
            try:
                time.sleep(STALL_S)
            finally:
                running.process.popen.send_signal(signal.SIGCONT)
            return session.workload.finish(client)

        return running.measure(work)


def measure(session):
    wanted, peers = common.states_tools(session)
    rounds = session.pick(3, 1)
    rows = []
    for tool in wanted + peers:
        for rate in session.pick(RATES, (2_000, None)):
            count = int((rate or session.pick(20_000, 6_000)) * (session.pick(2, 1) if rate else 1))
            runs = [session.once(tool, lambda n=count, r=rate: session.workload.connections(n, r)) for _ in range(rounds)]
            events = sum(run["per_second"] for run in runs) / rounds * tools.TRANSITIONS
            rows.append({"tool": tool.name, "load": f"{rate:,} connections/s" if rate else "flat out", "events": events,
                         "loss": common.loss_cells(runs)})
        runs = [stalled(session, tool) for _ in range(rounds)]
        rows.append({"tool": tool.name, "load": f"{STALL_RATE:,} connections/s, tool stopped for {STALL_S:.0f} s",
                     "events": sum(run["connections"] / run["seconds"] for run in runs) / rounds * tools.TRANSITIONS,
                     "loss": common.loss_cells(runs)})
        session.say(f"loss: {tool.name}")
    return {"rows": rows}


def render(data):
    rows = [[row["tool"], row["load"], f"{row['events']:,.0f}", *row["loss"]] for row in data["rows"]]
    return ["Truth is what the workload did: 10 state changes a connection. \"Neither\" is what was neither delivered nor reported "
            "lost: 0 where the accounts are right.", "",
            *common.markdown(["tool", "load", "events a second", *common.LOSS_HEAD], rows)]
