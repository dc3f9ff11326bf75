# SPDX-License-Identifier: Apache-2.0
"""What there is of BPF in the kernel, as /proc and bpftool show it: whose programs, maps and links."""
import contextlib
import json
import pathlib
import re

import netns


def descriptors_of(pid):
    """What /proc/<pid>/fdinfo says of each open descriptor."""
    for info in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            yield info.read_text(encoding="ascii")


def ids_of(pid, kind):
    """Of the programs, maps or links ("prog", "map", "link") that the descriptors of a process hold."""
    matches = (re.search(rf"^{kind}_id:\s*(\d+)$", told, re.MULTILINE) for told in descriptors_of(pid))
    return {int(match[1]) for match in matches if match}


def in_kernel(net, kind):
    """What bpftool shows of all there is, by id."""
    shown = net.host.run([netns.require("bpftool"), "-j", kind, "show"]).stdout
    return {entry["id"]: entry for entry in json.loads(shown)}
