# SPDX-License-Identifier: Apache-2.0
"""`states` and owners that end while their sockets do not: a server that becomes a daemon, a listener that is handed on, a
number that another process gets, a program whose first thread ends. Witnesses: ss -p, what the processes say."""
import pathlib

import netns
from puppet import Puppet
from scenario import of_port, watch
from states_tools import by_socket, halves, is_of_listener, owners, events_in
from witness import comm_of, wait_ss

PORT = 9000
LAST_PID = pathlib.Path("/proc/sys/kernel/ns_last_pid")

# [who listened and has ended, its heir]: the heir accepts, answers and closes as often as it is told, and ends when it hears
# no more.
DAEMON = """
def listen_as_daemon(address, port):
    global tell
    said, say = os.pipe()
    told, tell = os.pipe()
    parent = os.fork()
    if parent == 0:
        l = listen(address, port)
        heir = os.fork()
        if heir:
            os.write(say, b"%d" % heir)
            os._exit(0)
        os.close(tell)
        while os.read(told, 1):
            s, _ = l.accept()
            s.sendall(s.recv(1))
            s.close()
        os._exit(0)
    os.close(told)
    os.waitpid(parent, 0)
    return [parent, int(os.read(said, 16))]
"""


def serve(left, right, address):
    """A connection that the heir serves, and then closes."""
    right.do("os.write(tell, b'.')")
    left.do(f"c = connect({address!r}, {PORT}); c.sendall(b'x'); c.recv(1); c.recv(1); c.close()")


def daemon(net):
    client, server = net.client_and_server()
    left, right = Puppet(client), Puppet(server)
    right.do(DAEMON)
    return client, server, left, right


def first_owners(events):
    """Of LISTEN -> SYN_RECV and SYN_RECV -> ESTABLISHED of each child: before any process has it."""
    return [{(event["pid"], event["owner_source"]) for event in child[:2]} for child in by_socket(events)]


def daemon_serves(net, family):
    client, server, left, right = daemon(net)
    sockeye = watch(net, "states", client, server)
    parent, heir = right.do(f"listen_as_daemon({server.addresses[family]!r}, {PORT})")
    only_heir = watch(net, "states", server, words=("--pid", heir))
    for _ in range(3):
        serve(left, right, server.addresses[family])
    right.do("os.close(tell)")
    wait_ss(server, f"sport = :{PORT}", *["TIME-WAIT"] * 3)
    server_events = of_port(events_in(sockeye.stop(), server), PORT)
    listener = [event for event in server_events if is_of_listener(event)]
    assert (listener[0]["pid"], listener[0]["owner_source"]) == (parent, "listen"), listener
    assert parent not in {event["pid"] for event in server_events[1:]}, (parent, heir, server_events)
    of_first, *others = first_owners(server_events)
    assert of_first <= {(None, "unknown"), (heir, "inherited"), (heir, "accept")}, (of_first, heir)
    for found in others:
        assert found <= {(heir, "inherited"), (heir, "accept")}, (found, heir)
    assert {child[-1]["pid"] for child in by_socket(server_events)} == {heir}
    filtered = by_socket(of_port(events_in(only_heir.stop(), server), PORT))
    assert len(filtered) == 3 and [event["old_state"] for event in filtered[1]][:2] == ["LISTEN", "SYN_RECV"], filtered


def test_a_server_that_becomes_a_daemon_ipv4(net):
    daemon_serves(net, 4)


def test_a_server_that_becomes_a_daemon_ipv6(net):
    daemon_serves(net, 6)


def test_who_holds_a_listener_is_found_though_it_does_nothing(net):
    """Nobody accepts: whose the connections are is known from a look through the files."""
    client, server, left, right = daemon(net)
    sockeye = watch(net, "states", server)
    parent, heir = right.do(f"listen_as_daemon({server.addresses[6]!r}, {PORT})")

    def inherited_from_heir():
        left.do(f"reset(connect({server.addresses[6]!r}, {PORT}))")
        event = sockeye.wait_for(lambda event: event["old_state"] == "SYN_RECV")
        assert event["pid"] != parent, event
        return (event["pid"], event["owner_source"]) == (heir, "inherited")

    netns.wait_until(inherited_from_heir, "the heir as the owner of a connection")
    right.do(f"os.close(tell); os.kill({heir}, 9)")
    sockeye.stop()


def given_again(place, number):
    """A process in this place that has this number; 0: it is not to be had."""
    if not LAST_PID.exists():
        netns.skip("this kernel lets nobody choose numbers of processes (CONFIG_CHECKPOINT_RESTORE)")
    for _ in range(200):
        LAST_PID.write_text(str(number - 1), encoding="ascii")
        other = place.popen([netns.require("sleep"), "600"])
        if other.pid == number:
            return other
        other.stop()
    return None


