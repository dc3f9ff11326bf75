# SPDX-License-Identifier: Apache-2.0
"""`states` and connections that idled when it started, in three network namespaces, one of them without any process."""
import collections

from holders import IDLE, PORT, three_holders
from scenario import watch
from states_tools import by_socket, check_socket, is_of_listener, owners, events_in, transitions

ALONE = "holds thousands of connections"
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
