# SPDX-License-Identifier: Apache-2.0
"""`states` and connections that idled when it started, in three network namespaces, one of them without any process."""
import collections

from holders import IDLE, PORT, three_holders
from states_tools import by_socket, check_socket, is_of_listener, owners, rows_in, transitions, watch

ALONE = "holds thousands of connections"
CLIENT = "ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT"
CLIENT_ORPHANED = "ESTABLISHED FIN_WAIT1 FIN_WAIT2 CLOSE"
BOTH_AT_ONCE = "ESTABLISHED FIN_WAIT1 CLOSING TIME_WAIT"
SERVER = "ESTABLISHED CLOSE_WAIT LAST_ACK CLOSE"


def check_lives(rows):
    """Of one namespace, where all rows are there."""
    lives = collections.Counter()
    for socket in by_socket(rows):
        check_socket(socket, existed=True)
        lives[socket[0]["lport"] == PORT, " ".join([socket[0]["old_state"]] + [row["new_state"] for row in socket])] += 1
    both = lives[True, BOTH_AT_ONCE]  # the server's end is closed before it has seen the client's FIN
    assert lives[True, SERVER] + both == IDLE, lives
    assert lives[False, CLIENT] + lives[False, CLIENT_ORPHANED] + lives[False, BOTH_AT_ONCE] == IDLE, lives
    assert lives[False, BOTH_AT_ONCE] == both and sum(lives.values()) == 2 * IDLE, lives


def test_idle_connections_of_before_are_closed(net):
    """Each socket's first row says which state it was in, and whose it is. Two runs watch, and see the same: rows that
    neither has came on top of a guarded process 1 (tests/netns/guarded.py)."""
    held = three_holders(net)
    spaces = [holder.space for holder in held]
    sockeyes = [watch(net, *spaces) for _ in range(2)]
    for holder in held:
        holder.close()
    theirs, run = (sockeye.stop() for sockeye in sockeyes)
    assert transitions(rows_in(theirs, *spaces)) == transitions(rows_in(run, *spaces))
    for holder in held:
        rows = rows_in(run, holder.space)
        sockets = by_socket(rows)
        assert len(sockets) == 2 * IDLE, len(sockets)
        for socket in sockets:
            assert socket[0]["old_state"] == "ESTABLISHED" and owners(socket) == [(holder.pid, "snapshot")], socket
        listener, = [row for row in rows if is_of_listener(row)]
        assert (listener["pid"], listener["old_state"], listener["new_state"]) == (holder.pid, "LISTEN", "CLOSE"), listener
        if len(rows) == 6 * IDLE + 1:
            check_lives(rows)
        else:
            missing = 6 * IDLE + 1 - len(rows)
            assert net.hidden.explains(missing), f"{missing} rows are in neither run, {net.hidden.count()} were hidden"
