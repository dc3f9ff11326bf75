# SPDX-License-Identifier: Apache-2.0
"""`states` under load: not one event missing, each with its owner, its ports and its duration; and what is lost is
counted. Witnesses: what the workload counted, the kernel's counters (nstat)."""
import collections
import signal

import netns
from states_tools import (CLIENT_LIFE, CLIENT_LIFE_ORPHANED, ROOM, SERVER_LIFE, by_socket, is_of_listener,
                          is_undone, life, owners, events_in, events_of, served_by, transitions)
from witness import nstat, undone, wait_ss
from workload import numbers, run_load, start_load

ALONE = "makes as many events as the machine can take"
PORT = 7000
SHORT = netns.under_load(20_000)
HELD = netns.under_load(9_000)


def check_events(events, connections, client, server):
    """The ten events of each connection, and two of each of the server's two listeners."""
    counts = collections.Counter((event["role"], event["old_state"], event["new_state"]) for event in events)
    lacking = [socket for socket in by_socket(events) if len(socket) != 5 and not is_of_listener(socket[0])]
    assert sum(counts.values()) == 10 * connections + 4, (counts, lacking[:4])
    lives = collections.Counter()
    ends = collections.Counter()
    for socket in by_socket(events):
        lives[life(socket)] += 1
        if socket[0]["role"] == "client":
            assert owners(socket) == [(client.pid, "connect")], socket
            ends[socket[0]["laddr"], socket[0]["lport"], socket[0]["cookie"]] += 1
        else:
            assert served_by(socket, server.pid) == [(server.pid, "use")], socket
            assert [event["owner_source"] for event in socket].count("use") == 3, socket
    assert lives[SERVER_LIFE] == lives[CLIENT_LIFE] + lives[CLIENT_LIFE_ORPHANED] == connections, lives
    assert len(lives) <= 3, lives
    assert {event["comm"] for event in events} == {"sockeye_load"}, {event["comm"] for event in events}
    listeners = [event for event in events if is_of_listener(event)]
    assert len(listeners) == 4 and {event["pid"] for event in listeners} == {server.pid}, listeners


def check_ends(events):
    """Both sockets of a connection have the same two ends."""
    ends = collections.Counter()
    for socket in by_socket(events):
        left, right = (socket[0]["laddr"], socket[0]["lport"]), (socket[0]["raddr"], socket[0]["rport"])
        ends[(left, right) if socket[0]["role"] == "client" else (right, left)] += 1
    odd = [pair for pair, count in ends.items() if count % 2]
    assert not odd, odd[:10]


def run_counted_load(client_place, server_place, address, connections):
    """run_load(), which the workload and the kernel have counted, too. (client, server)"""
    client, server = run_load(client_place, server_place, address, connections)
    assert numbers(client) == {"connections": connections, "closed": connections, "errors": 0}, client.stdout
    assert numbers(server) == {"accepted": connections, "closed": connections, "errors": 0}, server.stdout
    assert nstat(client_place, "TcpActiveOpens") == [connections]
    return client, server


def of_connections(events, server_place, connections):
    """The events without those of undone children, which are as many as the kernel counted."""
    gone = {socket[0]["cookie"] for socket in by_socket(events, all_children=True) if is_undone(socket)}
    assert len(gone) == undone(server_place, connections), gone
    return [event for event in events if event["cookie"] not in gone]


def run_short(net, client_place, server_place, address, connections=SHORT):
    sockeye = net.sockeye("states", *ROOM)
    client, server = run_counted_load(client_place, server_place, address, connections)
    events = of_connections(events_in(sockeye.stop(), client_place, server_place), server_place, connections)
    check_events(events, connections, client, server)
    check_ends(events)
    return events, client, server


def on_loopback(net, address):
    place = net.namespace("one")
    run_short(net, place, place, address)


def handled_by_threads(net, family, connections=netns.under_load(5_000)):
    """Whoever has the CPU when a packet is handled has nothing to do with the connection."""
    client_place, server_place = net.client_and_server()
    client_place.receive_in_threads("veth0")
    server_place.receive_in_threads("veth0")
    address = server_place.addresses[family]
    events, client, server = run_short(net, client_place, server_place, address, connections)
    strangers = [event for event in events if event.get("task_pid", event["pid"]) not in (client.pid, server.pid)]
    assert len(strangers) > connections, f"only {len(strangers)} events came in the context of somebody else"


def test_short_connections_on_loopback_ipv4(net):
    on_loopback(net, "127.0.0.1")


