# SPDX-License-Identifier: Apache-2.0
"""Which peers run on this machine, and why the others do not."""
import pathlib
import platform

import tools
from tables import common

TITLE = "Peers"
REASON_LENGTH = 160


def missing_here():
    """What peers need and this machine does not have."""
    needs = (("kprobes", pathlib.Path("/sys/bus/event_source/devices/kprobe")),
             ("headers of its kernel, which bcc compiles with", pathlib.Path(f"/lib/modules/{platform.release()}/build")))
    return [what for what, where in needs if not where.exists()]


def measure(session):
    return {"missing": missing_here(), "rows": [{"tool": tool.name, "reason": session.why_not(tool)} for tool in tools.PEERS]}


def shown(reason):
    """A tool's own words, as text that cannot be anything else."""
    if reason is None:
        return "runs"
    words = "".join(c if c.isprintable() and c not in "`<>" else " " for c in reason)
    return "no: " + (words if len(words) <= REASON_LENGTH else words[:REASON_LENGTH] + "...")


def render(data):
    missing = f" This machine has no {', and no '.join(data['missing'])}." if data["missing"] else ""
    return ["Debian's packages bpftrace, libbpf-tools and bpfcc-tools, with default options. Where one does not run, its own words."
            + missing, "", *common.markdown(["tool", "here"], [[row["tool"], shown(row["reason"])] for row in data["rows"]], text_columns=2)]
