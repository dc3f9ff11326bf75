# SPDX-License-Identifier: Apache-2.0
"""A link between two namespaces that delays, loses and reorders packets, for kernels without netem."""
import collections
import json
import os
import pathlib
import subprocess
import sys

import netns
from forwarder import QUEUE
from puppet import answer
from ready import NotReady, start_ready

FORWARDER = pathlib.Path(__file__).with_name("forwarder.py")

# Packets: handed over, lost as was asked, held back so that others went first, not there yet.
Counts = collections.namedtuple("Counts", "forwarded lost reordered on_the_way")


class TunLink:
    """TUN devices called `device` in both namespaces, with the addresses that Net.pair() would give, and a process that
    forwards IP packets between them (forwarder.py). Multicast is not carried, nor counted.

    delay_ms: each way. loss: so many of 100 packets, by a generator that begins with `seed`. lose: numbers of single packets,
    (1, 3) is the first and the third. reorder_every: with 10, the packets 10, 20, ... are held back by reorder_ms more (5). of:
    what is numbered, lost and held back: any, tcp, syn, fin, rst, data (segments with payload) or ack (those that only
    acknowledge). mtu: bytes; below 1280 there is no IPv6.
    """

    def __init__(self, net, left, right, device="tun0", number=1, mtu=1500, **settings):
        self.device = device
        self._ends = (left, right)
        self._replies, reply_fd = os.pipe()
        net.on_exit(lambda: os.close(self._replies))
        files = [f"{netns.NETNS_DIR}/{place.name}" for place in self._ends]
        words = [sys.executable, "-I", "-S", FORWARDER, device, net.folder() / "tun", *files]
        try:
            self.process = start_ready(lambda fd: net.host.popen([*words, fd, reply_fd], pass_fds=[fd, reply_fd],
                                                                 stdin=subprocess.PIPE, bufsize=0))
        except NotReady as failed:
            if failed.process.popen.returncode == 77:
                netns.skip(failed.process.stderr.strip())
            raise
        finally:
            os.close(reply_fd)
        for place, last in ((left, 1), (right, 2)):
            place.addresses = {4: f"10.77.{number}.{last}", 6: f"fd77:{number}::{last}"}
            place.ip("link", "set", device, "txqueuelen", QUEUE, "mtu", mtu, "up")
            place.ip("address", "add", place.addresses[4] + "/24", "dev", device)
            place.ip("-6", "address", "add", place.addresses[6] + "/64", "dev", device, "nodad")
        self.set(**settings)

    def _order(self, order):
        self.process.popen.stdin.write(json.dumps(order).encode() + b"\n")
        return answer(self._replies, self.process)

    def _ways(self, to):
        return [at for at, place in enumerate(self._ends) if to in (None, place)]

    def set(self, to=None, mtu=None, **settings):
        """Changes these settings, of packets to one namespace or both ways; the others stay. From then on packets are numbered
        from 1, and the generator begins anew. Both devices get the MTU."""
        self._order({"to": self._ways(to), "set": settings})
        for place in self._ends if mtu else ():
            place.ip("link", "set", self.device, "mtu", mtu)

    def counts(self, to=None):
        """Of packets to one namespace or both ways, since the link was made. All that was sent before is in it."""
        ways = self._order({"counts": self._ways(to)})
        return Counts(*(sum(way[what] for way in ways) for what in Counts._fields))
