# SPDX-License-Identifier: Apache-2.0
"""What any user can open, use and close leaves nothing in the kernel side's tables. Witness: bpftool."""
import json
import os
import sys

import netns
from bpf_objects import ids_of, in_kernel

ALONE = "fills the tables of the whole machine"
TABLES = ("entry_by_address", "listener_by_end")
SOCKETS = int(os.environ.get("SOCKEYE_SOCKETS") or 22_000)  # of all kinds together
ROOT_SOCKETS = 1_000  # closing one of AF_PACKET takes the kernel a grace period

# Every family, type and protocol that opens a socket, then sockets of each in turn, as many at a time as files may be open.
EVERY_KIND = """
import errno, itertools, json, os, resource, socket, sys

unknown = set()  # families: for each try the kernel would look for a module

def opens(family, kind, protocol):
    if family in unknown:
        return False
    try:
        socket.socket(family, kind, protocol).close()
        return True
    except OSError as error:
        if error.errno == errno.EAFNOSUPPORT:
            unknown.add(family)
        return False

def use(made, number):
    made.setblocking(False)
    peer = ("::1", 9) if made.family == socket.AF_INET6 else ("127.0.0.1", 9)
    actions = [lambda: made.send(b""), lambda: made.recv(1), lambda: made.connect(peer), lambda: made.send(b"x"),
               lambda: made.listen(1), made.getpeername, lambda: made.recv(1), lambda: made.shutdown(2)]
    for action in actions[number % 3:]:
        try:
            action()
        except (OSError, TypeError):
            pass

protocols = [*range(40), 41, 47, 50, 51, 58, 89, 103, 108, 112, 132, 136, 143, 255, 262]
families = range(1, 46)
kinds = [found for found in itertools.product(families, range(1, 7), protocols) if opens(*found)]
limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
batch, made = min(limit - 100, 10_000), []
total = max(int(sys.argv[1]), len(kinds))
for number in range(total):
    try:
        made.append(socket.socket(*kinds[number % len(kinds)]))
    except OSError:
        continue
    use(made[-1], number)
    if len(made) == batch:
        [each.close() for each in made]
        made = []
[each.close() for each in made]
print(json.dumps({"kinds": len(kinds), "sockets": total}))
"""


def entries(net, sockeye):
    """How many there are in each table of this sockeye."""
    maps = in_kernel(net, "map")
    found = {}
    for number in ids_of(sockeye.process.pid, "map"):
        for table in TABLES:
            if table.startswith(maps[number]["name"]):  # of a name the kernel keeps 15 bytes
                dump = net.host.run([netns.require("bpftool"), "-j", "map", "dump", "id", str(number)]).stdout
                found[table] = len(json.loads(dump or "[]"))
    assert found.keys() == set(TABLES), found
    return found


def test_every_kind_of_socket_leaves_nothing(net):
    place = net.namespace("one")
    sockeye = net.sockeye("trace", "states,drops", "--netns", str(place.inode), "--pid", "1", lossy=True)
    before = entries(net, sockeye)
    nobody = [netns.require("setpriv"), "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]
    for user, sockets in ((nobody, netns.scaled(SOCKETS)), ([], ROOT_SOCKETS)):
        done = place.run([*user, sys.executable, "-I", "-S", "-c", EVERY_KIND, sockets], timeout=100)
        said = json.loads(done.stdout)
        print(f"{said['sockets']} sockets of {said['kinds']} kinds{' by nobody' if user else ''}")
        assert said["kinds"] >= 10, said
        netns.wait_until(lambda: all(count <= before[name] for name, count in entries(net, sockeye).items()),
                         f"the entries of before: {before}")
    sockeye.stop()
