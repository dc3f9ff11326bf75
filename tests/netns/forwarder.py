# SPDX-License-Identifier: Apache-2.0
"""Forwards IP packets between a TUN device in one network namespace and one in another: later than they came, in another
order, or not at all. tun_link.py starts it and says what is asked of it; this file takes nothing but Python's own library.

usage: forwarder.py DEVICE NODE LEFT RIGHT READY_FD REPLY_FD
DEVICE: name of both devices. NODE: where to make the file of the TUN driver if there is no /dev/net/tun. LEFT, RIGHT: files of
the namespaces. READY_FD: gets a newline when both devices exist. REPLY_FD: gets a line of JSON, {"value": ...} or {"error":
...}, for each line of JSON in standard input, {"to": [0, 1], "set": {...}} or {"counts": [0, 1]}; 0 is LEFT, 1 is RIGHT. Exit
code 77: there are no TUN devices here, standard error says why.
"""
import contextlib
import ctypes
import errno
import fcntl
import heapq
import itertools
import json
import os
import random
import select
import stat
import struct
import sys
import time

CLONE_NEWNET = 0x40000000                   # <linux/sched.h>
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000         # <linux/if_tun.h>
TUNSETIFF = 0x400454CA
TUN_NUMBER = os.makedev(10, 200)            # <linux/miscdevice.h>
FIN, SYN, RST = 0x01, 0x02, 0x04
TCP = 6
LONGEST = 65536    # bytes that a packet may have
BURST = 64         # packets that are read before those that are due go out
QUEUE = 10_000     # packets that wait in a device at most: tun_link.py sets it

libc = ctypes.CDLL(None, use_errno=True)


def segment(packet):
    """(flags, bytes of payload) of a TCP segment; None of another packet."""
    at, protocol = ((packet[0] & 0x0F) * 4, packet[9]) if packet[0] >> 4 == 4 else (40, packet[6])
    if protocol != TCP or len(packet) < at + 20:
        return None
    return packet[at + 13], len(packet) - at - (packet[at + 12] >> 4) * 4


def of_segment(condition):
    def takes(packet):
        found = segment(packet)
        return found is not None and bool(condition(*found))
    return takes


# What `of` may say: the packets that losses and reordering are about.
OF = {
    "any": lambda packet: True,
    "tcp": of_segment(lambda flags, length: True),
    "syn": of_segment(lambda flags, length: flags & SYN),
    "fin": of_segment(lambda flags, length: flags & FIN),
    "rst": of_segment(lambda flags, length: flags & RST),
    "data": of_segment(lambda flags, length: length > 0),
    "ack": of_segment(lambda flags, length: length == 0 and not flags & (SYN | FIN | RST)),
}


def is_for_one(packet):
    """To a single host: not the multicast that IPv6 sends for itself."""
    if len(packet) < 20:
        return False
    return packet[16] < 224 if packet[0] >> 4 == 4 else len(packet) >= 40 and packet[24] != 0xFF


