# SPDX-License-Identifier: Apache-2.0
"""Owners on a path with a delay, as a real one has: a timer hands on the packets, to whatever runs then. Where netem is
missing, tests/vm/ has kernels with it."""
import netns
from states_load_netns import run_short

DELAY = "5ms"  # each way
CONNECTIONS = 300


def delayed_pair(net):
    """Namespaces client and server; what goes from one to the other arrives after DELAY."""
    client, server = net.client_and_server()
    for place in (client, server):
        done = place.run([netns.require("tc"), "qdisc", "add", "dev", "veth0", "root", "netem", "delay", DELAY], check=False)
        if "unknown" in done.stderr or "not found" in done.stderr:
            netns.skip("this kernel has no sch_netem")
        assert done.code == 0, done.stderr
    return client, server


def owners_are_right(net, family):
    """run_short() compares every event's owner with who made it; that says something where others had the CPU."""
    client_place, server_place = delayed_pair(net)
    events, client, server = run_short(net, client_place, server_place, server_place.addresses[family], CONNECTIONS)
    strangers = sum(event.get("task_pid", event["pid"]) not in (client.pid, server.pid) for event in events)
    print(f"{strangers} of {len(events)} events came in the context of somebody else")
    assert strangers > len(events) / 2, strangers


def test_owners_ipv4(net):
    owners_are_right(net, 4)


def test_owners_ipv6(net):
    owners_are_right(net, 6)
