# SPDX-License-Identifier: Apache-2.0
"""Kernel time an event by the kernel's own statistics: over all programs of a tool, and of each moment of sockeye's."""
import figures
import tools
from tables import common

TITLE = "Kernel time an event, and a moment"


def measure(session):
    states = tools.sockeye_states(session.build)
    empty = tools.empty(session.build)
    wanted = session.usable([
        states, tools.limit(session.build), empty, tools.sockeye(session.build, "counts", "--watch", "1h"),
        tools.sockeye(session.build, "counts", "--watch", "1h", "--by", "comm"), tools.TCPSTATES, tools.TCPSTATES_BCC,
        tools.BPFTRACE_PRINT, tools.BPFTRACE_COUNT, tools.TCPLIFE])
    connections = session.pick(30_000, 6_000)
    events = connections * tools.TRANSITIONS
    runs = {tool: [] for tool in wanted}
    for number in range(session.pick(5, 2)):
        for tool in wanted:
            runs[tool].append(session.once(tool, lambda: session.workload.connections(connections), statistics=True))
        session.say(f"kernel time, round {number + 1}")
    clock = common.clock_ns(runs[empty]) if empty in runs else None
    rows = [{"tool": tool.name, "ns": [common.kernel_ns(run, events) for run in of_tool],
             "runs": [sum(count for count, _ in run["programs"].values()) / events for run in of_tool]}
            for tool, of_tool in runs.items()]
    names = sorted({name for run in runs.get(states, ()) for name in run["programs"]})
    programs = [{"program": name, "runs": [run["programs"].get(name, (0, 0))[0] / events for run in runs[states]],
                 "ns": [run["programs"].get(name, (0, 0))[1] / events for run in runs[states]]} for name in names]
    return {"connections": connections, "clock": clock, "rows": rows, "programs": programs}


def without_clock(row, clock):
    if clock is None:
        return []
    return [time - count * clock for time, count in zip(row["ns"], row["runs"])]


def cells(row, clock):
    return [figures.text(row["runs"], 2), figures.text(row["ns"], 0),
            figures.text([time / count for time, count in zip(row["ns"], row["runs"]) if count], 0),
            figures.text(without_clock(row, clock), 0)]


def render(data):
    clock = data["clock"]
    head = ["runs an event", "ns an event", "ns a run", "ns an event, without the clock"]
    said = "not known" if clock is None else f"{clock:.0f} ns"
    lines = [f"`BPF_ENABLE_STATS` during {data['connections']:,} connections flat out, {tools.TRANSITIONS} state changes each; "
             "everything a tool runs in the kernel counts, also what runs for sends, receives and other sockets. The statistics' "
             f"own clock adds {said} to each run: what a program costs that does nothing.", "",
             *common.markdown(["tool", *head], [[row["tool"], *cells(row, clock)] for row in data["rows"]])]
    if data["programs"]:
        lines += ["", "`sockeye states` by program, named after the moment and the way it is attached; a twin handles what its "
                  "program is skipped for:", "",
                  *common.markdown(["program", *head],
                                   [[f"`{row['program']}`", *cells(row, clock)] for row in data["programs"]])]
    return lines
