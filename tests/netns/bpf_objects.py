# SPDX-License-Identifier: Apache-2.0
"""What there is of BPF in the kernel, as /proc and bpftool show it: whose programs, maps and links."""
import contextlib
import json
import pathlib
import re

import netns


def ids_of(pid, kind):
    """Of the programs, maps or links ("prog", "map", "link") that the descriptors of a process hold."""
    found = set()
    for info in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            if match := re.search(rf"^{kind}_id:\s*(\d+)$", info.read_text(encoding="ascii"), re.MULTILINE):
                found.add(int(match[1]))
    return found


def in_kernel(net, kind):
    """What bpftool shows of all there is, by id."""
    shown = net.host.run([netns.require("bpftool"), "-j", kind, "show"]).stdout
    return {entry["id"]: entry for entry in json.loads(shown)}
