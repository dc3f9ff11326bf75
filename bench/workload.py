# SPDX-License-Identifier: Apache-2.0
"""The workload that tools are measured under: the workload program of the scenarios (tests/netns/load.cpp), in a network
namespace of its own, over loopback."""
import os
import select

import netns
import process_figures
import tools

ADDRESS = "127.0.0.1"
FIRST_SOURCE = "127.0.0.2"
SOURCES = 32      # 32 addresses of 64,000 ports each: a port is not used again while its TIME_WAIT lasts
PATIENCE_S = 300
# A small TIME_WAIT table is full after the first second, and from then on every run finds it the same.
SETTINGS = {"net/ipv4/ip_local_port_range": "1024 65535", "net/ipv4/tcp_max_tw_buckets": "8192",
            "net/ipv4/tcp_max_syn_backlog": "8192", "net/core/somaxconn": "4096"}
# In which a socket of a connection still has a transition before it.
UNFINISHED = ("syn-sent", "syn-recv", "established", "fin-wait-1", "close-wait", "last-ack", "closing")


def numbers(line):
    """ "connections=3 seconds=0.5": {"connections": 3.0, "seconds": 0.5}."""
    return {key: float(value) for key, value in (word.split("=") for word in line.split())}


class Workload:
    """The server, which stays for the whole session, and clients, one a run."""

    def __init__(self, net, threads=2):
        self._threads = threads
        self.place = net.namespace("bench")
        script = "; ".join(f"echo '{value}' > /proc/sys/{name}" for name, value in SETTINGS.items())
        self.place.run(["sh", "-c", f"set -e; {script}"])
        self._server = self._serve(tools.PORT)
        self._sink = self._serve(tools.PORT + 1, "--discard")

    def _serve(self, port, *words):
        server = self.place.load("server", "--addr", ADDRESS, "--port", port, "--threads", self._threads, *words)
        self.place.wait_listen(port)
        return server

    def client(self, *words, port=tools.PORT, **options):
        """The process of a client, which has started."""
        argv = self.place.prefix + [netns.program_of("SOCKEYE_LOAD"), "client", "--addr", ADDRESS, "--port", port,
                                    "--threads", self._threads, "--source-addresses", SOURCES, "--first-source",
                                    FIRST_SOURCE, "--figures", *words]
        return netns.Process(argv, **options)

    def finish(self, process):
        """What a client did, in numbers, when it and the server are done with it."""
        try:
            code = process.wait(PATIENCE_S)
            if code != 0:
                raise AssertionError(f"{process} exited with {code}\n{process.stderr}")
            found = numbers(process.stdout)
        finally:
            process.end()
        self.wait_finished()
        return found

    def wait_finished(self):
        words = [word for state in UNFINISHED for word in ("state", state)]
        ports = f"( sport = :{tools.PORT} or sport = :{tools.PORT + 1} )"
        netns.wait_until(lambda: not self.place.run([netns.require("ss"), "-Htn", *words, ports]).stdout.strip(),
                         "the end of the workload's sockets")

    def _run(self, *words, server=None, port=tools.PORT):
        server = server or self._server
        before = process_figures.cpu_seconds(server.pid)
        found = self.finish(self.client(*words, port=port))
        found["cpu_seconds"] += process_figures.cpu_seconds(server.pid) - before
        return found

    def connections(self, count, rate=None):
        """Connect, 64 bytes there and back, close; flat out, or so many a second."""
        found = self._run("--connections", count, *(("--rate", rate) if rate else ()))
        found["per_second"] = found["connections"] / found["seconds"]
        return found

    def requests(self, count, connections=32):
        """64 bytes there and back over connections that stay open."""
        found = self._run("--connections", connections, "--requests", count)
        found["per_second"] = count / found["seconds"]
        return found

    def stream(self, size, connections=2):
        found = self._run("--connections", connections, "--stream", size, server=self._sink, port=tools.PORT + 1)
        found["per_second"] = size / found["seconds"]
        return found


def read_byte(fd, timeout):
    """Whether a byte came in time."""
    readable, _, _ = select.select([fd], [], [], timeout)
    return bool(readable) and bool(os.read(fd, 1))
