# SPDX-License-Identifier: Apache-2.0
"""What others say of sockets and processes: ss, nstat, /proc."""
import pathlib
import re

import netns


def comm_of(pid):
    return pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="utf-8")[:-1]


def ss_states(place, condition):
    """What ss calls the states of the sockets that it finds for `sport = :80` or the like, listeners left out."""
    lines = place.run([netns.require("ss"), "-Htan", "exclude", "listening", condition]).stdout.splitlines()
    return sorted(line.split()[0] for line in lines)


def wait_ss(place, condition, *states, timeout=netns.PATIENCE_S):
    """Until ss shows these states; without any, until it shows no socket."""
    wanted = sorted(states)
    netns.wait_until(lambda: ss_states(place, condition) == wanted, f"{', '.join(wanted) or 'no socket'} of {condition} in ss", timeout,
                     seen=lambda: ss_states(place, condition))


def holders(place, condition):
    """The processes that have the sockets of this condition open, as ss finds them in /proc."""
    lines = place.run([netns.require("ss"), "-Htnp", condition]).stdout
    return sorted(int(pid) for pid in re.findall(r"pid=(\d+)", lines))


def nstat(place, *names):
    """The namespace's own counters, since it was made."""
    lines = place.run([netns.require("nstat"), "-asz", *names]).stdout.splitlines()
    counts = {words[0]: int(words[1]) for words in map(str.split, lines) if len(words) > 1 and words[0] in names}
    return [counts[name] for name in names]


def undone(place, connections):
    """How many children the kernel made and closed again, as each of two CPUs that handled the acknowledgement and the first
    data of a handshake made one (inet_ehash_nolisten()). Two events each: LISTEN -> SYN_RECV -> CLOSE. Its counter has all."""
    return nstat(place, "TcpPassiveOpens")[0] - connections
