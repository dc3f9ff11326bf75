# SPDX-License-Identifier: Apache-2.0
"""Errors that end nothing: with IP_RECVERR what ICMP says stays in the socket, which goes on. Witnesses: ss, SO_ERROR."""
import netns
from puppet import Puppet
from scenario import of_port, watch
from states_tools import linked_by_threads
from witness import wait_ss
from workload import pass_all

RECVERR = {4: "socket.IPPROTO_IP, 11", 6: "socket.IPPROTO_IPV6, 25"}  # IP_RECVERR, IPV6_RECVERR
REJECT = {4: "icmp type host-unreachable", 6: "icmpv6 type addr-unreachable"}
PORT = 7000


def reject(place, family, port):
    """Packets to this port are answered with ICMP, which comes while nobody has the sender's socket in hand."""
    rules = (f"table inet lost {{ chain lost {{ type filter hook input priority 0; tcp dport {port} counter reject with "
             f"{REJECT[family]}; }}; }}")
    done = place.run([netns.require("nft"), rules], check=False)
    if done.code != 0:
        netns.skip(f"nft rejects no packets here: {done.stderr.strip()}")


def unread_error(left):
    """An error waits for who asks; poll() tells without taking it away."""
    left.do("import select; p = select.poll(); p.register(c, 0)")
    netns.wait_until(lambda: left.do("bool(p.poll(0) and p.poll(0)[0][1] & select.POLLERR)"), "an error")


def connection_with_an_error(left, right, server, family):
    address, port = server.addresses[family], PORT + family
    right.do(f"l = listen({address!r}, {port})")
    left.do(f"c = connect({address!r}, {port})")
    right.do("s, _ = l.accept(); l.close()")
    left.do(f"c.setsockopt({RECVERR[family]}, 1)")
    reject(server, family, port)
    left.do("c.send(b'x')")
    unread_error(left)
    pass_all(server)
    right.do("assert len(s.recv(10)) == 1")
    return port


def ends_of(net, end):
    client, server = linked_by_threads(net)
    sockeye = watch(net, "states", client, server)
    left, right = Puppet(client), Puppet(server)
    ports = []
    for family in (4, 6):
        ports.append(connection_with_an_error(left, right, server, family))
        end(left, right, client, server, ports[-1])
    events = [event for event in sockeye.stop().events if event["netns"] == client.inode and event["role"] == "client"]
    return left, [of_port(events, port) for port in ports]


def test_time_wait(net):
    def end(left, right, client, _server, port):
        left.do("c.shutdown(socket.SHUT_WR)")
        wait_ss(client, f"dport = :{port}", "FIN-WAIT-2")
        right.do("s.close()")
        wait_ss(client, f"dport = :{port}", "TIME-WAIT")
        left.do("c.close()")

    left, both = ends_of(net, end)
    for events in both:
        last = events[-1]
        assert (last["old_state"], last["new_state"], last["outcome"]) == ("FIN_WAIT2", "TIME_WAIT", "time_wait"), last
        assert last["derived"] and last["pid"] == left.pid, last


def test_an_orphan(net):
    """The error stays where the process lets go of the socket: a FIN_WAIT2 minisocket waits for the peer's FIN."""
    def end(left, right, client, _server, port):
        left.do("c.close()")
        wait_ss(client, f"dport = :{port}", "FIN-WAIT-2")
        right.do("s.close()")
        wait_ss(client, f"dport = :{port}", "TIME-WAIT")

    _, both = ends_of(net, end)
    for events in both:
        assert events[-1]["outcome"] == "fin_wait2_orphan", events[-1]


def test_an_abort(net):
    """Who aborts it is its user, whatever error was left: the event has the process that closed."""
    client, server = linked_by_threads(net)
    sockeye = watch(net, "states", client, server)
    left, right = Puppet(client), Puppet(server)
    heirs = {}
    for family in (4, 6):
        port = connection_with_an_error(left, right, server, family)
        left.do("c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); a, b = os.pipe()")
        heirs[port] = left.do("child(lambda: (os.close(b), os.read(a, 1), call_me(b'heir'), c.close()))")
        left.do("os.close(a); c.close(); os.close(b)")
        wait_ss(client, f"dport = :{port}")
        left.do(f"os.waitpid({heirs[port]}, 0)")
    events = [event for event in sockeye.stop().events if event["netns"] == client.inode and event["role"] == "client"]
    for port, heir in heirs.items():
        last = of_port(events, port)[-1]
        assert (last["old_state"], last["new_state"], last["pid"]) == ("ESTABLISHED", "CLOSE", heir), last
