# SPDX-License-Identifier: Apache-2.0
"""What the scenarios of `connections` have in common."""

PORT = 9000


def watch(net, *places, words=(), **options):
    return net.sockeye("connections", "--netns", ",".join(str(place.inode) for place in places), *words, **options)


def ends(event):
    return event["saddr"], event["sport"], event["daddr"], event["dport"]


def of_type(run, event_type):
    return [event for event in run.events if event["event_type"] == event_type]


def check_event(event):
    """What holds for every event: SRC is who opened it."""
    local, remote = (event["laddr"], event["lport"]), (event["raddr"], event["rport"])
    src, dst = (event["saddr"], event["sport"]), (event["daddr"], event["dport"])
    assert (src, dst) == ((local, remote) if event["event_type"] == "connect" else (remote, local)), event
    assert event["role"] == {"connect": "client", "accept": "server"}[event["event_type"]], event
    assert (event["outcome"] == "established") == ("error" not in event) or event["outcome"] in ("cancelled", "failed"), event


def the_only(run, event_type="connect"):
    events = of_type(run, event_type)
    assert len(events) == 1, run.events
    check_event(events[0])
    return events[0]
