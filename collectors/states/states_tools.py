# SPDX-License-Identifier: Apache-2.0
"""What the scenarios of `states` share: runs, and what must hold for the rows of any socket."""
import collections

import netns
from witness import undone

# The two halves of a connection that the client closes first. Where the acknowledgement of the client's FIN comes
# before the server's FIN, the client's socket ends in CLOSE: a FIN_WAIT2 minisocket takes its place.
CLIENT_LIFE = "CLOSE SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT"
CLIENT_LIFE_ORPHANED = "CLOSE SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 CLOSE"
SERVER_LIFE = "LISTEN SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK CLOSE"

# ---- sockeye, rows ----

# Room for what the reader leaves lying on a machine that is busy with other things; the default is for one at rest.
ROOM = ("--ring-size", "64M")


def watch(net, *places, words=(), **options):
    """sockeye, for these namespaces only: what else happens on the machine is none of the scenario's business."""
    return net.sockeye("states", "--netns", ",".join(str(place.inode) for place in places), *words, **options)


def linked_by_threads(net):
    """Namespaces client and server whose packets are handled by threads: on top of a guarded process 1 the kernel runs no
    tracing program, and a row would be missing now and then (docs/limitations.md)."""
    client, server = net.client_and_server()
    for place in (client, server):
        place.receive_in_threads("veth0", needed=False)
    return client, server


def rows_in(run, *places):
    """The rows of the sockets in these namespaces, in the order of the stream."""
    inodes = {place.inode for place in places}
    return [row for row in run.events if row["netns"] in inodes]


def of_port(rows, port):
    return [row for row in rows if port in (row["lport"], row["rport"])]


def is_of_listener(row):
    return "LISTEN" in (row["old_state"], row["new_state"]) and row["rport"] == 0


def by_socket(rows, all_children=False):
    """The rows of each socket, listeners left out, and unless all_children is said those that the kernel undid: see undone()."""
    sockets = collections.defaultdict(list)
    for row in rows:
        if not is_of_listener(row):
            sockets[row["cookie"]].append(row)
    return [rows for rows in sockets.values() if all_children or not is_undone(rows)]


def is_undone(rows):
    return [(row["old_state"], row["new_state"]) for row in rows] == [("LISTEN", "SYN_RECV"), ("SYN_RECV", "CLOSE")]


def check_socket(rows, existed=False):
    """What holds for the rows of any one socket. existed: it was there before sockeye."""
    for before, after in zip(rows, rows[1:]):
        assert before["new_state"] == after["old_state"], (before, after)
        elapsed = (after["timestamp_ns"] - before["timestamp_ns"]) // 1000
        assert after["duration_us"] == elapsed, (elapsed, after)
        for key in ("laddr", "lport", "raddr", "rport", "family", "role", "netns"):
            assert before[key] == after[key], (key, before, after)
    first = rows[0]
    assert first["duration_us"] is None, first
    assert existed or first["old_state"] in ("CLOSE", "LISTEN"), first
    for row in rows:
        assert row["lport"] and row["rport"], f"a port is not known: {row}"
        assert (row["saddr"], row["sport"], row["daddr"], row["dport"]) == (
            row["laddr"], row["lport"], row["raddr"], row["rport"]), row
        assert row["derived"] == (row["new_state"] == "TIME_WAIT"), row
        assert not row["derived"] or row["outcome"] == "time_wait", row


def life(rows):
    """The states of one socket in turn, in one word; its rows are checked."""
    check_socket(rows)
    return " ".join([rows[0]["old_state"]] + [row["new_state"] for row in rows])


def identity(row):
    """What two runs call this socket: its cookie, or, where they gave it ids of their own (wire.h), its ends."""
    return row["cookie"] if int(row["cookie"]) >> 63 == 0 else tuple(row[key] for key in ("laddr", "lport", "raddr", "rport"))


def transitions(rows):
    seen = {(row["cookie"], row["old_state"], row["new_state"]) for row in rows}
    assert len(seen) == len(rows), f"{len(rows) - len(seen)} rows came twice"
    return collections.Counter((identity(row), row["old_state"], row["new_state"]) for row in rows)


def halves(rows, port):
    """The rows of the only connection to this port: the client's and the server's socket."""
    sockets = by_socket(rows)
    client = [socket for socket in sockets if socket[0]["rport"] == port]
    server = [socket for socket in sockets if socket[0]["lport"] == port]
    assert len(client) == len(server) == 1 and len(sockets) == 2, [life(socket) for socket in sockets]
    client, server = client[0], server[0]
    assert (client[0]["laddr"], client[0]["lport"]) == (server[0]["raddr"], server[0]["rport"]), (client, server)
    assert (client[0]["raddr"], client[0]["rport"]) == (server[0]["laddr"], server[0]["lport"]), (client, server)
    return client, server


def owners(rows):
    """(pid, owner_source) of each row, repetitions left out."""
    seen = []
    for row in rows:
        if not seen or seen[-1] != (row["pid"], row["owner_source"]):
            seen.append((row["pid"], row["owner_source"]))
    return seen


def served_by(rows, listener):
    """The owners of an accepted socket after those that it has from its listener and from accept(), which not every
    kernel shows, and which may come as early as the first row."""
    first = owners(rows)[0]
    assert first == (listener, "inherited") or first[1] == "accept", first
    return [owner for owner in owners(rows) if owner[1] not in ("inherited", "accept")]


def rows_of(place, connections, listeners=2):
    """How many rows there are of so many short connections, whose server is in `place`, and of its listeners."""
    return 10 * connections + 2 * listeners + 2 * undone(place, connections)


# ---- disks ----

def small_disk(net, folder, free_kib=64, out=""):
    """A place that has a disk of 512 KiB mounted on `folder`, of which so much is free until somebody removes the file
    `ballast`. out: the file on it that standard output is appended to."""
    script = (f'mount -t tmpfs -o size=512k small "$0" && '
              f'dd status=none if=/dev/zero of="$0/ballast" bs=1k count={512 - free_kib} && ')
    script += f'exec "$@" >> "$0/{out}"' if out else 'exec "$@"'
    return netns.Place(net, [netns.require("unshare"), "--mount", "sh", "-c", script, str(folder)])
