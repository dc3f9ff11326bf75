# SPDX-License-Identifier: Apache-2.0
"""`states` and several listeners of one process on one end (SO_REUSEPORT): they share it as long as they have the same owner.
Witnesses: the processes that serve, ss."""
import re

import netns
from puppet import Puppet
from scenario import of_port, watch
from states_tools import by_socket, events_in, knows_each_listener
from witness import undone, wait_ss

PORT = 9000
CONNECTIONS = 24
SERVERS = """
import select

def listen_together(address, port, number):
    made = []
    for _ in range(number):
        made.append(tcp(address))
        made[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made[-1].bind((address, port))
    for each in made:
        each.listen(64)
    return made

def serve(listener):
    while True:
        s, _ = listener.accept()
        s.sendall(s.recv(1))
        s.recv(1)
        s.close()

def end_with(other):
    os.read(other, 1)
    os._exit(0)

def hand_over(listener):
    global alive
    told, tell = os.pipe()
    other, alive = os.pipe()
    parent = os.fork()
    if parent == 0:
        heir = os.fork()
        if heir:
            os.write(tell, b"%d" % heir)
            os._exit(0)
        os.close(alive)
        threading.Thread(target=end_with, args=[other], daemon=True).start()
        for each in ls:
            if each is not listener:
                each.close()
        serve(listener)
    os.waitpid(parent, 0)
    listener.close()
    return int(os.read(told, 16))
"""


def together(net, family, number):
    """The stage: a client, a server with so many listeners, sockeye that has seen them come."""
    client, server = net.client_and_server()
    left, right = Puppet(client), Puppet(server)
    right.do(SERVERS)
    sockeye = watch(net, "states", client, server)
    right.do(f"ls = listen_together({server.addresses[family]!r}, {PORT}, {number})")
    return client, server, left, right, sockeye


def meet(left, address, connections):
    for _ in range(connections):
        left.do(f"c = connect({address!r}, {PORT}); c.sendall(b'x'); c.recv(1); c.close()")


def children(run, server):
    return [child for child in by_socket(of_port(events_in(run, server), PORT)) if child[0]["old_state"] == "LISTEN"]


def all_of_one_owner(net, family):
    """Whichever comes and goes, children of all that are left are found, and cost no more than those of one."""
    _, server, left, right, sockeye = together(net, family, 4)
    address = server.addresses[family]
    for last in (3, 2, 1):
        left.do(f"cs = [connect({address!r}, {PORT}) for _ in range({CONNECTIONS // 3})]")
        right.do("ready = select.select(ls, [], [], 5)[0]")
        right.do(f"for _ in range({CONNECTIONS // 3}): select.select(ls, [], [], 5)[0][0].accept()")
        left.do("[reset(c) for c in cs]")
        wait_ss(server, f"sport = :{PORT}")
        right.do(f"ls.pop({last // 2}).close()")
    right.do("ls.pop().close()")
    run = sockeye.stop()
    found = children(run, server)
    assert len(found) == CONNECTIONS + undone(server, CONNECTIONS), len(found)
    for child in found:
        assert (child[0]["pid"], child[0]["owner_source"]) == (right.pid, "inherited"), child[0]


def test_all_of_one_owner_ipv4(net):
    all_of_one_owner(net, 4)


def test_all_of_one_owner_ipv6(net):
    all_of_one_owner(net, 6)


def test_children_carry_nothing(net):
    """What sockeye has the kernel clone to a child shows as memory for options (ss: skmem, o)."""
    _, server, left, right, sockeye = together(net, 4, 2)
    left.do(f"cs = [connect({server.addresses[4]!r}, {PORT}) for _ in range(8)]")
    shown = server.run([netns.require("ss"), "-Htnm", "state", "established", f"( sport = :{PORT} )"]).stdout
    held = re.findall(r"skmem:\(.*?,o(\d+),", shown)
    assert len(held) == 8 and set(held) == {"0"}, shown
    right.do("[each.close() for each in ls]")
    sockeye.stop()


def one_is_handed_over(net, family):
    """Another process, no worker of the first, accepts from one of two: from then on each child is its own listener's."""
    _, server, left, right, sockeye = together(net, family, 2)
    address = server.addresses[family]
    heir = right.do("hand_over(ls[1])")
    right.do("threading.Thread(target=serve, args=[ls[0]], daemon=True).start()")

    def is_known():
        meet(left, address, 1)
        born = sockeye.wait_for(lambda event: (event.get("old_state"), event.get("new_state")) == ("LISTEN", "SYN_RECV"))
        return born["pid"] == heir

    netns.wait_until(is_known, f"a child of {heir}")
    meet(left, address, CONNECTIONS)
    run = sockeye.stop()
    found = children(run, server)[-CONNECTIONS:]
    for child in found:
        servers = [child[-1]["pid"]] if knows_each_listener(run) else [right.pid, heir]
        assert child[0]["pid"] in servers and child[0]["owner_source"] == "inherited", child
    assert {child[-1]["pid"] for child in found} == {right.pid, heir}, "one of the two has served all"


def test_one_is_handed_over_ipv4(net):
    one_is_handed_over(net, 4)


def test_one_is_handed_over_ipv6(net):
    one_is_handed_over(net, 6)
