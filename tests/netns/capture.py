# SPDX-License-Identifier: Apache-2.0
"""What a link of a namespace carries, as tshark sees it."""
import collections
import re
import sys

import netns

FIELDS = ("ip.src", "ipv6.src", "tcp.srcport", "tcp.dstport", "tcp.stream", "tcp.seq_raw", "tcp.len", "tcp.flags",
          "frame.time_epoch")
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
HALF = 1 << 31  # sequence numbers are compared in a window of this size (RFC 9293, 3.4)

# What a program that captures has not read yet when it is ended is lost: the last packet is one that can be told.
LAST = b"the last packet of a capture"
SEND_LAST = """
import socket, sys
socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(sys.argv[1].encode(), ("ff02::1", 9, 0, socket.if_nametoindex(sys.argv[2])))
"""

Packet = collections.namedtuple("Packet", "source sport dport stream seq length flags time")  # time: seconds


class Capture:
    """The TCP packets of a device from now on; the beginning of each."""

    def __init__(self, net, place, device="veth0"):
        self._tshark = netns.require("tshark")
        self._file = net.folder() / "packets"
        # Not tshark: it makes connections of its own while it starts.
        words = ["-q", "-s", "128", "-B", "32", "-i", device, "-w", self._file]
        self._process = place.popen([netns.require("dumpcap"), *words])
        netns.wait_until(lambda: re.search(r"Capturing on|File: ", self._process.stderr) and self._file.exists(), "dumpcap")
        self._place, self._device = place, device

    def packets(self):
        """All of them, in their order; none may be missing. Ends the capture."""
        self._place.run([sys.executable, "-I", "-S", "-c", SEND_LAST, LAST.decode(), self._device])
        netns.wait_until(self._has_last, "the last packet in dumpcap's file")
        self._process.stop()
        dropped = re.search(r"received/dropped on interface .*: \d+/(\d+) ", self._process.stderr)
        assert dropped and dropped[1] == "0", self._process.stderr
        words = [self._tshark, "-n", "-r", self._file, "-T", "fields", "-E", "separator=,", "-Y", "tcp"]
        for field in FIELDS:
            words += ["-e", field]
        found = []
        for line in self._place.run(words, timeout=100).stdout.splitlines():
            ipv4, ipv6, *numbers = line.split(",")
            sport, dport, stream, seq, length = map(int, numbers[:5])
            flags, time = int(numbers[5], 16), float(numbers[6])
            found.append(Packet(ipv4 or ipv6, sport, dport, stream, seq, length, flags, time))
        return found

    def _has_last(self):
        with self._file.open("rb") as file:
            file.seek(max(self._file.stat().st_size - (1 << 20), 0))
            return LAST in file.read()


def reset_ports(packets, server_port):
    """The clients' ports of connections with a RST."""
    return {packet.sport if packet.dport == server_port else packet.dport for packet in packets if packet.flags & RST}


def sent_again(packets, source):
    """How many packets from this address begin before the end of what its end of the stream sent before, by (port of that
    end, sequence number). Handed to a device in one piece (TSO), what is many segments is one packet."""
    ends, again = {}, collections.Counter()
    for packet in packets:
        length = packet.length + bool(packet.flags & SYN) + bool(packet.flags & FIN)
        if packet.source != source or not length or packet.flags & RST:
            continue
        end, packet_end = ends.get(packet.stream), (packet.seq + length) % (1 << 32)
        is_again = end is not None and 0 < (end - packet.seq) % (1 << 32) < HALF
        if is_again:
            again[packet.sport, packet.seq] += 1
        if not is_again or 0 < (packet_end - end) % (1 << 32) < HALF:
            ends[packet.stream] = packet_end
    return again
