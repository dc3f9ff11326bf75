# SPDX-License-Identifier: Apache-2.0
"""The link that delays, loses and reorders packets does that, and nothing else. Witnesses: ss, nstat, the counters of the
devices, the receiver and its clock, a packet socket, and what sockeye says of the connections."""
import json
import re
import sys

import netns
from lifetimes_tools import both_ends, connected, lives_of, read_all, settle, talk
from own_mounts import own_mounts
from pace import patience
from puppet import Puppet
from scenario import watch
from tun_link import FORWARDER, TunLink
from witness import nstat, wait_ss

PORT = 9000
FAMILIES = (4, 6)
LATE_MS = patience(5)  # what the machine may add to a delay
HEADERS = {4: 20 + 20 + 12, 6: 40 + 20 + 12}  # bytes: of IP, of TCP, its timestamps
SO_RCVBUFFORCE = 33  # <asm-generic/socket.h>


class Stage:
    """Two puppets with a link between them, and their TCP connection, or UDP sockets."""

    def __init__(self, net, **settings):
        self.client, self.server = net.namespace("client"), net.namespace("server")
        self.link = TunLink(net, self.client, self.server, **settings)
        self.left, self.right = Puppet(self.client), Puppet(self.server)

    def connect(self, family):
        connected(self.left, self.right, self.server.addresses[family], PORT + family)
        self.left.do("c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)")

    def close(self, family):
        self.left.do("c.close()")
        self.right.do("s.close()")
        settle(self.client, PORT + family)
        settle(self.server, PORT + family)

    def transfer(self, size):
        """So many bytes to the server."""
        self.left.start(f"c.sendall(b'x' * {size})")
        read_all(self.right, "s", size)
        self.left.finish()

    def round_trip(self, family):
        """Both ways once; then what ss says of the client."""
        talk(self.left, self.right)
        return of_ss(self.client, PORT + family)

    def datagrams(self, family):
        """Connected UDP sockets `u`, with room for all that comes."""
        for place, puppet in ((self.client, self.left), (self.server, self.right)):
            puppet.do(f"import time; u = socket.socket(socket.AF_INET{'6' if family == 6 else ''}, socket.SOCK_DGRAM)")
            puppet.do(f"u.setsockopt(socket.SOL_SOCKET, {SO_RCVBUFFORCE}, 1 << 24); u.settimeout({patience(10)})")
            puppet.do(f"u.bind(({place.addresses[family]!r}, {PORT}))")
        self.left.do(f"u.connect(({self.server.addresses[family]!r}, {PORT}))")
        self.right.do(f"u.connect(({self.client.addresses[family]!r}, {PORT}))")

    def numbers_received(self, sent):
        """Which of the datagrams 1, 2, ... arrive, in their order."""
        self.left.do(f"for number in range(1, {sent} + 1): u.send(str(number).encode())")
        self.wait_until_empty()
        self.right.do("got = []; u.setblocking(False)")
        self.right.do("try:\n  while True: got.append(int(u.recv(100)))\nexcept BlockingIOError: pass")
        return self.right.do("got")

    def wait_until_empty(self):
        netns.wait_until(lambda: not self.link.counts().on_the_way, "the last packet")


def of_ss(place, port):
    """Numbers of a connection to this port: rtt and minrtt in ms, mss and pmtu in bytes."""
    told = place.run([netns.require("ss"), "-Htin", f"dport = :{port}"]).stdout
    return {key: float(value) for key, value in re.findall(r"\b(rtt|minrtt|mss|pmtu):([\d.]+)", told)}


def device_packets(place, way):
    """What the device has counted: `way` is rx or tx. It drops none."""
    told = json.loads(place.run([netns.require("ip"), "-s", "-j", "link", "show", "tun0"]).stdout)[0]["stats64"][way]
    assert told["dropped"] == told["errors"] == 0, told
    return told["packets"]


