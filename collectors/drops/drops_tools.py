# SPDX-License-Identifier: Apache-2.0
"""What the scenarios of `drops` share: what this kernel tells of a drop, the events of a namespace, and witnesses."""
import collections
import json

import netns
from kernel_types import has_name, tracepoint_arguments
from witness import nstat

DEBIAN_PYTHON = "/usr/bin/python3"  # which has scapy, whatever other python3 there is


def has_reasons():
    return has_name("SKB_DROP_REASON_NO_SOCKET")


def has_reset_reasons():
    return has_name("SK_RST_REASON_NO_SOCKET")


def names_sockets():
    """From 6.11: the kernel says for which socket a packet was that it drops."""
    return tracepoint_arguments("kfree_skb") >= 4


def told_reason(name):
    """What `reason` has to be for a drop that kernels from 5.17 on have this name for."""
    return name if has_reasons() else None


def of_type(events, event_type):
    return [event for event in events if event["type"] == event_type]


def by_reason(events):
    return collections.Counter(event["reason"] for event in events)


def wait_for_drop(sockeye, **wanted):
    """The next event whose keys have these values."""
    return sockeye.wait_for(lambda event: event["event"] == "drops" and
                            all(event[key] == value for key, value in wanted.items()))


class Counters:
    """The namespace's counters from now on."""

    def __init__(self, place, *names):
        self.place, self.names = place, names
        self.before = nstat(place, *names)

    def since(self):
        return dict(zip(self.names, (now - before for now, before in zip(nstat(self.place, *self.names), self.before))))


def scapy(place, statements):
    """Runs statements with scapy's names at hand; what they send leaves `place`."""
    code = "import logging; logging.disable(50)\nfrom scapy.all import *\nconf.verb = 0\n" + statements
    return place.run([DEBIAN_PYTHON, "-c", code], timeout=60)


def need_scapy(net):
    if net.host.run([DEBIAN_PYTHON, "-c", "import scapy"], check=False).code != 0:
        netns.skip("not installed: python3-scapy")


def rule(place, family, *words):
    """A rule of iptables or ip6tables; its packets are counted (rule_packets())."""
    program = netns.require("ip6tables" if family == 6 else "iptables")
    done = place.run([program, "-A", *words, "-j", "DROP"], check=False)
    if done.code != 0:
        netns.skip(f"{program} takes no rule here: {done.stderr.strip()}")


def rule_packets(place, family, chain):
    """Packets of the rules of a chain, as iptables -v -x tells them."""
    program = netns.require("ip6tables" if family == 6 else "iptables")
    lines = place.run([program, "-L", chain, "-n", "-v", "-x"]).stdout.splitlines()[2:]
    return sum(int(line.split()[0]) for line in lines)


def replayed(net, file, *words):
    done = net.host.run([netns.program_of("SOCKEYE"), "replay", file, "--format", "json", "--end-record", *words])
    return done.stdout


def parsed(text):
    return [json.loads(line) for line in text.splitlines()]
