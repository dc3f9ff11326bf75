# SPDX-License-Identifier: Apache-2.0
"""Kernel time an event by the kernel's own statistics: over all programs of a tool, and of each hook of sockeye's."""
import figures
import tools
from tables import common

TITLE = "Kernel time per event, and per hook"


COUNTS = ("counts", "--watch", "1h")  # no pass while it is measured but that at the start


def by_program(command, runs, events):
    """Of each program that ran: how often and how long for each event, in each run."""
    names = sorted({name for run in runs for name in run["programs"]})
    return [{"command": command, "program": name,
             "runs": [run["programs"].get(name, (0, 0))[0] / events for run in runs],
             "ns": [run["programs"].get(name, (0, 0))[1] / events for run in runs]} for name in names]


def measure(session):
    own = [tools.sockeye_states(session.build), tools.sockeye(session.build, *COUNTS),
           tools.sockeye(session.build, *COUNTS, "--by", "comm")]
    empty = tools.empty(session.build)
    wanted = session.usable([*own, tools.limit(session.build), empty, tools.TCPSTATES, tools.TCPSTATES_BCC,
                             tools.BPFTRACE_PRINT, tools.BPFTRACE_COUNT, tools.TCPLIFE])
    connections = session.pick(30_000, 6_000)
    events = connections * tools.TRANSITIONS
    runs = session.in_turn(wanted, lambda: session.workload.connections(connections), session.pick(5, 2), statistics=True)
    clock = common.clock_ns(runs[empty]) if empty in runs else None
    rows = [{"tool": tool.name, "ns": [common.kernel_ns(run, events) for run in of_tool],
             "runs": [sum(count for count, _ in run["programs"].values()) / events for run in of_tool]}
            for tool, of_tool in runs.items()]
    programs = [one for tool in own if tool in runs for one in by_program(tool.name, runs[tool], events)]
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
        lines += ["", "By hook: programs are named after the hook and the way they are attached; a twin handles what its program "
                  "is skipped for.", "",
                  *common.markdown(["command", "program", *head], [[f"`{row['command']}`", f"`{row['program']}`",
                                                                    *cells(row, clock)] for row in data["programs"]],
                                   text_columns=2)]
    return lines
