# SPDX-License-Identifier: Apache-2.0
"""Real servers (servers.py), each asked by a real client over IPv4 and IPv6, and what `connections` says of that. Witnesses: what
the servers and the clients say of their processes and ports."""
import re
import struct

import netns
import servers
from puppet import Puppet
from witness import comm_of


class Stage:
    """Two namespaces, a server in one of them, and sockeye beside it."""

    def __init__(self, net, start):
        self.client, self.place = net.client_and_server()
        for place in (self.client, self.place):
            place.receive_in_threads("veth0", needed=False)
        self.server = start(self.place)
        self._sockeye = net.sockeye("connections", "--netns", f"{self.client.inode},{self.place.inode}")

    def ask(self, argv):
        """A client that ends well: the process."""
        process = self.client.popen(argv)
        assert process.wait() == 0, process.stderr + self.server.log
        return process

    def told(self, family, pid, comm):
        """The accept of the only connection since the last one, which the client `pid` opened."""
        both = [self._sockeye.wait_for(lambda event: event["event"] == "connections") for _ in range(2)]
        connect, accept = sorted(both, key=lambda event: event["event_type"], reverse=True)
        assert (connect["event_type"], accept["event_type"]) == ("connect", "accept"), both
        assert (connect["pid"], connect["comm"]) == (pid, comm), connect
        ends = self.client.addresses[family], connect["sport"], self.place.addresses[family], self.server.port
        for event, place in ((connect, self.client), (accept, self.place)):
            assert (event["saddr"], event["sport"], event["daddr"], event["dport"]) == ends, event
            assert event["netns"] == place.inode, event
        assert accept["comm"] == comm_of(self.server.pid), accept
        return accept

    def stop(self):
        assert len(self._sockeye.stop().events) == 4
        self.server.stop()
        assert not self.place.listens(self.server.port), self.server.log


def test_nginx(net):
    stage = Stage(net, lambda place: servers.nginx(place, {"page": b"x" * 10}))
    for family in (4, 6):
        url = f"http://{servers.end(stage.place.addresses[family], stage.server.port)}/page"
        curl = stage.ask([netns.require("curl"), "-qsSf", "--noproxy", "*", url])
        assert curl.stdout == "x" * 10, curl.stdout
        accept = stage.told(family, curl.pid, "curl")
        worker, address, port, *_, status, sent, _ = stage.server.access_log.splitlines()[-1].split()
        assert (status, sent) == ("200", "10") and int(worker) != stage.server.pid, stage.server.access_log
        assert (accept["pid"], accept["saddr"], accept["sport"]) == (int(worker), address, int(port)), (accept, worker)
    stage.stop()


def test_redis(net):
    stage = Stage(net, servers.redis)
    for family in (4, 6):
        command = [netns.require("redis-cli"), "-h", stage.place.addresses[family], "-p", stage.server.port]
        cli = stage.ask([*command, "info", "server"])
        assert stage.told(family, cli.pid, "redis-cli")["pid"] == stage.server.pid
        assert {f"process_id:{stage.server.pid}", f"tcp_port:{stage.server.port}"} <= set(cli.stdout.split()), cli.stdout
    stage.stop()


def query(name):
    """A question for addresses of IPv4 (RFC 1035, 4), as it goes over TCP."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    message = struct.pack("!6H", 77, 0x100, 1, 0, 0, 0) + labels + struct.pack("!B2H", 0, 1, 1)
    return struct.pack("!H", len(message)) + message


def test_dnsmasq(net):
    name, address = "www.example.test", "192.0.2.7"
    stage = Stage(net, lambda place: servers.dnsmasq(place, {name: [address, "2001:db8::7"]}))
    puppet = Puppet(stage.client)
    for family in (4, 6):
        puppet.do(f"c = connect({stage.place.addresses[family]!r}, {stage.server.port}); c.sendall({query(name)!r})")
        length, number, _, _, answers = struct.unpack("!5H", bytes(puppet.do("list(c.recv(10, socket.MSG_WAITALL))")))
        rest = bytes(puppet.do(f"list(c.recv({length - 8}, socket.MSG_WAITALL))"))
        assert (number, answers) == (77, 1) and rest.endswith(bytes(map(int, address.split(".")))), rest
        accept = stage.told(family, puppet.pid, puppet.comm)
        puppet.do("c.close()")
        # It accepts without asking for the peer's address; the child that serves does that. Elsewhere than under fexit, that is
        # the first to be seen with the connection.
        child, = re.findall(rf"dnsmasq\[(\d+)\]: query\[A\] {name} from {stage.client.addresses[family]}\n", stage.server.log)
        assert int(child) != stage.server.pid and accept["pid"] in (stage.server.pid, int(child)), (accept, stage.server.log)
    stage.stop()


def test_postgres(net):
    stage = Stage(net, servers.postgres)
    question = "select pg_backend_pid(), inet_client_addr(), inet_client_port(), inet_server_port()"
    for family in (4, 6):
        psql = stage.ask([*servers.postgres_programs("psql"), "-XAt", "-F", " ", "-h", stage.place.addresses[family],
                          "-p", stage.server.port, "-U", "sockeye", "-c", question, "postgres"])
        backend, address, port, server_port = psql.stdout.split()
        accept = stage.told(family, psql.pid, "psql")
        assert accept["pid"] == stage.server.pid != int(backend), (accept, backend)
        assert (accept["saddr"], accept["sport"], accept["dport"]) == (address, int(port), int(server_port)), (accept, psql.stdout)
    stage.stop()


def test_on_lo_alone(net):
    place = net.namespace("one")
    server = servers.redis(place)
    for address in ("127.0.0.1", "::1"):
        assert place.run([netns.require("redis-cli"), "-h", address, "ping"]).stdout == "PONG\n"
    assert server.log.count("Ready to accept connections") == 1, server.log


def test_one_that_cannot_start(net):
    """Its port is taken: it is not ready by what another listens on, and says why."""
    place = net.namespace("one")
    servers.redis(place)
    try:
        servers.redis(place)
    except AssertionError as reason:
        assert "has ended" in str(reason) and "Address already in use" in str(reason), reason
    else:
        raise AssertionError("two servers listen on one port")