class Way:
    """One direction: what is asked of it, its packets that are on the way, and what became of the others."""

    def __init__(self, source, sink):
        self.source, self.sink = source, sink  # descriptors
        self.on_the_way = []  # a heap of (time due in seconds, number, packet)
        self.order = itertools.count()
        self.last_due = 0.0
        self.forwarded = self.lost = self.reordered = 0
        self.settings = {"delay_ms": 0, "loss": 0, "lose": [], "reorder_every": 0, "reorder_ms": 5, "of": "any", "seed": 1}
        self.set({})

    def set(self, settings):
        """Packets are counted from here on, and the generator begins anew."""
        asked = {**self.settings, **settings}
        if asked.keys() != self.settings.keys() or asked["of"] not in OF:
            raise ValueError(f"not a setting: {settings}; there are {self.settings}, and `of` may be one of {list(OF)}")
        # All of them or none: what is no number is found out here.
        self.delay, self.hold, self.loss, self.lose, self.every = (
            asked["delay_ms"] / 1000, asked["reorder_ms"] / 1000, asked["loss"] / 100, frozenset(asked["lose"]),
            int(asked["reorder_every"]))
        self.takes = OF[asked["of"]]
        self.number = 0
        self.random = random.Random(asked["seed"]).random
        self.settings = asked

    def counts(self):
        return {"forwarded": self.forwarded, "lost": self.lost, "reordered": self.reordered, "on_the_way": len(self.on_the_way)}

    def read(self, most=BURST):
        """What the device has, at most so many packets."""
        try:
            for _ in range(most):
                packet = os.read(self.source, LONGEST)
                if is_for_one(packet):
                    self.take(packet, time.monotonic())
        except BlockingIOError:
            pass

    def take(self, packet, now):
        # A shorter delay than before puts no packet in front of those that left earlier.
        due = self.last_due = max(now + self.delay, self.last_due)
        if self.takes(packet):
            self.number += 1
            if self.number in self.lose or self.loss and self.random() < self.loss:
                self.lost += 1
                return
            if self.every and self.number % self.every == 0:
                self.reordered += 1
                due += self.hold
        heapq.heappush(self.on_the_way, (due, next(self.order), packet))

    def write_due(self):
        """The time when the next one is due; None if none is on the way."""
        while self.on_the_way:
            if self.on_the_way[0][0] > time.monotonic():
                return self.on_the_way[0][0]
            packet = heapq.heappop(self.on_the_way)[2]
            try:
                os.write(self.sink, packet)
                self.forwarded += 1
            except OSError as error:
                if error.errno != errno.EIO:  # the device is down
                    raise
                self.lost += 1
        return None


def carry_out(order, ways):
    """Of an order that asks: the answer. Packets that were sent before the order was given are read first."""
    for way in ways:
        way.read(QUEUE)
    if "set" in order:
        for way in order["to"]:
            ways[way].set(order["set"])
        return None
    return [ways[way].counts() for way in order["counts"]]


def answer(orders, ways, reply_fd):
    """Carries out the next order; False at the end of all."""
    line = orders.readline()
    if not line:
        return False
    try:
        reply = {"value": carry_out(json.loads(line), ways)}
    except (ValueError, TypeError) as error:
        reply = {"error": repr(error)}
    os.write(reply_fd, json.dumps(reply).encode() + b"\n")
    return True


def forward(ways, reply_fd):
    """Until standard input ends."""
    orders = os.fdopen(0, "rb", buffering=0)
    while True:
        due = [when for way in ways if (when := way.write_due()) is not None]
        wait = max(min(due) - time.monotonic(), 0) if due else None
        # Not poll(): that waits for whole milliseconds.
        readable, _, _ = select.select([orders, *(way.source for way in ways)], [], [], wait)
        for way in ways:
            if way.source in readable:
                way.read()
        if orders in readable and not answer(orders, ways, reply_fd):
            return


def tun_file(node):
    if os.path.exists("/dev/net/tun"):
        return "/dev/net/tun"
    os.mknod(node, stat.S_IFCHR | 0o600, TUN_NUMBER)
    return node


def open_tun(namespace, device, file):
    """A device in this namespace: its descriptor. The process stays there."""
    inside = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    if libc.setns(inside, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
    os.close(inside)
    made = os.open(file, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)  # it belongs to the namespace that opens it
    fcntl.ioctl(made, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TUN | IFF_NO_PI))
    return made


def main(device, node, left, right, ready_fd, reply_fd):
    home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        file = tun_file(node)
        left, right = (open_tun(namespace, device, file) for namespace in (left, right))
    except OSError as error:
        print(f"no TUN devices here (file /dev/net/tun, c 10 200; module tun): {error}", file=sys.stderr)
        return 77
    if libc.setns(home, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
    with contextlib.suppress(PermissionError):
        os.nice(-10)  # where the machine is busy, packets are not much later than asked
    os.write(int(ready_fd), b"\n")
    forward([Way(right, left), Way(left, right)], int(reply_fd))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
