# SPDX-License-Identifier: Apache-2.0
"""How long a connection takes at a fixed rate, and whether the rate is reached."""
import figures
from tables import common

TITLE = "Latency at 5,000 connections a second; 10,000 a second"
RATE = 5_000
HIGH_RATE = 10_000
PERCENTILES = ("p50_us", "p99_us", "due_p50_us", "due_p99_us")


def at_rate(session, wanted, rate, rounds, seldom, seldom_rounds):
    count = int(rate * session.pick(3, 1))
    found = session.pairs(wanted, lambda: session.workload.connections(count, rate), rounds, seldom, seldom_rounds)
    return [{"tool": tool.name, "count": len(pairs), "reached": [pair.run["per_second"] / rate for pair in pairs],
             "bare_reached": [pair.before["per_second"] / rate for pair in pairs],
             "bare_p99": [pair.before["p99_us"] for pair in pairs],
             "loss": common.loss_cells([pair.run for pair in pairs]),
             **{name: common.kept(pairs, name) for name in PERCENTILES}} for tool, pairs in found.items() if pairs]


def measure(session):
    wanted, peers = common.states_tools(session)
    seldom = session.pick(common.SELDOM_PAIRS, common.QUICK_SELDOM_PAIRS)
    return {"rows": at_rate(session, wanted, RATE, session.pick(common.PAIRS, common.QUICK_PAIRS), peers, seldom),
            "high": at_rate(session, wanted + peers, HIGH_RATE, seldom, (), 0)}


def render(data):
    rows = [[row["tool"], str(row["count"]), *(figures.text(row[name], 2) for name in PERCENTILES), *row["loss"]]
            for row in data["rows"]]
    bare = [value for row in data["rows"] for value in row["bare_p99"]]
    high = [[row["tool"], str(row["count"]), figures.text(row["reached"], 2), figures.text(row["bare_reached"], 2),
             figures.text(row["p99_us"], 2), *row["loss"]] for row in data["high"]]
    return [f"With / without, at {RATE:,} connections a second. A connection's own time is from connect() to close(); since it was "
            "due, from the time it should have begun, so that what waits for late ones before it counts as well. Without a tool the "
            f"99th percentile of the own time is {figures.text(bare, 0)} us.", "",
            *common.markdown(["tool", "pairs", "own p50", "own p99", "p50 since due", "p99 since due", *common.LOSS_HEAD], rows),
            "", f"At {HIGH_RATE:,} connections a second:", "",
            *common.markdown(["tool", "pairs", "part of the rate reached", "the same without", "own p99, with / without",
                              *common.LOSS_HEAD], high)]
