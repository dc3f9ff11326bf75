# SPDX-License-Identifier: Apache-2.0
"""`states` where the kernel has no room for another TIME_WAIT (net.ipv4.tcp_max_tw_buckets)."""
import collections

import netns
from scenario import watch
from states_tools import by_socket, events_in
from witness import nstat

PORT = 7000
CONNECTIONS = 200
ROOM = 10


def closed_by_the_client(net, room):
    """The last events of CONNECTIONS clients whose namespace has room for so many minisockets, and the run."""
    client, server = net.client_and_server()
    client.run(["sh", "-c", f"echo {room} > /proc/sys/net/ipv4/tcp_max_tw_buckets"])
    server.load("server", "--addr", server.addresses[4], "--port", PORT)
    server.wait_listen(PORT)
    sockeye = watch(net, "states", client)
    load = client.load("client", "--addr", server.addresses[4], "--port", PORT, "--connections", CONNECTIONS)
    assert load.wait(60) == 0, load.stderr
    # Whatever still waits for its peer has a last event to come.
    netns.wait_until(lambda: not client.run([netns.require("ss"), "-Htan", "exclude", "time-wait", "exclude",
                                             "fin-wait-2"]).stdout.strip(), "the end of all connections")
    run = sockeye.stop()
    last = [socket[-1] for socket in by_socket(events_in(run, client))]
    assert len(last) == CONNECTIONS, len(last)
    return client, last, run


def minisockets(place):
    return len(place.run([netns.require("ss"), "-Htan", "state", "time-wait", "state", "fin-wait-2"]).stdout.splitlines())


def outcomes(events):
    return collections.Counter(event["outcome"] for event in events)


def test_table_full(net):
    client, last, run = closed_by_the_client(net, ROOM)
    seen = outcomes(last)
    sure, there = seen["time_wait"] + seen["fin_wait2_orphan"], minisockets(client)
    assert there == ROOM, there
    assert nstat(client, "TcpExtTCPTimeWaitOverflow") == [CONNECTIONS - ROOM]
    # At the limit it may be the one that filled the table: that one is there, too, and its event is not sure of it.
    assert sure == there - 1 and sure + seen["table_full"] == CONNECTIONS, seen
    for event in last:
        full = event["outcome"] == "table_full"
        assert event["old_state"] in ("FIN_WAIT2", "CLOSING"), event
        assert event["derived"] == (event["outcome"] == "time_wait") and (not full or event["new_state"] == "CLOSE"), event
    assert run.end["table_full"] == seen["table_full"], run.end
    assert f"{seen['table_full']} events into CLOSE may have left TIME_WAIT behind" in run.stderr, run.stderr


def test_table_with_room(net):
    client, last, run = closed_by_the_client(net, CONNECTIONS + 1)
    seen = outcomes(last)
    assert seen["time_wait"] + seen["fin_wait2_orphan"] == CONNECTIONS == minisockets(client), seen
    assert nstat(client, "TcpExtTCPTimeWaitOverflow") == [0]
    assert run.end["table_full"] == 0 and "TIME_WAIT table" not in run.stderr, (run.end, run.stderr)
