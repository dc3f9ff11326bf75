# SPDX-License-Identifier: Apache-2.0
"""What the scenarios of `connections` have in common."""
from scenario import expect


def ends(event):
    return event["saddr"], event["sport"], event["daddr"], event["dport"]


def of_type(run, event_type):
    return expect(run).those(event_type=event_type).events


def check_event(event):
    """What holds for every event: SRC is who opened it."""
    local, remote = (event["laddr"], event["lport"]), (event["raddr"], event["rport"])
    src, dst = (event["saddr"], event["sport"]), (event["daddr"], event["dport"])
    assert (src, dst) == ((local, remote) if event["event_type"] == "connect" else (remote, local)), event
    assert event["role"] == {"connect": "client", "accept": "server"}[event["event_type"]], event
    assert (event["outcome"] == "established") == ("error" not in event) or event["outcome"] in ("cancelled", "failed"), event


def the_only(run, event_type="connect", **wanted):
    """The only event of this type, which has these values."""
    event = expect(run).one(event_type=event_type)
    check_event(event)
    expect([event]).each(**wanted)
    return event
