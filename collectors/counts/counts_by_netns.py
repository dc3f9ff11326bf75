# SPDX-License-Identifier: Apache-2.0
"""`counts --by` against `ss -tanp` in the namespaces of the scenario.

Ports, names and the container are those of the scenario alone, so what others on the machine do meanwhile is in other
groups. Nothing changes while a reading and ss are compared.
"""
import collections
import os
import re
import sys

import netns
from counts_netns import STATES, Counts, assert_no_drift
from witness import nstat

ALONE = "counts the sockets of the whole machine"
# A server and so many connections to it, in one process with a name of its own, until it is told to end.
HOLDER = """
import ctypes, os, socket, sys
name, address, port, number = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
ctypes.CDLL(None).prctl(15, name.encode(), 0, 0, 0)  # PR_SET_NAME of <linux/prctl.h>
listener = socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
held = [listener]
for _ in range(number):
    held.append(socket.create_connection((address, port)))
    held.append(listener.accept()[0])
os.write(1, b"open")
sys.stdin.read()
"""
# A client that opens so many connections, one after the other. "close": closes each after its server has taken it and
# ends; "shut": sends its FIN, and holds them until it is told to end.
CLIENT = """
import ctypes, os, socket, sys
name, address, port, number, how = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
ctypes.CDLL(None).prctl(15, name.encode(), 0, 0, 0)
held = []
for _ in range(number):
    made = socket.create_connection((address, port))
    if how == "close":
        made.close()
    else:
        made.shutdown(socket.SHUT_WR)
        held.append(made)
os.write(1, b"open")
if how == "shut":
    sys.stdin.read()
"""
# Takes connections; "close": closes each when its client has, "hold": holds on to it.
SERVER = """
import ctypes, os, socket, sys
name, address, port, how = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
ctypes.CDLL(None).prctl(15, name.encode(), 0, 0, 0)
listener = socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
held = []
while True:
    made = listener.accept()[0]
    if how == "close":
        made.recv(1)
        made.close()
    else:
        held.append(made)
"""


def script(place, code, *words):
    return place.popen([sys.executable, "-I", "-S", "-c", code, *words], stdin=netns.subprocess.PIPE)


def is_open(process):
    netns.wait_until(lambda: process.stdout == "open", f"{process} to open its connections")


def hold(place, *words):
    process = script(place, HOLDER, *words)
    is_open(process)
    return process


def serve(place, name, address, port, how):
    script(place, SERVER, name, address, port, how)
    place.wait_listen(port)


def ss_sockets(place):
    """(state, local port, remote port, names of its processes) of each socket that ss shows."""
    for line in place.run([netns.require("ss"), "-Htanp"]).stdout.splitlines():
        words = line.split()
        ports = [int(end.rsplit(":", 1)[1].replace("*", "0")) for end in words[3:5]]
        yield STATES[words[0]], *ports, tuple(re.findall(r'\("([^"]*)",pid=', line))


def ss_by_port(*places):
    counted = collections.defaultdict(collections.Counter)
    for place in places:
        sockets = list(ss_sockets(place))
        listening = {lport for state, lport, _, _ in sockets if state == "LISTEN"}
        for state, lport, rport, _ in sockets:
            counted[lport if lport in listening else rport][state] += 1
    return {port: dict(states) for port, states in counted.items()}


def ss_by_comm(*places):
    counted = collections.defaultdict(collections.Counter)
    for place in places:
        for state, _, _, names in ss_sockets(place):
            counted[names[0] if names else None][state] += 1
    return {name: dict(states) for name, states in counted.items()}


def groups_of(reading, key):
    """Key -> sockets; those without a key by what they are."""
    found = {group[key] if group[key] is not None else group["group"]: group["sockets"] for group in reading["groups"]}
    assert len(found) == len(reading["groups"]), reading
    assert all(sum(group["sockets"].values()) == group["total"] for group in reading["groups"]), reading
    return found


def fresh_reading(counts):
    """One that began after now."""
    seen = len(counts.readings())
    netns.wait_until(lambda: len(counts.readings()) >= seen + 2, "a reading")
    return counts.readings()[seen + 1]


def once(net, by):
    done = net.host.run([netns.program_of("SOCKEYE"), "counts", "--json", "--by", by])
    return netns.json.loads(done.stdout)


def left_in_time_wait(server):
    """Of the 12 connections that `by-gone` has closed. A FIN that another CPU handles before the acknowledgement of its
    handshake is answered with a reset (seen on 6.12): of that connection no TIME_WAIT stays."""
    return 12 - nstat(server, "TcpOutRsts")[0]


def three_namespaces(net):
    """Connections in each, IPv4 and IPv6; TIME_WAIT and an orphaned FIN_WAIT2 across the two that are linked."""
    client, server = net.client_and_server()
    third = net.namespace("third")
    hold(client, "by-one", "127.0.0.1", 27101, 30)
    hold(server, "by-two", "::1", 27102, 20)
    hold(third, "by-three", "::1", 27101, 7)
    serve(server, "by-closer", server.addresses[4], 27103, "close")
    serve(server, "by-holder", server.addresses[6], 27104, "hold")
    is_open(script(client, CLIENT, "by-gone", server.addresses[4], 27103, 12, "close"))
    is_open(script(client, CLIENT, "by-shut", server.addresses[6], 27104, 5, "shut"))
    is_open(script(client, CLIENT, "by-orphan", server.addresses[6], 27104, 3, "close"))

    seen = []

    def settled():
        states = collections.Counter(state for state, *_ in ss_sockets(client))
        if not seen or seen[-1] != states:
            seen.append(states)
        return states["TIME_WAIT"] == left_in_time_wait(server) and states["FIN_WAIT2"] == 8

    try:
        netns.wait_until(settled, "12 TIME_WAIT and 8 FIN_WAIT2")
    except AssertionError as error:
        raise AssertionError(f"{error}; seen {seen}") from None
    return client, server, third


