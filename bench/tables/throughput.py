# SPDX-License-Identifier: Apache-2.0
"""Connect, request, close, flat out: what is left of the throughput, what the tool needs itself, what it loses."""
import figures
import tools
from tables import common

TITLE = "Throughput kept, flat out"


def measure(session):
    wanted, peers = common.states_tools(session)
    peers += session.usable([tools.TCPLIFE, tools.BPFTRACE_COUNT])
    connections = session.pick(30_000, 6_000)
    found = session.pairs(wanted, lambda: session.workload.connections(connections),
                          session.pick(common.PAIRS, common.QUICK_PAIRS), peers,
                          session.pick(common.SELDOM_PAIRS, common.QUICK_SELDOM_PAIRS))
    rows = []
    for tool, pairs in found.items():
        runs = [pair.run for pair in pairs]
        rows.append({
            "tool": tool.name, "per_connection": tool.per_connection, "kept": common.kept(pairs),
            "workload_cpu": common.kept(pairs, "cpu_seconds"),
            "cpu": common.cpu_per_million(runs), "loss": common.loss_cells(runs),
            "memory": [run["memory"] for run in runs]})
    bare = [pair.before["per_second"] for pairs in found.values() for pair in pairs]
    own, floor = (rows[0]["kept"], rows[1]["kept"]) if len(wanted) == 2 else ([], [])
    return {"connections": connections, "bare": bare, "rows": rows,
            "less_than_limit": [low - high for high, low in zip(own, floor)]}


def render(data):
    rows = [[row["tool"], str(len(row["kept"])), figures.text(row["kept"], 2), figures.text(row["cpu"], 2),
             figures.text(row["workload_cpu"], 2), *row["loss"]] for row in data["rows"]]
    lines = [f"{data['connections']:,} connections a run; {figures.text(data['bare'], 0)} a second without a tool. "
             "Output to a file, default options. tcplife has a line for each socket, 2 a connection, the others one for each of "
             "10 state changes.", "",
             *common.markdown(["tool", "pairs", "throughput kept", "CPU of the tool, s per million events",
                               "CPU of the workload, with / without", *common.LOSS_HEAD], rows)]
    if data["less_than_limit"]:
        lines += ["", "The minimal program's throughput kept minus sockeye's, in the same round: "
                  + figures.text(data["less_than_limit"], 2) + "."]
    memory = [[row["tool"], *(figures.text([one[key] for one in row["memory"]], 1)
                              for key in ("beside", "buffers", "resident", "peak"))] for row in data["rows"]]
    return lines + ["", "Memory at the end of each run, MiB. The data pages of a BPF ring are mapped, and counted, twice.", "",
                    *common.markdown(["tool", "resident beside rings and buffers", "rings and buffers", "resident",
                                      "peak (with loading)"], memory)]
