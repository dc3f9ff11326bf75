# SPDX-License-Identifier: Apache-2.0
"""Every network namespace of the machine, and what ss shows in all of them."""
import os

import netns


def mounted():
    """Files that network namespaces are mounted on: those of `ip netns`, and any other."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as mounts:
        words = [line.split() for line in mounts]
    return [line[4] for line in words if " - nsfs " in " ".join(line) and line[3].startswith("net:")]


def of_threads():
    """Files of the threads of each process that has more than one."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            threads = os.listdir(f"/proc/{pid}/task")
        except OSError:
            continue  # it has ended
        yield from (f"/proc/{pid}/task/{tid}/ns/net" for tid in threads if len(threads) > 1)


def network_namespaces():
    """A file of each that a process, a thread or a mount holds."""
    files = {}
    candidates = [f"/proc/{pid}/ns/net" for pid in os.listdir("/proc") if pid.isdigit()]
    for file in [*candidates, *mounted(), *of_threads()]:
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
