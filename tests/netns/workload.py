# SPDX-License-Identifier: Apache-2.0
"""The workload program in namespaces, packets that get lost, and settings of the kernel."""
import os
import netns
from ready import start_ready
from witness import wait_ss


def start_load(place, *words):
    """The workload program; returns when it says that it is ready: listening, or all connections open."""
    return start_ready(lambda fd: place.load(*words, "--ready-fd", fd, pass_fds=[fd]), timeout=60)


def run_load(client_place, server_place, address, connections, port=7000):
    """Connections one after the other, as fast as it goes, until the server has no socket left. (client, server)"""
    server = start_load(server_place, "server", "--addr", address, "--port", port)
    client = client_place.load("client", "--addr", address, "--port", port, "--connections", connections)
    assert client.wait(100) == 0, client.stderr
    wait_ss(server_place, f"sport = :{port}")
    assert server.stop() == 0, server.stderr
    return client, server


def numbers(load):
    """What the workload program did: "accepted=3 closed=3 errors=0"."""
    return {word.split("=")[0]: int(word.split("=")[1]) for word in load.stdout.split()}


def drop(place, hook, what):
    """Packets that nft's words describe are dropped in this namespace until pass_all()."""
    rules = f"table inet lost {{ chain lost {{ type filter hook {hook} priority 0; {what} counter drop; }}; }}"
    done = place.run([netns.require("nft"), rules], check=False)
    if done.code != 0:
        netns.skip(f"nft drops no packets here: {done.stderr.strip()}")


def lose(place, percent):
    """So many of the packets that come get lost, until pass_all()."""
    drop(place, "input", f"meta l4proto tcp numgen random mod 100 < {percent}")


MPTCP = 262  # IPPROTO_MPTCP of <linux/in.h>


def require_mptcp():
    if not os.path.exists("/proc/sys/net/mptcp"):
        netns.skip("this kernel has no MPTCP")


def set_sysctl(place, name, value):
    """net/ipv4/tcp_syn_retries and the like."""
    place.run(["sh", "-c", f"echo '{value}' > /proc/sys/{name}"])


def pass_all(place):
    place.run([netns.require("nft"), "delete table inet lost"])
