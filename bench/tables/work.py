# SPDX-License-Identifier: Apache-2.0
"""Connections that stay open: what is left of requests and of streams, where nothing is to be shown."""
import figures
import tools
from tables import common

TITLE = "Connections that stay open"
MIB = 1 << 20


def measured(session, wanted, work, amount):
    """Throughput kept, and kernel ns for one of so many."""
    found = session.pairs(wanted, work, session.pick(5, 2))
    measured_in_kernel = session.in_turn(found, work, session.pick(3, 1), statistics=True)
    return [{"tool": tool.name, "kept": common.kept(pairs), "bare": [pair.before["per_second"] for pair in pairs],
             "ns": [common.kernel_ns(run, amount) for run in measured_in_kernel.get(tool, ())]}
            for tool, pairs in found.items()]


def measure(session):
    wanted = session.usable([tools.sockeye_states(session.build), tools.limit(session.build), tools.TCPSTATES])
    requests = session.pick(100_000, 20_000)
    size = session.pick(4096, 1024) * MIB
    return {"requests": requests, "size": size // MIB,
            "rr": measured(session, wanted, lambda: session.workload.requests(requests), requests),
            "stream": measured(session, wanted, lambda: session.workload.stream(size), size / MIB)}


def render(data):
    bare_rr = [value for row in data["rr"] for value in row["bare"]]
    bare_stream = [value / MIB for row in data["stream"] for value in row["bare"]]
    rows = [[of_rr["tool"], str(len(of_rr["kept"])), figures.text(of_rr["kept"], 2), figures.text(of_rr["ns"], 0),
             figures.text(of_stream["kept"], 2), figures.text(of_stream["ns"], 0)]
            for of_rr, of_stream in zip(data["rr"], data["stream"])]
    return [f"{data['requests']:,} requests of 64 bytes, answered, over 32 connections ({figures.text(bare_rr, 0)} a second without a "
            f"tool), and {data['size']:,} MiB over 2 connections ({figures.text(bare_stream, 0)} MiB/s), flat out.", "",
            *common.markdown(["tool", "pairs", "requests kept", "kernel ns a request", "stream kept", "kernel ns a MiB"], rows)]
