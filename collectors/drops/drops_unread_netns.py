# SPDX-License-Identifier: Apache-2.0
"""A server that closes with unread data makes the kernel send a RST: told once as sent and once as received, with the processes."""
from drops_tools import has_reset_reasons
from scenario import expect
from witness import nstat, wait_ss


def resets(pair):
    """What the kernel counts: closed with unread data, and RSTs that the server's namespace sent."""
    return nstat(pair.server.place, "TcpExtTCPAbortOnClose", "TcpOutRsts")


def test_unread_data(net):
    for pair in net.tcp_pairs():
        before = resets(pair)
        sockeye = pair.watch("drops")
        c, s = pair.connect()
        there = dict(saddr=s.address, sport=s.port, daddr=c.address, dport=c.port)
        here = dict(saddr=c.address, sport=c.port, daddr=s.address, dport=s.port)
        c.send(1000)
        s.receive(400)
        s.close()
        wait_ss(pair.client.place, f"sport = :{c.port}")  # the RST has come: the client's socket is gone as well
        run = sockeye.stop()
        expect(run).one(type="reset_sent", pid=s.pid, role="server", **there,
                        reason="TCP_ABORT_ON_CLOSE" if has_reset_reasons() else None)
        expect(run).one(type="reset_received", pid=c.pid, role="client", **here)
        assert resets(pair) == [count + 1 for count in before], (before, resets(pair))


def test_all_data_read(net):
    for pair in net.tcp_pairs():
        before = resets(pair)
        sockeye = pair.watch("drops")
        c, s = pair.connect()
        c.send(1000)
        s.receive(1000)
        s.close()
        c.close()
        wait_ss(pair.client.place, f"sport = :{c.port}")
        run = sockeye.stop()
        expect(run).none(type="reset_sent")
        expect(run).none(type="reset_received")
        assert resets(pair) == before, (before, resets(pair))
