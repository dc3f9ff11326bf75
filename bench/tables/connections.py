# SPDX-License-Identifier: Apache-2.0
"""What tools cost that tell of whole connections, of what is sent again and of what is dropped: connections that are made and
closed flat out, and requests over connections that stay open."""
import figures
import tools
from tables import common

TITLE = "What connections cost"
COLLECTORS = ("connections", "lifetimes", "retransmits", "drops")
ENDS = 2  # of a connection
ROWS = {"connections": 2, "lifetimes": 2}  # of a connection where nothing goes wrong; the others have none


def own_tools(build):
    sets = [*((name,) for name in COLLECTORS), COLLECTORS]
    return [tools.sockeye(build, "trace", ",".join(names), "--format", "line", name="sockeye " + ",".join(names),
                          per_connection=sum(ROWS.get(name, 0) for name in names)) for names in sets]


def measure(session):
    own = session.usable(own_tools(session.build))
    peers = session.usable(tools.CONNECTION_PEERS)
    connections = session.pick(30_000, 6_000)
    requests = session.pick(100_000, 20_000)
    rounds = session.pick(common.PAIRS, common.QUICK_PAIRS), session.pick(common.SELDOM_PAIRS, common.QUICK_SELDOM_PAIRS)

    def work():
        return session.workload.connections(connections)

    def open_work():
        return session.workload.requests(requests)

    made = session.pairs(own, work, rounds[0], peers, rounds[1])
    stayed = session.pairs(own, open_work, rounds[0], peers, rounds[1])
    in_kernel = session.in_turn(made, work, session.pick(3, 1), statistics=True)
    in_kernel_open = session.in_turn(stayed, open_work, session.pick(3, 1), statistics=True)
    ends = connections * ENDS
    rows = [{"tool": tool.name, "kept": common.kept(pairs), "kept_open": common.kept(stayed.get(tool, ())),
             "cpu": [pair.run["tool_cpu"] / ends * common.MILLION for pair in pairs],
             "ns": [common.kernel_ns(run, ends) for run in in_kernel.get(tool, ())],
             "ns_open": [common.kernel_ns(run, requests) for run in in_kernel_open.get(tool, ())],
             "loss": common.loss_cells([pair.run for pair in pairs])} for tool, pairs in made.items()]
    return {"connections": connections, "requests": requests, "rows": rows,
            "bare": [pair.before["per_second"] for pairs in made.values() for pair in pairs],
            "bare_open": [pair.before["per_second"] for pairs in stayed.values() for pair in pairs]}


def render(data):
    rows = [[row["tool"], str(len(row["kept"])), figures.text(row["kept"], 2), figures.text(row["cpu"], 2),
             figures.text(row["ns"], 0), *row["loss"], figures.text(row["kept_open"], 2), figures.text(row["ns_open"], 0)]
            for row in data["rows"]]
    return [f"{data['connections']:,} connections a run, each with a request of 64 bytes ({figures.text(data['bare'], 0)} a second without a "
            f"tool), and {data['requests']:,} requests over 32 connections that stay open ({figures.text(data['bare_open'], 0)} a second). "
            "A connection has two ends on this machine. Kernel time with the statistics' own clock.", "",
            *common.markdown(["tool", "pairs", "throughput kept", "CPU of the tool, s per million ends", "kernel ns an end",
                              *common.LOSS_HEAD, "requests kept", "kernel ns a request"], rows)]
