# SPDX-License-Identifier: Apache-2.0
"""Which peers run on this machine, and why the others do not."""
import pathlib
import platform

import document
import tools
from tables import common

TITLE = "Peers"


def missing_here():
    """What peers need and this machine does not have."""
    needs = (("kprobes", pathlib.Path("/sys/bus/event_source/devices/kprobe")),
             ("headers of its kernel, which bcc compiles with", pathlib.Path(f"/lib/modules/{platform.release()}/build")))
    return [what for what, where in needs if not where.exists()]


def measure(session):
    return {"missing": missing_here(), "rows": [{"tool": tool.name, "reason": session.why_not(tool)} for tool in tools.PEERS]}


def render(data):
    missing = f" This machine has no {', and no '.join(data['missing'])}." if data["missing"] else ""
    rows = [[row["tool"], "no: " + document.shown(row["reason"]) if row["reason"] else "runs"] for row in data["rows"]]
    return ["Debian's packages bpftrace, libbpf-tools and bpfcc-tools, with default options. Where one does not run, its own words."
            + missing, "", *common.markdown(["tool", "here"], rows, text_columns=2)]
