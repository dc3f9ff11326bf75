# SPDX-License-Identifier: Apache-2.0
"""What several tables are made of."""
import statistics

import figures
import tools

MILLION = 1e6
PAIRS = 15         # of what is promised
SELDOM_PAIRS = 5   # of peers, which are slow and far away
QUICK_PAIRS = 3
QUICK_SELDOM_PAIRS = 1


def markdown(head, rows, text_columns=1):
    """Lines of a table; the first columns are text, the others are numbers."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in [head, *rows]]
    align = [":--"] * text_columns + ["--:"] * (len(head) - text_columns)
    return ["| " + " | ".join(row) + " |" for row in [cells[0], align, *cells[1:]]]


def kept(pairs, figure="per_second"):
    return figures.paired(pairs, lambda run: run[figure])


def cpu_per_million(runs):
    """CPU seconds of the tool per million events that there were, of each run."""
    return [run["tool_cpu"] / run["truth"] * MILLION for run in runs if run["truth"]]


def delivered(runs):
    """The part that was delivered, of each run."""
    return [run["delivered"] / run["truth"] for run in runs if run["truth"]]


def loss(runs):
    """(delivered, lost, truth) of all runs together."""
    return tuple(int(sum(run[key] for run in runs)) for key in ("delivered", "lost", "truth"))


def loss_cells(runs):
    got, lost, truth = loss(runs)
    return [f"{got / truth:.4f}" if truth else "-", f"{lost:,}", f"{truth - got - lost:,}"]


LOSS_HEAD = ["delivered / truth", "reported lost", "neither"]


def kernel_ns(run, events):
    """Kernel time of all programs of a run, in ns for each of so many events."""
    return sum(time for _, time in run["programs"].values()) / events


def clock_ns(runs):
    """What the kernel's statistics add to each run of a program: the time of one that does nothing."""
    return statistics.median(time / count for run in runs for count, time in run["programs"].values())


def states_tools(session):
    """sockeye and what it is compared with: (those of every round, peers)."""
    first = [tools.sockeye_states(session.build), tools.limit(session.build)]
    return session.usable(first), session.usable([tools.TCPSTATES, tools.TCPSTATES_BCC, tools.BPFTRACE_PRINT])