def check_time(measure, wanted):
    """Milliseconds: never less than `wanted`, and little more, at least once: the machine may be busy."""
    def is_close():
        measured = measure()
        assert measured >= wanted, (measured, wanted)
        return measured <= wanted + LATE_MS

    netns.wait_until(is_close, f"a time of {wanted} ms")


def test_round_trip_time(net):
    """As ss says it, and sockeye. Nothing is measured after ss was asked: the client ends with a RST."""
    stage = Stage(net, delay_ms=10)
    sockeye = watch(net, "lifetimes", stage.client, stage.server)
    told = {}
    for family in FAMILIES:
        stage.connect(family)
        for what in ("minrtt", "rtt"):
            check_time(lambda family=family, what=what: stage.round_trip(family)[what], 20)
        told[family] = of_ss(stage.client, PORT + family)
        stage.left.do("reset(c)")
        settle(stage.server, PORT + family)
    events = lives_of(sockeye.stop(), stage.client, stage.server)
    for family in FAMILIES:
        client, server = both_ends(events, PORT + family)
        assert client["srtt_us"] == round(told[family]["rtt"] * 1000), (told, client)
        assert client["min_rtt_us"] == round(told[family]["minrtt"] * 1000), (told, client)
        assert server["min_rtt_us"] >= 20_000 and client["handshake_us"] >= 20_000, (client, server)
    assert stage.link.counts().lost == 0


def test_no_delay_unless_asked(net):
    stage = Stage(net)
    for family in FAMILIES:
        stage.connect(family)
        talk(stage.left, stage.right)
        stage.transfer(1_000_000)
        check_time(lambda family=family: of_ss(stage.client, PORT + family)["minrtt"], 0)
        stage.close(family)
    stage.wait_until_empty()
    counts = stage.link.counts(to=stage.server)
    assert (counts.lost, counts.reordered) == (0, 0) and counts.forwarded > 1000, counts
    assert device_packets(stage.server, "rx") == counts.forwarded, counts
    assert nstat(stage.server, "TcpExtTCPOFOQueue") == [0]


def test_delay_of_each_way(net):
    """By the clock of the machine, which both ends have."""
    stage = Stage(net, delay_ms=10)
    ends = {stage.server: (stage.left, stage.right), stage.client: (stage.right, stage.left)}

    def delay(to):
        sender, receiver = ends[to]
        sender.do("u.send(str(time.monotonic()).encode())")
        return float(receiver.do("sent = float(u.recv(100)); got = time.monotonic()") or receiver.do("str((got - sent) * 1000)"))

    for family in FAMILIES:
        stage.datagrams(family)
        stage.link.set(delay_ms=10)
        stage.link.set(to=stage.server, delay_ms=60)
        stage.link.set(seed=2)  # and nothing else
        check_time(lambda: delay(stage.server), 60)
        check_time(lambda: delay(stage.client), 10)
        stage.link.set(delay_ms=0)
        check_time(lambda: delay(stage.server), 0)


def test_single_datagrams(net):
    stage = Stage(net)
    for family in FAMILIES:
        stage.datagrams(family)
        stage.link.set(to=stage.server, lose=(1, 3))
        assert stage.numbers_received(5) == [2, 4, 5]
        stage.link.set(to=stage.server, lose=(), reorder_every=3, reorder_ms=patience(300))
        assert stage.numbers_received(5) == [1, 2, 4, 5, 3]
        stage.link.set(reorder_every=0)
        stage.link.set(to=stage.client, loss=100)
        assert stage.numbers_received(5) == [1, 2, 3, 4, 5]
        stage.link.set(loss=0)
    counts = stage.link.counts(to=stage.server)
    assert (counts.forwarded, counts.lost, counts.reordered) == (26, 4, 2), counts
    assert device_packets(stage.server, "rx") == counts.forwarded, counts


