# SPDX-License-Identifier: Apache-2.0
"""`states` and connections that idled when it started, in three network namespaces, one of them without any process."""
import collections
import re

import netns
from holders import IDLE, PORT, three_holders
from namespaces import ss_everywhere
from puppet import Puppet
from scenario import watch
from states_tools import by_socket, check_socket, is_of_listener, owners, events_in, transitions

ALONE = "holds thousands of connections, and counts those of the whole machine"
CLIENT = "ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT"
CLIENT_ORPHANED = "ESTABLISHED FIN_WAIT1 FIN_WAIT2 CLOSE"
BOTH_AT_ONCE = "ESTABLISHED FIN_WAIT1 CLOSING TIME_WAIT"
SERVER = "ESTABLISHED CLOSE_WAIT LAST_ACK CLOSE"


def check_lives(events):
    """Of one namespace, where all events are there."""
    lives = collections.Counter()
    for socket in by_socket(events):
        check_socket(socket, existed=True)
        lives[socket[0]["lport"] == PORT, " ".join([socket[0]["old_state"]] + [event["new_state"] for event in socket])] += 1
    both = lives[True, BOTH_AT_ONCE]  # the server's end is closed before it has seen the client's FIN
    assert lives[True, SERVER] + both == IDLE, lives
    assert lives[False, CLIENT] + lives[False, CLIENT_ORPHANED] + lives[False, BOTH_AT_ONCE] == IDLE, lives
    assert lives[False, BOTH_AT_ONCE] == both and sum(lives.values()) == 2 * IDLE, lives


def test_idle_connections_of_before_are_closed(net):
    """Each socket's first event says which state it was in, and whose it is. Two runs watch, and see the same: events that
    neither has came on top of a guarded process 1 (tests/netns/guarded.py)."""
    held = three_holders(net)
    spaces = [holder.space for holder in held]
    sockeyes = [watch(net, "states", *spaces) for _ in range(2)]
    for holder in held:
        holder.close()
    theirs, run = (sockeye.stop() for sockeye in sockeyes)
    assert transitions(events_in(theirs, *spaces)) == transitions(events_in(run, *spaces))
    for holder in held:
        events = events_in(run, holder.space)
        sockets = by_socket(events)
        assert len(sockets) == 2 * IDLE, len(sockets)
        for socket in sockets:
            assert socket[0]["old_state"] == "ESTABLISHED" and owners(socket) == [(holder.pid, "snapshot")], socket
        listener, = [event for event in events if is_of_listener(event)]
        assert (listener["pid"], listener["old_state"], listener["new_state"]) == (holder.pid, "LISTEN", "CLOSE"), listener
        if len(events) == 6 * IDLE + 1:
            check_lives(events)
        else:
            missing = 6 * IDLE + 1 - len(events)
            assert net.hidden.explains(missing), f"{missing} events are in neither run, {net.hidden.count()} were hidden"


def held_sockets_in_ss(net):
    """How many TCP sockets of this machine a process holds, and of them those that others than process 1 do: a guarded
    process 1 is hidden from iterators (docs/limitations.md)."""
    held, others = 0, 0
    for line in ss_everywhere(net, "-Htanp"):
        pids = set(re.findall(r"pid=(\d+)", line))
        held += bool(pids)
        others += bool(pids - {"1"})
    return held, others


def start_counted(net, place):
    """A sockeye whose words on what existed can be compared, as nothing came or went while it started."""
    for _ in range(10):
        before = held_sockets_in_ss(net)
        sockeye = watch(net, "states", place)
        if held_sockets_in_ss(net) == before:
            return sockeye, before
        sockeye.stop()
    netns.skip("sockets come and go all the time on this machine")


def test_what_existed_is_counted(net):
    client, server = net.client_and_server()
    left, right = Puppet(client), Puppet(server)
    for family in (4, 6):
        right.do(f"l{family} = listen({server.addresses[family]!r}, {PORT})")
        left.do(f"c{family} = [connect({server.addresses[family]!r}, {PORT}) for _ in range(20)]")
        right.do(f"s{family} = [l{family}.accept()[0] for _ in range(20)]")
    sockeye, (held, others) = start_counted(net, client)
    said = sockeye.stop().stderr
    words = re.search(r"found owners for ([\d,]+) existing TCP sockets? \(\d+ ms\)", said)
    assert words, said
    assert 82 <= others <= int(words[1].replace(",", "")) <= held, (said, others, held)