def test_short_connections_on_loopback_ipv6(net):
    on_loopback(net, "::1")


def handled_by_the_sender(net, family, connections=netns.under_load(5_000)):
    """On an ordinary link the server's packets are handled while the client's process sends, and the other way round."""
    client_place, server_place = net.client_and_server()
    address = server_place.addresses[family]
    events, client, server = run_short(net, client_place, server_place, address, connections)
    others = [event for event in events if event["pid"] == server.pid and event.get("task_pid") == client.pid]
    assert len(others) > connections, f"only {len(others)} of the server's events came in the client's context"


def test_packets_handled_by_the_sender_ipv4(net):
    handled_by_the_sender(net, 4)


def test_packets_handled_by_the_sender_ipv6(net):
    handled_by_the_sender(net, 6)


def test_packets_handled_by_threads_ipv4(net):
    handled_by_threads(net, 4)


def test_packets_handled_by_threads_ipv6(net):
    handled_by_threads(net, 6)


def on_another_cpu(net, family, connections):
    """As with a network card, an interrupt hands packets to the other CPU, whatever runs there, sockeye's programs
    included. Two runs watch, and see the same. Events that neither has came on top of a guarded process 1 (tests/netns/guarded.py)."""
    client_place, server_place = net.client_and_server()
    client_place.receive_on("veth0", "1")
    server_place.receive_on("veth0", "2")
    sockeyes = [net.sockeye("states", *ROOM) for _ in range(2)]
    client, server = run_counted_load(client_place, server_place, server_place.addresses[family], connections)
    theirs = transitions(events_in(sockeyes.pop().stop(), client_place, server_place))
    events = events_in(sockeyes.pop().stop(), client_place, server_place)
    ours = transitions(events)
    assert ours == theirs, f"only one of two runs saw {[*(ours - theirs), *(theirs - ours)][:10]}"
    missing = events_of(server_place, connections) - ours.total()
    assert net.hidden.explains(missing), f"{missing} events are missing, {net.hidden.count()} were hidden"
    if missing == 0:
        check_events(of_connections(events, server_place, connections), connections, client, server)
    for event in events:
        assert event["lport"] and event["pid"] in (client.pid, server.pid), event
        assert (event["pid"] == client.pid) == (event["role"] == "client") or event["role"] == "unknown", event


def test_packets_handled_on_another_cpu_ipv4(net):
    on_another_cpu(net, 4, SHORT)


def test_packets_handled_on_another_cpu_ipv6(net):
    on_another_cpu(net, 6, netns.under_load(5_000))


def close_in_a_row(net, family):
    client_place, server_place = net.client_and_server()
    client_place.receive_in_threads("veth0", needed=False)
    server_place.receive_in_threads("veth0", needed=False)
    sockeye = net.sockeye("states", *ROOM)
    address = server_place.addresses[family]
    server = start_load(server_place, "server", "--addr", address, "--port", PORT)
    client = start_load(client_place, "client", "--addr", address, "--port", PORT, "--connections", HELD,
                        "--hold", 60)
    assert client.stop(timeout=60) == 0, client.stderr
    wait_ss(server_place, f"sport = :{PORT}")
    assert server.stop() == 0, server.stderr
    assert numbers(client) == {"connections": HELD, "closed": HELD, "errors": 0}, client.stdout
    assert numbers(server) == {"accepted": HELD, "closed": HELD, "errors": 0}, server.stdout
    events = of_connections(events_in(sockeye.stop(), client_place, server_place), server_place, HELD)
    check_events(events, HELD, client, server)
    check_ends(events)


def test_held_connections_closed_in_a_row_ipv4(net):
    close_in_a_row(net, 4)


def test_held_connections_closed_in_a_row_ipv6(net):
    close_in_a_row(net, 6)


def test_what_is_lost_is_counted(net):
    """The reader stands still, the ring is small: those that came and those counted as lost are all that were."""
    connections = 2_000
    place = net.namespace("one")
    sockeye = net.sockeye("states", "--ring-size", "64K", "--netns", place.inode, lossy=True)
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
    assert len(run.events) + lost == events_of(place, connections), (len(run.events), lost)
    assert f"{lost:,} lost" in run.stderr and "kernel/ring_full" in run.stderr, run.stderr
    # An event that was lost leaves durations right: they are of the event in the kernel.
    for socket in by_socket(run.events):
        for event in socket[1:]:
            assert event["duration_us"] is not None, event