def test_loss_of_so_many_percent(net):
    """What a seed loses is always the same."""
    stage = Stage(net)
    sent = 500
    for family in FAMILIES:
        stage.datagrams(family)
        received = {}
        for name, loss, seed in (("first", 10, 1), ("again", 10, 1), ("other", 10, 2), ("many", 50, 1)):
            before = stage.link.counts(to=stage.server).lost
            stage.link.set(to=stage.server, loss=loss, seed=seed)
            received[name] = stage.numbers_received(sent)
            lost = stage.link.counts(to=stage.server).lost - before
            assert len(received[name]) == sent - lost, (name, len(received[name]), lost)
            deviation = (sent * loss / 100 * (1 - loss / 100)) ** 0.5
            assert abs(lost - sent * loss / 100) < 5 * deviation, (name, lost, sent)
        assert received["first"] == received["again"] != received["other"]


def test_loss_in_connections(net):
    """All of it arrives; what was sent again is what the kernel counts, and sockeye."""
    stage = Stage(net)
    sockeye = watch(net, "lifetimes", stage.client, stage.server)
    for family in FAMILIES:
        stage.connect(family)
        stage.link.set(to=stage.server, loss=10)
        stage.transfer(300_000)
        stage.link.set(loss=0)
        stage.close(family)
    events = lives_of(sockeye.stop(), stage.client, stage.server)
    counts = stage.link.counts(to=stage.server)
    sent_again, = nstat(stage.client, "TcpRetransSegs")
    assert sent_again >= counts.lost > 0, (sent_again, counts)
    assert 0.03 < counts.lost / (counts.forwarded + counts.lost) < 0.2, counts
    assert device_packets(stage.server, "rx") == counts.forwarded, counts
    for family in FAMILIES:
        client, server = both_ends(events, PORT + family)
        assert client["retransmits"] > 0 and server["bytes_received"] == 300_000, (client, server)
    assert sum(event["retransmits"] for event in events if event["netns"] == stage.client.inode) == sent_again, events


def test_reordering(net):
    stage = Stage(net)
    for family in FAMILIES:
        stage.connect(family)
        before = nstat(stage.server, "TcpExtTCPOFOQueue")
        stage.transfer(100_000)
        stage.wait_until_empty()
        assert nstat(stage.server, "TcpExtTCPOFOQueue") == before
        first = stage.link.counts(to=stage.server)
        stage.link.set(to=stage.server, reorder_every=10)
        stage.transfer(300_000)
        stage.wait_until_empty()
        last = stage.link.counts(to=stage.server)
        assert last.reordered - first.reordered == (last.forwarded - first.forwarded) // 10 > 0, (first, last)
        assert nstat(stage.server, "TcpExtTCPOFOQueue") > before
        stage.link.set(reorder_every=0)
        stage.close(family)
    assert stage.link.counts().lost == 0


def test_mtu(net):
    """No packet is longer than the MTU, some are as long; and it may change."""
    stage = Stage(net, mtu=1300)
    watcher = Puppet(stage.server)
    watcher.do("p = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3)); p.bind(('tun0', 0))")  # ETH_P_ALL
    watcher.do(f"p.setsockopt(socket.SOL_SOCKET, {SO_RCVBUFFORCE}, 1 << 24); p.setblocking(False)")
    for mtu in (1300, 1400):
        if mtu != 1300:
            stage.link.set(mtu=mtu)
        for family in FAMILIES:
            stage.connect(family)
            stage.transfer(30_000)
            told = of_ss(stage.client, PORT + family)
            assert (told["mss"], told["pmtu"]) == (mtu - HEADERS[family], mtu), told
            watcher.do("longest = 0")
            watcher.do("try:\n  while True: longest = max(longest, len(p.recv(65536)))\nexcept BlockingIOError: pass")
            assert watcher.do("longest") == mtu
            stage.left.do("c.close()")
            stage.right.do("s.close()")


