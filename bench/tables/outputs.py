# SPDX-License-Identifier: Apache-2.0
"""What sockeye's formats cost: lines, JSON, a recording, each to a file."""
import figures
import tools
from tables import common

TITLE = "What a format costs"
FORMATS = ("line", "json", "recording")


def measure(session):
    wanted = session.usable([tools.sockeye_states(session.build, output) for output in FORMATS])
    connections = session.pick(30_000, 6_000)
    found = session.pairs(wanted, lambda: session.workload.connections(connections), session.pick(7, 2))
    return {"connections": connections, "rows": [
        {"tool": tool.name, "kept": common.kept(pairs), "cpu": common.cpu_per_million([pair.run for pair in pairs]),
         "bytes": [pair.run["bytes"] / pair.run["truth"] for pair in pairs],
         "loss": common.loss_cells([pair.run for pair in pairs])} for tool, pairs in found.items()]}


def render(data):
    rows = [[f"`{row['tool']}`", str(len(row["kept"])), figures.text(row["kept"], 2), figures.text(row["cpu"], 2),
             figures.text(row["bytes"], 1), *row["loss"]] for row in data["rows"]]
    return [f"{data['connections']:,} connections flat out a run. What a recording delivered is what replaying it shows.", "",
            *common.markdown(["command", "pairs", "throughput kept", "CPU of sockeye, s per million events", "bytes an event",
                              *common.LOSS_HEAD], rows)]
