# SPDX-License-Identifier: Apache-2.0
"""The kit of scenarios: two processes with TCP connections between them, sockeye beside them, and what its events must be.

    def test_both_ends_are_told(net):
        pair = net.tcp_pair(6)
        sockeye = pair.watch("connections")
        c, s = pair.connect()
        c.send(1000)
        s.receive(1000)
        c.close()
        events = expect(sockeye.stop())
        events.one(event_type="connect", pid=c.pid, outcome="established")
        events.one(event_type="accept", pid=s.pid)

docs/scenarios.md says the rest.
"""
import collections

import netns
from puppet import Puppet

PORT = 9000
FAMILIES = (4, 6)


def watch(net, what, *places, words=(), **options):
    """`sockeye WHAT` for these namespaces alone: what else happens on the machine is none of the scenario's business. words: more
    of its arguments."""
    return net.sockeye(what, "--netns", ",".join(str(place.inode) for place in places), *words, **options)


# ---- connections ----

class End:
    """One end of a connection: a socket, by the name that it has in the process that has it."""

    def __init__(self, process, name):
        self.process, self.name = process, name
        self.pid = process.pid
        self.address, self.port = process.do(f"list({name}.getsockname()[:2])")
        self.peer_port = process.do(f"{name}.getpeername()[1]")

    def is_of(self, event):
        """Whether the event is of this socket. One from before its port was chosen is found by of(end) alone."""
        return (event["lport"], event["rport"]) == (self.port, self.peer_port)

    def do(self, call):
        """Calls the socket's method, as in `end.do("getsockopt(6, 23)")`. Its value, where that is a number or a text."""
        return self.process.do(f"{self.name}.{call}")

    def send(self, size):
        """So many bytes. They must fit into the sockets' buffers; transfer() sends any number."""
        self.do(f"sendall(b'x' * {size})")

    def receive(self, size):
        """Waits for so many bytes; fails where the peer ends the stream before."""
        assert self.process.do(f"take({self.name}, {size})") == size, f"{self} has received less than {size} bytes"

    def transfer(self, to, size):
        """So many bytes go from here to the other end, and are read there."""
        self.process.start(f"{self.name}.sendall(b'x' * {size})")
        to.receive(size)
        self.process.finish()

    def close(self):
        self.do("close()")

    def reset(self):
        """close() that sends a RST (SO_LINGER 0)."""
        self.process.do(f"reset({self.name})")

    def __str__(self):
        return f"{self.name} of {self.process.process}"


class TcpPair:
    """A process `client` and a process `server`, each in a network namespace of its own with a link between them, that
    connect over IPv4 or IPv6."""

    def __init__(self, net, family, client, server, port=PORT):
        self.net, self.family, self.port = net, family, port
        self.client, self.server = client, server
        self.address = server.place.addresses[family]
        self._made = 0
        self._listens = False

    @property
    def to(self):
        """The server's end as Python writes it: an address and a port."""
        return f"({self.address!r}, {self.port})"

    def watch(self, what, *words, **options):
        """sockeye for both namespaces, or for those that `places` names."""
        places = options.pop("places", (self.client.place, self.server.place))
        return watch(self.net, what, *places, words=words, **options)

    def listen(self):
        """The server listens, as `l4` or `l6`, from the first connect() on at the latest."""
        if not self._listens:
            self.server.do(f"l{self.family} = listen({self.address!r}, {self.port})")
            self._listens = True

    def stop_listening(self):
        self.server.do(f"l{self.family}.close()")
        self._listens = False

    def connect(self):
        """A new connection, accepted: the client's End and the server's."""
        return self.connected(), self.accepted()

    def connected(self):
        """The client's End of a new connection, which nobody has accepted yet."""
        self.listen()
        self._made += 1
        name = f"c{self.family}_{self._made}"
        self.client.do(f"{name} = connect({self.address!r}, {self.port})")
        return End(self.client, name)

    def accepted(self):
        """The server's End of the next connection that waits."""
        self._made += 1
        name = f"s{self.family}_{self._made}"
        self.server.do(f"{name}, _ = l{self.family}.accept()")
        return End(self.server, name)

    def fails(self, error, port=None, address=None):
        """The client's connect() fails with this error (its words, or the name of Python's exception)."""
        self.client.fails(f"connect({address or self.address!r}, {port or self.port})", error)


class Net(netns.Net):
    """What a scenario is given."""

    def tcp_pair(self, family=4, port=PORT):
        return TcpPair(self, family, *self._puppets(), port=port)

    def tcp_pairs(self, port=PORT):
        """One over IPv4 and one over IPv6, of the same two processes."""
        puppets = self._puppets()
        return [TcpPair(self, family, *puppets, port=port) for family in FAMILIES]

    def _puppets(self):
        return [Puppet(place) for place in self.client_and_server()]


# ---- events ----

def of_port(events, port):
    """Those of sockets that have this port at either end."""
    return [event for event in events if port in (event["lport"], event["rport"])]


def is_as(event, wanted):
    """Whether its keys have these values. None: the key is not there, or null. A function: it takes the value."""
    return all(value(event.get(key)) if callable(value) else event.get(key) == value for key, value in wanted.items())


class expect:  # pylint: disable=invalid-name
    """What the events of a run (or a list of events) must be: `expect(run).one(type="reset_sent", reason="NO_SOCKET")`. Each method
    gives back what it has found; where it is not as wanted an AssertionError says what there was instead."""

    def __init__(self, events):
        self.events = getattr(events, "events", events)

    def those(self, **wanted):
        """An expectation of those alone that have these values."""
        return expect([event for event in self.events if is_as(event, wanted)])

    def of(self, end):
        """An expectation of the events of this socket alone, which all have the same cookie."""
        cookies = {event["cookie"] for event in self.events if end.is_of(event)}
        assert len(cookies) == 1, f"events of {len(cookies)} sockets have the ports of {end}"
        return self.those(cookie=cookies.pop())

    def one(self, **wanted):
        """Exactly one has these values: that one."""
        return self.times(1, **wanted)[0]

    def none(self, **wanted):
        self.times(0, **wanted)

    def times(self, number, **wanted):
        """So many have these values: those."""
        found = self.those(**wanted).events
        assert len(found) == number, f"{len(found)} of {len(self.events)} events are {shown(wanted)}, not {number}; {self.told(wanted)}"
        return found

    def each(self, **wanted):
        """All of them have these values, and there is one at least: all."""
        assert self.events, f"there is no event, but wanted {shown(wanted)}"
        wrong = [event for event in self.events if not is_as(event, wanted)]
        assert not wrong, f"{len(wrong)} of {len(self.events)} events are not {shown(wanted)}: {wrong[:3]}"
        return self.events

    def told(self, wanted):
        """What there is instead, those that come nearest first: what they have of another value."""
        differences = collections.Counter(shown({key: event.get(key) for key in wanted if not is_as(event, {key: wanted[key]})})
                                          for event in self.events if not is_as(event, wanted))
        nearest = sorted(differences.items(), key=lambda item: item[0].count("="))[:8]
        return "others have " + "; ".join(f"{words} ({times})" for words, times in nearest) if nearest else "there are no others"


def shown(values):
    words = [f"{key}=(as a function says)" if callable(value) else f"{key}={value}" for key, value in values.items()]
    return " ".join(words) or "anything"