def test_segments_of_one_kind(net):
    """A FIN, a RST, a segment of data and all that only acknowledges."""
    stage = Stage(net)
    for family in FAMILIES:
        address = f"dport = :{PORT + family}"
        stage.connect(family)
        stage.link.set(to=stage.server, of="fin", loss=100)
        talk(stage.left, stage.right)
        stage.left.do("c.close()")
        wait_ss(stage.client, address, "FIN-WAIT-1")
        wait_ss(stage.server, f"sport = :{PORT + family}", "ESTAB")
        stage.link.set(loss=0)
        assert stage.right.do("len(s.recv(1))") == 0
        stage.close(family)
        stage.connect(family)
        lost = stage.link.counts().lost
        stage.link.set(to=stage.server, of="data", lose=(2,))
        before, = nstat(stage.client, "TcpRetransSegs")
        stage.transfer(10_000)
        assert stage.link.counts().lost == lost + 1
        assert nstat(stage.client, "TcpRetransSegs")[0] > before
        stage.link.set(to=stage.client, of="ack", loss=100)
        before, = nstat(stage.client, "TcpRetransSegs")
        stage.transfer(10_000)
        netns.wait_until(lambda before=before: nstat(stage.client, "TcpRetransSegs")[0] > before, "data that is sent again")
        stage.link.set(loss=0)
        stage.link.set(to=stage.server, of="rst", lose=(1,))
        lost = stage.link.counts().lost
        stage.left.do("reset(c)")
        assert stage.link.counts().lost == lost + 1
        wait_ss(stage.server, f"sport = :{PORT + family}", "ESTAB")
        stage.right.do("s.send(b'x')")  # answered by another RST
        wait_ss(stage.server, f"sport = :{PORT + family}")
        stage.right.do("s.close()")


def test_a_lost_syn(net):
    """Of both families at once: it takes a second until it is sent again."""
    stage = Stage(net)
    stage.link.set(to=stage.server, of="syn", loss=100)
    clients = {4: stage.left, 6: Puppet(stage.client)}
    for family, client in clients.items():
        address = stage.server.addresses[family]
        stage.right.do(f"l{family} = listen({address!r}, {PORT + family})")
        client.start(f"c = connect({address!r}, {PORT + family})")
    netns.wait_until(lambda: stage.link.counts().lost >= 2, "two lost SYNs")
    for family in FAMILIES:
        wait_ss(stage.client, f"dport = :{PORT + family}", "SYN-SENT")
        wait_ss(stage.server, f"sport = :{PORT + family}")
    stage.link.set(loss=0)
    for family, client in clients.items():
        client.finish()
        wait_ss(stage.server, f"sport = :{PORT + family}", "ESTAB")
    assert nstat(stage.client, "TcpExtTCPSynRetrans") == [stage.link.counts().lost]


def test_settings_that_are_none(net):
    stage = Stage(net)
    for settings in ({"delay": 20}, {"of": "udp"}, {"loss": "many"}):
        try:
            stage.link.set(**settings)
        except AssertionError as error:
            assert "Error(" in str(error), error
        else:
            raise AssertionError(f"{settings} were taken")
    stage.link.set(delay_ms=10)
    stage.connect(4)
    check_time(lambda: stage.round_trip(4)["minrtt"], 20)


def test_without_the_file_of_the_driver(net):
    """It makes one of its own; where it may not, it says what is missing."""
    left, right = (f"{netns.NETNS_DIR}/{net.namespace(label).name}" for label in ("client", "server"))
    words = [sys.executable, FORWARDER, "tun0", net.folder() / "tun", left, right, 1, 1]
    script = f"mount -t tmpfs none /dev/net && exec {' '.join(map(str, words))}"
    assert net.host.run(own_mounts(script)).stdout == "\n"
    done = net.host.run([netns.require("setpriv"), "--bounding-set=-mknod", *own_mounts(script)], check=False)
    assert done.code == 77 and done.stdout == "" and "/dev/net/tun" in done.stderr, done
