# SPDX-License-Identifier: Apache-2.0
"""What the scenarios of `states` share: runs, and what must hold for the events of any socket."""
import collections

import netns
from own_mounts import mounted, own_mounts
from witness import undone

# The two halves of a connection that the client closes first. Where the acknowledgement of the client's FIN comes
# before the server's FIN, the client's socket ends in CLOSE: a FIN_WAIT2 minisocket takes its place.
CLIENT_LIFE = "CLOSE SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT"
CLIENT_LIFE_ORPHANED = "CLOSE SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 CLOSE"
SERVER_LIFE = "LISTEN SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK CLOSE"

# ---- sockeye, events ----

# Room for what the reader leaves lying on a machine that is busy with other things; the default is for one at rest.
ROOM = ("--ring-size", "64M")


def linked_by_threads(net):
    """Namespaces client and server whose packets are handled by threads: on top of a guarded process 1 the kernel runs no
    tracing program, and an event would be missing now and then (docs/limitations.md)."""
    client, server = net.client_and_server()
    for place in (client, server):
        place.receive_in_threads("veth0", needed=False)
    return client, server


def events_in(run, *places):
    """The events of the sockets in these namespaces, in the order of the stream."""
    inodes = {place.inode for place in places}
    return [event for event in run.events if event["netns"] in inodes]


def is_of_listener(event):
    return "LISTEN" in (event["old_state"], event["new_state"]) and event["rport"] == 0


def by_socket(events, all_children=False):
    """The events of each socket, listeners left out, and unless all_children is said those that the kernel undid: see undone()."""
    sockets = collections.defaultdict(list)
    for event in events:
        if not is_of_listener(event):
            sockets[event["cookie"]].append(event)
    return [events for events in sockets.values() if all_children or not is_undone(events)]


def is_undone(events):
    return [(event["old_state"], event["new_state"]) for event in events] == [("LISTEN", "SYN_RECV"), ("SYN_RECV", "CLOSE")]


def check_socket(events, existed=False):
    """What holds for the events of any one socket. existed: it was there before sockeye."""
    for before, after in zip(events, events[1:]):
        assert before["new_state"] == after["old_state"], (before, after)
        elapsed = (after["timestamp_ns"] - before["timestamp_ns"]) // 1000
        assert after["duration_us"] == elapsed, (elapsed, after)
        for key in ("laddr", "lport", "raddr", "rport", "family", "role", "netns"):
            assert before[key] == after[key], (key, before, after)
    first = events[0]
    assert first["duration_us"] is None, first
    assert existed or first["old_state"] in ("CLOSE", "LISTEN"), first
    for event in events:
        assert event["lport"] and event["rport"], f"a port is not known: {event}"
        assert (event["saddr"], event["sport"], event["daddr"], event["dport"]) == (
            event["laddr"], event["lport"], event["raddr"], event["rport"]), event
        assert event["derived"] == (event["new_state"] == "TIME_WAIT"), event
        assert not event["derived"] or event["outcome"] == "time_wait", event


def life(events):
    """The states of one socket in turn, in one word; its events are checked."""
    check_socket(events)
    return " ".join([events[0]["old_state"]] + [event["new_state"] for event in events])


def identity(event):
    """What two runs call this socket: its cookie, or, where they gave it ids of their own (wire.h), its ends."""
    return event["cookie"] if int(event["cookie"]) >> 63 == 0 else tuple(event[key] for key in ("laddr", "lport", "raddr", "rport"))


def transitions(events):
    seen = {(event["cookie"], event["old_state"], event["new_state"]) for event in events}
    assert len(seen) == len(events), f"{len(events) - len(seen)} events came twice"
    return collections.Counter((identity(event), event["old_state"], event["new_state"]) for event in events)


def halves(events, port):
    """The events of the only connection to this port: the client's and the server's socket."""
    sockets = by_socket(events)
    client = [socket for socket in sockets if socket[0]["rport"] == port]
    server = [socket for socket in sockets if socket[0]["lport"] == port]
    assert len(client) == len(server) == 1 and len(sockets) == 2, [life(socket) for socket in sockets]
    client, server = client[0], server[0]
    assert (client[0]["laddr"], client[0]["lport"]) == (server[0]["raddr"], server[0]["rport"]), (client, server)
    assert (client[0]["raddr"], client[0]["rport"]) == (server[0]["laddr"], server[0]["lport"]), (client, server)
    return client, server


def owners(events):
    """(pid, owner_source) of each event, repetitions left out."""
    seen = []
    for event in events:
        if not seen or seen[-1] != (event["pid"], event["owner_source"]):
            seen.append((event["pid"], event["owner_source"]))
    return seen


def served_by(events, listener):
    """The owners of an accepted socket after those that it has from its listener and from accept(), which not every
    kernel shows, and which may come as early as the first event."""
    first = owners(events)[0]
    assert first == (listener, "inherited") or first[1] == "accept", first
    return [owner for owner in owners(events) if owner[1] not in ("inherited", "accept")]


def knows_each_listener(run):
    """Not on 5.10 and PREEMPT_RT: of several listeners on one end the last one is taken there."""
    return "clones nothing from a listener" not in run.stderr


def events_of(place, connections, listeners=2):
    """How many events there are of so many short connections, whose server is in `place`, and of its listeners."""
    return 10 * connections + 2 * listeners + 2 * undone(place, connections)


# ---- disks ----

def small_disk(net, folder, free_kib=64, out=""):
    """A place that has a disk of 512 KiB mounted on `folder`, of which so much is free until somebody removes the file
    `ballast`. out: the file on it that standard output is appended to."""
    script = (f"mount -t tmpfs -o size=512k small '{folder}' && "
              f"dd status=none if=/dev/zero of='{folder}/ballast' bs=1k count={512 - free_kib}")
    return netns.Place(net, own_mounts(f"""{script} && exec "$@" >> '{folder}/{out}'""") if out else mounted(script))
