# SPDX-License-Identifier: Apache-2.0
"""Every network namespace of the machine, and what ss shows in all of them."""
import os

import netns


def network_namespaces():
    """A file of each that a process or a name of `ip netns` holds."""
    files = {}
    named = os.listdir(netns.NETNS_DIR) if os.path.isdir(netns.NETNS_DIR) else ()
    candidates = [f"/proc/{pid}/ns/net" for pid in os.listdir("/proc") if pid.isdigit()]
    for file in candidates + [f"{netns.NETNS_DIR}/{name}" for name in named]:
        try:
            files.setdefault(os.stat(file).st_ino, file)
        except OSError:
            pass  # it has ended
    return list(files.values())


def ss_everywhere(net, options):
    """The lines of ss, from one namespace after the other."""
    nsenter, ss = netns.require("nsenter", "ss")
    for file in network_namespaces():
        done = net.host.run([nsenter, f"--net={file}", "--", ss, options], check=False)  # it may be gone by now
        yield from done.stdout.splitlines()
