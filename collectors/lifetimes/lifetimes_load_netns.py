# SPDX-License-Identifier: Apache-2.0
"""`lifetimes` under load: an event of each socket, none twice, and what is lost is counted. Witnesses: what the
workload counted, the kernel's counters (nstat)."""
import collections
import signal
import sys

import netns
from lifetimes_tools import lives_of, settle
from scenario import watch
from states_tools import linked_by_threads, ROOM
from witness import nstat
from workload import numbers, run_load, start_load

ALONE = "makes as many events as the machine can take"
PORT = 7000
HELD = netns.under_load(18_000)
SHORT = netns.under_load(20_000)
CLOSED = netns.under_load(10_000)
MESSAGE = 64  # bytes each way: kMessageBytes of tests/netns/load.h


def check_all(events, connections, client, server):
    """Two events of each connection, both right."""
    roles = collections.Counter(event["role"] for event in events)
    assert roles == {"client": connections, "server": connections}, roles
    ways = collections.Counter((event["role"], event["end"], event["closed_by"]) for event in events)
    assert sum(count for (_, end, _), count in ways.items() if end == "closed") == 2 * connections, ways
    for event in events:
        carried = (event["bytes_written"], event["bytes_acked"], event["bytes_received"], event["bytes_unread"])
        assert carried == (MESSAGE, MESSAGE, MESSAGE, 0), event
        assert event["pid"] == (client if event["role"] == "client" else server).pid, event
        assert event["local_close"] == "close", event
    ends = {(event["laddr"], event["lport"], event["raddr"], event["rport"]) for event in events}
    assert all((raddr, rport, laddr, lport) in ends for laddr, lport, raddr, rport in ends), "an end is missing"
    return ways


def close_at_once(net, family):
    client_place, server_place = linked_by_threads(net)
    sockeye = watch(net, "lifetimes", client_place, server_place, words=ROOM)
    address = server_place.addresses[family]
    server = start_load(server_place, "server", "--addr", address, "--port", PORT)
    client = start_load(client_place, "client", "--addr", address, "--port", PORT, "--connections", HELD,
                        "--hold", 60)
    assert client.stop(timeout=60) == 0, client.stderr
    settle(client_place, PORT, timeout=60)
    settle(server_place, PORT, timeout=60)
    assert server.stop() == 0, server.stderr
    assert numbers(client) == {"connections": HELD, "closed": HELD, "errors": 0}, client.stdout
    assert numbers(server) == {"accepted": HELD, "closed": HELD, "errors": 0}, server.stdout
    events = lives_of(sockeye.stop(), client_place, server_place)
    print(check_all(events, HELD, client, server), len(events), "events of", HELD, "connections")


def test_held_connections_closed_at_once_ipv4(net):
    close_at_once(net, 4)


def test_held_connections_closed_at_once_ipv6(net):
    close_at_once(net, 6)


def short_connections(net, family):
    client_place, server_place = linked_by_threads(net)
    sockeye = watch(net, "lifetimes", client_place, server_place, words=ROOM)
    client, server = run_load(client_place, server_place, server_place.addresses[family], SHORT)
    assert nstat(client_place, "TcpActiveOpens") == [SHORT]
    events = lives_of(sockeye.stop(), client_place, server_place)
    print(check_all(events, SHORT, client, server))
    for event in events:
        unknown = event.get("handshake_unknown")
        assert event["handshake_us"] is not None or unknown in ("no_sample", "with_data", "retransmitted"), event
    of_servers = collections.Counter(event.get("handshake_unknown") for event in events if event["role"] == "server")
    print("handshakes of servers that are not known:", of_servers)
    assert of_servers[None] >= 0.9 * SHORT, of_servers


def test_short_connections_ipv4(net):
    short_connections(net, 4)


def test_short_connections_ipv6(net):
    short_connections(net, 6)


def test_what_is_lost_is_counted(net):
    """The reader stands still, the ring is small: those that came and those counted as lost are all that were."""
    connections = 2_000
    place = net.namespace("one")
    sockeye = watch(net, "lifetimes", place, words=("--ring-size", "64K"), lossy=True)
    server = start_load(place, "server", "--addr", "127.0.0.1", "--port", PORT)
    sockeye.process.popen.send_signal(signal.SIGSTOP)
    client = place.load("client", "--addr", "127.0.0.1", "--port", PORT, "--connections", connections)
    assert client.wait(100) == 0, client.stderr
    sockeye.process.popen.send_signal(signal.SIGCONT)
    gap = sockeye.wait_for(lambda event: event["event"] == "gap")
    assert (gap["stage"], gap["reason"]) == ("kernel", "ring_full"), gap
    assert server.stop() == 0, server.stderr
    run = sockeye.stop()
    lost = sum(gap["lost"] for gap in run.gaps)
    assert run.end["lost"] == lost > 0 and not run.end["incomplete"], run.end
    assert len(run.events) + lost == 2 * connections, (len(run.events), lost)


