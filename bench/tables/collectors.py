# SPDX-License-Identifier: Apache-2.0
"""What each collector costs: on minus off. Alone (off: no sockeye), and beside all others (off: all others)."""
import re
import subprocess

import figures
import tools
from tables import common

TITLE = "What a collector costs"
COLLECTOR = re.compile(r"^  (\w+) +.* \(at .*\)$")


def stream_collectors(listed):
    """The names of the collectors that make a stream, from `sockeye list`: those under its first heading."""
    names = []
    for line in listed.splitlines()[1:]:
        match = COLLECTOR.match(line)
        if not match:
            break
        names.append(match[1])
    return names


def trace(session, names):
    return tools.sockeye(session.build, "trace", ",".join(names), "--format", "line")


def sets_of(names):
    """The sets of collectors to run: each alone, all together, all but one."""
    sets = [(name,) for name in names]
    if len(names) > 1:
        sets.append(tuple(names))
        sets += [tuple(other for other in names if other != name) for name in names]
    return list(dict.fromkeys(sets))


def measure(session):
    names = stream_collectors(subprocess.run([session.build / "sockeye", "list"], capture_output=True, text=True,
                                             check=True).stdout)
    sets = sets_of(names)
    connections = session.pick(20_000, 5_000)
    events = connections * tools.TRANSITIONS
    of_set = {}
    wanted = {trace(session, one): one for one in sets}

    def work():
        return session.workload.connections(connections)

    for tool, pairs in session.pairs(list(wanted), work, session.pick(5, 2)).items():
        of_set[wanted[tool]] = {"kept": common.kept(pairs),
                                "cpu": [pair.run["tool_cpu"] / events * common.MILLION for pair in pairs]}
    for one in of_set.values():
        one["ns"] = []
    for _ in range(session.pick(3, 2)):
        for tool, one in wanted.items():
            of_set[one]["ns"].append(common.kernel_ns(session.once(tool, work, statistics=True), events))
    return {"names": names, "sets": [{"collectors": list(one), **found} for one, found in of_set.items()]}


def minus(on, off):
    return [one - other for one, other in zip(on, off)]


def render(data):
    found = {tuple(one["collectors"]): one for one in data["sets"]}
    everything = found[tuple(data["names"])]
    rows = []
    for name in data["names"]:
        alone = found[(name,)]
        others = found.get(tuple(other for other in data["names"] if other != name))
        beside = [minus(everything[key], others[key]) for key in ("ns", "cpu")] if others else [[], []]
        rows.append([f"`{name}`", figures.text(alone["kept"], 2), figures.text(alone["ns"], 0),
                     figures.text(alone["cpu"], 2), figures.text(beside[0], 0), figures.text(beside[1], 2)])
    lines = ["Alone: `sockeye trace NAME`. Beside all others: `sockeye trace` of all collectors minus that of all but this one, "
             "in the same round. \"-\": there are no others. Kernel time is that of all programs, with the statistics' own clock; an event "
             "is a state change, also where the collector tells of something else.", "",
             *common.markdown(["collector", "throughput kept, alone", "kernel ns an event, alone",
                               "CPU of sockeye, s per million events, alone", "kernel ns an event, beside all others",
                               "CPU, beside all others"], rows)]
    if len(data["names"]) > 1:
        lines += ["", f"All together: throughput kept {figures.text(everything['kept'], 2)}, kernel "
                  f"{figures.text(everything['ns'], 0)} ns an event."]
    return lines
