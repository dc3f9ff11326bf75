# SPDX-License-Identifier: Apache-2.0
"""Idle connections that are there before sockeye is, in three network namespaces, one of them without any process."""
import sys

import netns

IDLE = netns.scaled(1000)  # connections in each namespace: twice as many sockets
PORT = 7100
# Opens IDLE connections to itself in the namespace given by its file, goes back to the namespace it came from, and
# waits to be told to close them.
HOLDER = f"""
import ctypes, os, socket, sys
libc = ctypes.CDLL(None)
home = os.open("/proc/self/ns/net", os.O_RDONLY)
assert libc.setns(os.open(sys.argv[1], os.O_RDONLY), 0) == 0
listener = socket.create_server(("127.0.0.1", {PORT}), backlog=128)
clients, servers = [], []
for _ in range({IDLE}):
    clients.append(socket.create_connection(("127.0.0.1", {PORT})))
    servers.append(listener.accept()[0])
assert libc.setns(home, 0) == 0
os.write(1, b"open")
sys.stdin.read()
for held in clients + servers + [listener]:
    held.close()
"""


class Holder:
    """A process with IDLE connections in `space`; `place` is where it lives itself."""

    def __init__(self, space, place):
        self.space = space
        self.process = place.popen([sys.executable, "-c", HOLDER, f"{netns.NETNS_DIR}/{space.name}"],
                                   stdin=netns.subprocess.PIPE)
        self.pid = self.process.pid

    def close(self):
        self.process.popen.stdin.close()
        assert self.process.wait() == 0, self.process.stderr


def three_holders(net):
    """In namespaces `one` and `two` of processes there, in `three` of one that is elsewhere."""
    held = []
    for label in ("one", "two", "three"):
        space = net.namespace(label)
        held.append(Holder(space, net.host if label == "three" else space))
    for holder in held:
        netns.wait_until(lambda process=holder.process: process.stdout == "open", f"{holder.process} to open them")
    return held