def test_netns(net):
    places = three_namespaces(net)
    reading = once(net, "netns")
    seen = groups_of(reading, "netns")
    for place in places:
        states = collections.Counter(state for state, *_ in ss_sockets(place))
        assert seen[place.inode] == dict(states), (seen[place.inode], states)
    cookies = [group["netns_cookie"] for group in reading["groups"]]
    assert None in cookies or len(set(cookies)) == len(cookies), reading["groups"]
    assert_no_drift([reading])


def test_port(net):
    places = three_namespaces(net)
    witness = ss_by_port(*places)
    assert sorted(witness) == [27101, 27102, 27103, 27104], witness
    reading = once(net, "port")
    seen = groups_of(reading, "port")
    assert {port: seen.get(port) for port in witness} == witness, (seen, witness)
    assert seen[27103]["TIME_WAIT"] == left_in_time_wait(places[1]) > 0 and seen[27104]["FIN_WAIT2"] == 8, seen
    totals = [group["total"] for group in reading["groups"]]
    assert totals == sorted(totals, reverse=True), totals
    assert_no_drift([reading])


def test_port_of_half_open_requests(net):
    client, server = net.client_and_server()
    serve(server, "by-server", server.addresses[4], 27105, "hold")
    rules = "table inet lost { chain lost { type filter hook input priority 0; tcp sport 27105 drop; }; }"
    done = client.run([netns.require("nft"), rules], check=False)
    if done.code != 0:
        netns.skip(f"nft drops no packets here: {done.stderr.strip()}")
    for _ in range(2):
        script(client, CLIENT, "by-client", server.addresses[4], 27105, 1, "shut")
    netns.wait_until(lambda: ss_by_port(client, server).get(27105) == {"LISTEN": 1, "SYN_RECV": 2, "SYN_SENT": 2},
                     "two half-open requests")
    assert groups_of(once(net, "port"), "port")[27105] == {"LISTEN": 1, "SYN_RECV": 2, "SYN_SENT": 2}
    seen = groups_of(once(net, "comm"), "comm")
    assert seen["by-server"] == {"LISTEN": 1, "SYN_RECV": 2} and seen["by-client"] == {"SYN_SENT": 2}, seen


def test_comm_of_sockets_of_before(net):
    places = three_namespaces(net)
    witness = ss_by_comm(*places)
    gone = witness.pop(None)
    assert gone == {"TIME_WAIT": left_in_time_wait(places[1]), "FIN_WAIT2": 3} and len(witness) == 6, witness
    seen = groups_of(once(net, "comm"), "comm")
    assert {name: seen.get(name) for name in witness} == witness, (seen, witness)
    # Whose they were nobody can tell any more.
    assert all(seen["unknown"].get(state, 0) >= number for state, number in gone.items()), seen


def test_comm_of_what_ends_while_it_watches(net):
    counts = Counts(net, "--watch", "200ms", "--by", "comm")
    places = three_namespaces(net)
    seen = groups_of(fresh_reading(counts), "comm")
    witness = ss_by_comm(*places)
    if not tracing_programs_have_cookies():
        netns.skip("sockets of this kernel have no cookies")
    left = left_in_time_wait(places[1])
    assert witness.pop(None) == {"TIME_WAIT": left, "FIN_WAIT2": 3}, witness
    # Their processes have ended: ss does not know them.
    witness.update({"by-gone": {"TIME_WAIT": left}, "by-orphan": {"FIN_WAIT2": 3}})
    assert {name: seen.get(name) for name in witness} == witness, (seen, witness)
    assert_no_drift(counts.stop())


def tracing_programs_have_cookies():
    """Since 5.12."""
    with open("/proc/kallsyms", encoding="ascii") as symbols:
        return any(line.split()[2] == "bpf_get_socket_ptr_cookie" for line in symbols)


def cgroup2():
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        found = [line.split()[1] for line in mounts if line.split()[2] == "cgroup2"]
    return found[0] if found else netns.skip("no cgroup v2 hierarchy is mounted")


def test_container(net):
    container = f"{os.getpid():064x}"
    folder = f"{cgroup2()}/docker-{container}.scope"
    try:
        os.mkdir(folder)
    except OSError as error:
        netns.skip(f"no cgroup can be made: {error}")
    net.on_exit(lambda: os.rmdir(folder))
    place = net.namespace("one")
    outside = hold(place, "by-outside", "127.0.0.1", 27101, 5)
    entering = "import os; open(os.environ['FOLDER'] + '/cgroup.procs', 'w').write(str(os.getpid()))\n"
    inside = place.popen([sys.executable, "-I", "-S", "-c", entering + HOLDER, "by-inside", "127.0.0.1", 27102, 9],
                         stdin=netns.subprocess.PIPE, env={**os.environ, "FOLDER": folder})
    is_open(inside)
    seen = groups_of(once(net, "container"), "container")
    assert seen[container] == {"ESTABLISHED": 18, "LISTEN": 1}, seen
    assert seen["no_container"]["ESTABLISHED"] >= 10 and seen["no_container"]["LISTEN"] >= 1, (seen, outside)
    table = net.host.run([netns.program_of("SOCKEYE"), "counts", "--by", "container"]).stdout.splitlines()
    assert re.match(r"CONTAINER +ESTABLISHED .*LISTEN +TOTAL$", table[0]), table
    assert any(re.match(f"{container[:12]} .* 19$", line) for line in table), table