LOSS = "tcp dport 7000-7999 numgen random mod 20 0"


def retransmits_as_counted(net, family):
    """One packet of twenty is lost on its way to the server, and one of twenty back. The sum of all events is what
    each namespace's kernel has counted."""
    client_place, server_place = linked_by_threads(net)
    sockeye = watch(net, "lifetimes", client_place, server_place, words=ROOM)
    for hook, what in (("input", LOSS), ("output", LOSS.replace("dport", "sport"))):
        chain = f"type filter hook {hook} priority 0; {what} counter drop;"
        rules = f"table inet lost_{hook} {{ chain lost {{ {chain} }}; }}"
        done = server_place.run([netns.require("nft"), rules], check=False)
        if done.code != 0:
            netns.skip(f"nft drops no packets here: {done.stderr.strip()}")
    address = server_place.addresses[family]
    server = start_load(server_place, "server", "--addr", address, "--port", PORT)
    client = client_place.load("client", "--addr", address, "--port", PORT, "--connections", 20, "--threads", 10,
                               "--requests", netns.under_load(4000))
    assert client.wait(120) == 0, client.stderr
    for hook in ("input", "output"):
        server_place.run([netns.require("nft"), "delete", "table", "inet", f"lost_{hook}"])
    settle(client_place, PORT)
    settle(server_place, PORT)
    assert server.stop() == 0, server.stderr
    events = lives_of(sockeye.stop(), client_place, server_place)
    assert len(events) == 40, len(events)
    for place in (client_place, server_place):
        said = sum(event["retransmits"] for event in events if event["netns"] == place.inode)
        counted, = nstat(place, "TcpRetransSegs")
        print(f"{said} retransmissions in events, {counted} counted by the kernel")
        assert said == counted > 0, (said, counted)


def test_retransmissions_as_the_kernel_counts_them_ipv4(net):
    retransmits_as_counted(net, 4)


def test_retransmissions_as_the_kernel_counts_them_ipv6(net):
    retransmits_as_counted(net, 6)


# Sends small segments without end, on a CPU of its own.
STREAM = r"""
import os, socket, sys
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
listener = socket.create_server((sys.argv[1], 9000), family=socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
while True:
    sock = listener.accept()[0]
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        while True:
            sock.send(b"x" * 300)
    except OSError:
        pass
    sock.close()
"""

# Reads what is there, then closes.
READERS = r"""
import os, socket, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
for _ in range(int(sys.argv[2])):
    sock = socket.create_connection((sys.argv[1], 9000))
    sock.recv(1)
    sock.setblocking(False)
    try:
        while True:
            sock.recv(65536)
    except BlockingIOError:
        pass
    sock.close()
"""


def test_closed_in_the_middle_of_a_stream(net):
    """Some segments come while close() is at work: counted by then, and not taken. Each ends the connection by a RST, which the
    kernel counts by why it is sent."""
    client_place, server_place = net.client_and_server()
    sockeye = watch(net, "lifetimes", client_place, words=ROOM)
    for address in server_place.addresses.values():
        server = server_place.popen([sys.executable, "-c", STREAM, address])
        server_place.wait_listen(9000)
        client_place.run([sys.executable, "-c", READERS, address, str(CLOSED)], timeout=netns.PATIENCE_S * 4)
        server.end()
    events = lives_of(sockeye.stop(), client_place)
    assert len(events) == 2 * CLOSED, len(events)
    ends = collections.Counter((event["end"], event["last_state"]) for event in events)
    on_data, on_close = nstat(client_place, "TcpExtTCPAbortOnData", "TcpExtTCPAbortOnClose")
    late = ends[("reset_sent", "FIN_WAIT1")] + ends[("reset_sent", "FIN_WAIT2")]
    print(f"nstat: {on_close} closed with data unread, {on_data} ended by data that came later; {dict(ends)}")
    assert late == on_data and ends[("reset_sent", "ESTABLISHED")] == on_close, ends
