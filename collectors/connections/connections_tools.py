# SPDX-License-Identifier: Apache-2.0
"""What the scenarios of `connections` have in common."""

PORT = 9000


def watch(net, *places, words=(), **options):
    return net.sockeye("connections", "--netns", ",".join(str(place.inode) for place in places), *words, **options)


def ends(row):
    return row["saddr"], row["sport"], row["daddr"], row["dport"]


def of_type(run, event_type):
    return [row for row in run.events if row["event_type"] == event_type]


def check_row(row):
    """What holds for every row: SRC is who opened it."""
    local, remote = (row["laddr"], row["lport"]), (row["raddr"], row["rport"])
    src, dst = (row["saddr"], row["sport"]), (row["daddr"], row["dport"])
    assert (src, dst) == ((local, remote) if row["event_type"] == "connect" else (remote, local)), row
    assert row["role"] == {"connect": "client", "accept": "server"}[row["event_type"]], row
    assert (row["outcome"] == "established") == ("error" not in row) or row["outcome"] in ("cancelled", "failed"), row


def the_only(run, event_type="connect"):
    rows = of_type(run, event_type)
    assert len(rows) == 1, run.events
    check_row(rows[0])
    return rows[0]
