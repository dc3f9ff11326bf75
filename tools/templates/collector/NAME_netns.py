# SPDX-License-Identifier: Apache-2.0
"""`@NAME@`: the state changes of a socket are numbered without a hole. The witness: what a connection goes through."""
from scenario import expect

CLIENT_CHANGES = 4  # CLOSE -> SYN_SENT -> ESTABLISHED -> FIN_WAIT1 -> FIN_WAIT2, and what comes after that


def each_is_numbered(net, family):
    pair = net.tcp_pair(family)
    sockeye = pair.watch("@NAME@")
    c, s = pair.connect()
    c.send(1000)
    s.receive(1000)
    c.close()
    sockeye.wait_for(lambda event: event.get("nth") == CLIENT_CHANGES and c.is_of(event))
    s.close()
    events = expect(sockeye.stop())
    of_client = events.of(c).each(pid=c.pid)
    assert len(of_client) >= CLIENT_CHANGES, of_client
    assert [event["nth"] for event in of_client] == list(range(1, len(of_client) + 1)), of_client
    events.of(s).one(nth=1, pid=s.pid)


def test_each_is_numbered_ipv4(net):
    each_is_numbered(net, 4)


def test_each_is_numbered_ipv6(net):
    each_is_numbered(net, 6)
