# SPDX-License-Identifier: Apache-2.0
"""Processes that do what they are told, one statement after the other."""
import json
import os
import select
import subprocess
import sys

import netns
from witness import comm_of

PUPPET = r"""
import ctypes, json, os, socket, struct, sys, threading

def tcp(address, protocol=0):
    return socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, protocol)

def listen(address, port, protocol=0):
    made = tcp(address, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    made.listen()
    return made

def connect(address, port, protocol=0):
    made = tcp(address, protocol)
    made.connect((address, port))
    return made

def unacknowledged(which):
    return struct.unpack_from("I", which.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 28), 24)[0]  # tcpi_unacked

def reset(which):
    which.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    which.close()

def take(which, size):
    got = 0
    while got < size:
        chunk = len(which.recv(min(size - got, 1 << 16)))
        if not chunk:
            break
        got += chunk
    return got

def child(work):
    pid = os.fork()
    if pid == 0:
        ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)  # PR_SET_PDEATHSIG of <linux/prctl.h>: a killed test leaves nothing
        work()
        os._exit(0)
    return pid

def call_me(name):
    ctypes.CDLL(None).prctl(15, name, 0, 0, 0)  # PR_SET_NAME of <linux/prctl.h>

replies = os.fdopen(int(sys.argv[1]), "w", buffering=1)
for order in sys.stdin:
    order = json.loads(order)
    try:
        try:
            value = eval(compile(order, "order", "eval"))
        except SyntaxError:
            value = exec(compile(order, "order", "exec"))
        value = value if isinstance(value, (int, str, list, type(None))) else repr(value)
        print(json.dumps({"value": value}), file=replies)
    except Exception as error:
        print(json.dumps({"error": repr(error)}), file=replies)
"""


def answer(replies, process, timeout=netns.PATIENCE_S):
    """The value in the next line that this process writes to the pipe `replies`; an AssertionError if it says that it failed."""
    readable, _, _ = select.select([replies], [], [], netns.patience(timeout))
    reply = os.read(replies, 65536) if readable else b""
    assert reply.endswith(b"\n"), f"no answer from {process.pid}: {reply} {process.stderr}"
    reply = json.loads(reply)
    assert "error" not in reply, reply["error"]
    return reply["value"]


class Puppet:
    """A Python process in `place` that carries out one statement after the other, with the names of PUPPET at hand."""

    def __init__(self, place):
        self.place = place
        self._replies, reply_fd = os.pipe()
        place.net.on_exit(lambda: os.close(self._replies))
        try:
            self.process = place.popen([sys.executable, "-I", "-S", "-c", PUPPET, reply_fd], pass_fds=[reply_fd],
                                       stdin=subprocess.PIPE, bufsize=0)
        finally:
            os.close(reply_fd)
        self.pid = self.process.pid
        self.do("None")  # from now on it is Python, and called so

    def start(self, code):
        """Without waiting: for what blocks until another process does something. finish() waits."""
        self.process.popen.stdin.write(json.dumps(code).encode() + b"\n")

    def finish(self, timeout=netns.PATIENCE_S):
        return answer(self._replies, self.process, timeout)

    def do(self, code, timeout=netns.PATIENCE_S):
        """Carries it out; of an expression, the value."""
        self.start(code)
        return self.finish(timeout)

    def fails(self, code, error, timeout=netns.PATIENCE_S):
        """Carries out what must fail with this error."""
        try:
            self.do(code, timeout)
        except AssertionError as reason:
            assert error in str(reason), reason
        else:
            raise AssertionError(f"{code} did not fail with {error}")

    def wait_acknowledged(self, name):
        """Until all that the socket has sent is. An acknowledgement that comes to one that is gone is answered with a RST."""
        netns.wait_until(lambda: self.do(f"unacknowledged({name})") == 0, "an acknowledgement of everything")

    @property
    def comm(self):
        return comm_of(self.pid)