def test_a_number_that_is_given_again(net):
    client, server, left, right = daemon(net)
    sockeye = watch(net, "states", server)
    parent, heir = right.do(f"listen_as_daemon({server.addresses[4]!r}, {PORT})")
    other = given_again(server, parent)
    if not other:
        netns.skip("others take all numbers of processes before this one can")
    netns.wait_until(lambda: comm_of(parent) == "sleep", "another program of that number")
    of_other = watch(net, "states", server, words=("--pid", parent))
    serve(left, right, server.addresses[4])
    right.do("os.close(tell)")
    wait_ss(server, f"sport = :{PORT}", "TIME-WAIT")
    events = by_socket(of_port(events_in(sockeye.stop(), server), PORT))
    assert {event["pid"] for event in events[0]} <= {None, heir} and events[0][-1]["pid"] == heir, (parent, heir, events)
    assert not of_other.stop().events


def accept_overflows(net, family):
    """Whose the full queue is: not of who called listen(), and has ended."""
    client, server, left, right = daemon(net)
    sockeye = net.sockeye("drops", "--netns", str(server.inode))
    _, heir = right.do(f"listen_as_daemon({server.addresses[family]!r}, {PORT})")
    serve(left, right, server.addresses[family])
    # listen() of the puppet takes 128 and one more.
    left.do(f"""
held = []
for _ in range(140):
    held.append(tcp({server.addresses[family]!r}))
    held[-1].setblocking(False)
    held[-1].connect_ex(({server.addresses[family]!r}, {PORT}))
""")
    event = sockeye.wait_for(lambda event: event["type"] == "accept_overflow")
    assert (event["pid"], event["role"], event["lport"]) == (heir, "listener", PORT), (event, heir)
    right.do("os.close(tell)")
    sockeye.stop()


def test_the_owner_of_a_full_accept_queue_ipv4(net):
    accept_overflows(net, 4)


def test_the_owner_of_a_full_accept_queue_ipv6(net):
    accept_overflows(net, 6)


# The first thread connects and ends; another one of the process waits until it is told to end it.
FIRST_THREAD_ENDS = """
def connect_and_leave_it_to_a_thread(address, port):
    global tell
    told, tell = os.pipe()
    said, say = os.pipe()
    pid = os.fork()
    if pid == 0:
        ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)  # PR_SET_PDEATHSIG of <linux/prctl.h>: a killed test leaves nothing
        os.close(tell)
        c = connect(address, port)
        def wait():
            os.write(say, b".")
            os.read(told, 1)
            os._exit(0)
        threading.Thread(target=wait).start()
        ctypes.CDLL(None).pthread_exit(None)
    os.read(said, 1)
    return pid
"""


def test_a_process_whose_first_thread_has_ended(net):
    """It lives as long as any of its threads, and what it has is its own."""
    client, server = net.client_and_server()
    left, right = Puppet(client), Puppet(server)
    sockeye = watch(net, "states", client)
    left.do(FIRST_THREAD_ENDS)
    right.do(f"l = listen({server.addresses[6]!r}, {PORT})")
    pid = left.do(f"connect_and_leave_it_to_a_thread({server.addresses[6]!r}, {PORT})")
    stat = pathlib.Path(f"/proc/{pid}/task/{pid}/stat")
    netns.wait_until(lambda: ") Z " in stat.read_text(encoding="ascii"), "the end of its first thread")
    right.do("s, _ = l.accept(); s.close()")
    wait_ss(client, f"dport = :{PORT}", "CLOSE-WAIT")
    left.do(f"os.write(tell, b'.'); os.waitpid({pid}, 0)")
    wait_ss(client, f"dport = :{PORT}")
    events = of_port(events_in(sockeye.stop(), client), PORT)
    assert {(event["pid"], event["owner_source"]) for event in events[:3]} == {(pid, "connect")}, (pid, events)
    assert owners(events)[-1][0] == pid, (pid, owners(events))


def test_what_a_process_leaves_behind(net):
    """Its sockets end after it: they were its own."""
    client, server = net.client_and_server()
    left, right = Puppet(client), Puppet(server)
    sockeye = watch(net, "states", client, server)
    right.do(f"l = listen({server.addresses[4]!r}, {PORT})")
    pid = left.do(f"child(lambda: (connect({server.addresses[4]!r}, {PORT}), os._exit(0)))")
    left.do(f"os.waitpid({pid}, 0)")
    right.do("s, _ = l.accept(); s.recv(1); s.close(); l.close()")
    wait_ss(client, f"dport = :{PORT}", "TIME-WAIT")
    of_client, _ = halves(of_port(events_in(sockeye.stop(), client, server), PORT), PORT)
    assert {event["pid"] for event in of_client} == {pid}, (pid, of_client)
    assert of_client[-1]["new_state"] in ("TIME_WAIT", "CLOSE"), of_client
