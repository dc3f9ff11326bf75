# SPDX-License-Identifier: Apache-2.0
"""Network namespaces that no process is in and no name of `ip netns` leads to, with sockets in them."""
import json
import sys

import netns

# Makes or enters a network namespace, has sockets in it (`open`: listeners and connections, IPv4 and IPv6; always two
# TIME_WAIT), lets ss tell of them, leaves it in one of these ways, says what it knows, and waits to be told to end:
#   thread      it has been made by a thread, which stays there
#   socket      nothing is left there but the sockets
#   descriptor  a descriptor of it is kept
#   FILE        it has been entered by this file, which stays
HOLDER = """
import ctypes, json, os, socket, subprocess, sys, threading
libc = ctypes.CDLL(None)
ip, ss, how, keeps = sys.argv[1:]
NEWNET = 0x40000000  # CLONE_NEWNET of <linux/sched.h>
home = os.open("/proc/self/ns/net", os.O_RDONLY)
over = threading.Event()
held = []

def connection(address, family):
    listener = socket.create_server((address, 0), family=family)
    client = socket.create_connection(listener.getsockname()[:2])
    return client, listener.accept()[0], listener

def settled():
    for _ in range(500):
        told = subprocess.run([ss, "-Htanpe"], capture_output=True, text=True, check=True).stdout
        states = [line.split()[0] for line in told.splitlines()]
        if states.count("TIME-WAIT") == 2 and not {"FIN-WAIT-1", "FIN-WAIT-2", "LAST-ACK", "CLOSE-WAIT"} & set(states):
            return told
    raise SystemExit(f"the sockets do not settle: {told}")

def work():
    if os.path.isabs(how):
        assert libc.setns(os.open(how, os.O_RDONLY | os.O_CLOEXEC), NEWNET) == 0
    else:
        assert libc.unshare(NEWNET) == 0
    space = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    subprocess.run([ip, "link", "set", "lo", "up"], check=True)
    for address, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)):
        for made in connection(address, family):
            made.close()
        if keeps == "open":
            held.extend(connection(address, family))
    told = {"inode": os.fstat(space).st_ino, "ss": settled()}
    if how != "descriptor":
        os.close(space)
    if how != "thread":
        assert libc.setns(home, NEWNET) == 0
    os.write(1, json.dumps(told).encode() + b"\\n")
    over.wait()

worker = threading.Thread(target=work, daemon=True)
if how == "thread":
    worker.start()
    sys.stdin.read()
else:
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    work()
"""


class Holder:
    """A process that runs HOLDER: the namespace's inode number, and the lines of ss on its sockets."""

    def __init__(self, net, how, keeps="open"):
        words = [*netns.require("ip", "ss"), how, keeps]
        self.process = net.host.popen([sys.executable, "-I", "-S", "-c", HOLDER, *words], stdin=netns.subprocess.PIPE)
        netns.wait_until(lambda: self.process.stdout.endswith("\n") or self.process.popen.poll() is not None, "sockets", 30)
        assert self.process.stdout, self.process.stderr
        told = json.loads(self.process.stdout)
        self.inode = told["inode"]
        self.lines = told["ss"].splitlines()
        assert len(self.lines) == (8 if keeps == "open" else 2), told


def mounted_elsewhere(net):
    """A namespace that a file outside of /run/netns holds, its name with a blank."""
    unshare, mount, umount = netns.require("unshare", "mount", "umount")
    file = net.folder() / "a namespace"
    file.touch()
    net.host.run([unshare, "--net", mount, "--bind", "/proc/self/ns/net", file])
    net.on_exit(lambda: net.host.run([umount, file]))
    return str(file)


def by_thread(net, keeps):
    return Holder(net, "thread", keeps)


def by_file(net, keeps):
    return Holder(net, mounted_elsewhere(net), keeps)


def by_socket(net, _):
    return Holder(net, "socket")


def by_descriptor(net, keeps):
    return Holder(net, "descriptor", keeps)


# Who may not follow a socket to its namespace; and what is said then.
FEW = ("--bounding-set=-net_admin", "--inh-caps=-net_admin")


def refused(holder):
    return f"network namespace {holder.inode}, held by a socket of process {holder.process.pid}: Operation not permitted"
