# SPDX-License-Identifier: Apache-2.0
"""`states` and local ports that the kernel has not chosen yet: connect() again on the same socket, listen() without bind(),
a socket that was accepted before. Witnesses: getsockname(), errors that the process gets."""
import netns
from puppet import Puppet
from scenario import of_port, watch
from states_tools import by_socket, is_of_listener, owners, events_in
from witness import wait_ss

PORT, CLOSED = 9000, 9001
LOOPBACK = {4: "127.0.0.1", 6: "::1"}
RANGE = "/proc/sys/net/ipv4/ip_local_port_range"

PORTS = """
def refused(which, address, port):
    try:
        which.connect((address, port))
    except ConnectionRefusedError:
        return
    raise AssertionError("it was not refused")

def disconnect(which):
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.connect(which.fileno(), struct.pack("H14x", 0), 16) == 0, os.strerror(ctypes.get_errno())
"""


def use_ports(place, first, last):
    place.run(["sh", "-c", f"echo {first} {last} > {RANGE}"])


def one(net):
    place = net.namespace("one")
    puppet = Puppet(place)
    puppet.do(PORTS)
    return place, puppet


def connects_again(net, family):
    """Refused twice, then connected: each attempt has its own port, and a filter on ports goes by that."""
    place, puppet = one(net)
    address = LOOPBACK[family]
    puppet.do(f"l = listen({address!r}, {PORT}); a = tcp({address!r})")
    all_events = watch(net, "states", place)
    of_first = watch(net, "states", place, words=("--local-port", "40000-40999"))
    of_last = watch(net, "states", place, words=("--local-port", "50000-50999"))
    use_ports(place, 40000, 40999)
    puppet.do(f"refused(a, {address!r}, {CLOSED}); refused(a, {address!r}, {CLOSED})")
    use_ports(place, 50000, 50999)
    puppet.do(f"a.connect(({address!r}, {PORT})); s, _ = l.accept()")
    port = puppet.do("a.getsockname()[1]")
    assert 50000 <= port < 51000, port
    puppet.do("a.close(); s.close()")
    wait_ss(place, f"dport = :{PORT}", "TIME-WAIT")
    events = [event for event in events_in(all_events.stop(), place) if event["role"] == "client"]
    attempts = [event["lport"] for event in events if event["new_state"] == "SYN_SENT"]
    assert len(attempts) == 3 and attempts[2] == port and all(40000 <= each < 41000 for each in attempts[:2]), attempts
    assert all(event["lport"] == port for event in events if event["rport"] == PORT), (port, events)
    first, last = ([event for event in events_in(run.stop(), place) if event["role"] == "client"] for run in (of_first, of_last))
    assert [event["rport"] for event in first] == [CLOSED] * 4, first
    assert len(last) == sum(event["rport"] == PORT for event in events) and {event["lport"] for event in last} == {port}, last


def test_connect_again_ipv4(net):
    connects_again(net, 4)


def test_connect_again_ipv6(net):
    connects_again(net, 6)


def accepted_before(net, family):
    """A socket that was accepted is disconnected, and connects, then listens: nothing of its listener is left on it."""
    place, puppet = one(net)
    other = Puppet(place)
    address = LOOPBACK[family]
    other.do(f"l = listen({address!r}, {PORT})")
    sockeye = watch(net, "states", place)
    # The second listener of the port leaves what its children find it by in their sockets.
    puppet.do(f"l = tcp({address!r}); l.setsockopt(socket.SOL_SOCKET, 15, 1)")  # SO_REUSEPORT
    puppet.do(f"l.bind(({address!r}, {PORT + 2})); l.listen(); m = tcp({address!r})")
    puppet.do(f"m.setsockopt(socket.SOL_SOCKET, 15, 1); m.bind(({address!r}, {PORT + 2})); m.listen(); l.close()")
    puppet.do(f"c = connect({address!r}, {PORT + 2}); s, _ = m.accept(); c.close(); disconnect(s)")
    puppet.do(f"s.connect(({address!r}, {PORT}))")
    port = puppet.do("s.getsockname()[1]")
    assert port != PORT + 2, port
    puppet.do("disconnect(s)")
    heir = puppet.do("child(lambda: (call_me(b'listens-anew'), s.listen(1), threading.Event().wait()))")
    netns.wait_until(lambda: place.run(["ss", "-Hltnp"]).stdout.count(f"pid={heir}") > 0, "the listener of the child")
    line, = [line for line in place.run(["ss", "-Hltnp"]).stdout.splitlines() if "listens-anew" in line and
             line.count("pid=") > 1 and f":{PORT} " not in line and f":{PORT + 2} " not in line]
    chosen = int(line.split()[3].rsplit(":", 1)[1])
    puppet.do(f"d = connect({address!r}, {chosen}); reset(d)")
    run = sockeye.stop()
    exact = "clones nothing from a listener" not in run.stderr  # on 5.10 nothing tells whose they are before accept()
    events = events_in(run, place)
    connecting = [event for event in events if event["rport"] == PORT and event["new_state"] == "SYN_SENT"]
    assert [event["lport"] for event in connecting] == [port], (port, connecting)
    children = by_socket([event for event in events if event["lport"] == chosen and event["role"] == "server"], all_children=True)
    named = {owner[0] for child in children for owner in owners(child)}
    assert children and named == {heir if exact else None}, (heir, named, children)


def test_an_accepted_socket_connects_and_listens_ipv4(net):
    accepted_before(net, 4)


def test_an_accepted_socket_connects_and_listens_ipv6(net):
    accepted_before(net, 6)


def listens_without_bind(net, family):
    """The kernel says CLOSE -> LISTEN before it chooses a port. Its connections have the right owner all the same."""
    place, puppet = one(net)
    caller = Puppet(place)
    sockeye = watch(net, "states", place)
    puppet.do(f"l = tcp({LOOPBACK[family]!r}); l.listen(); m = listen({LOOPBACK[family]!r}, 0)")
    ports = [puppet.do(f"{name}.getsockname()[1]") for name in "lm"]
    for port in ports:
        caller.do(f"c = connect({LOOPBACK[family]!r}, {port}); reset(c)")  # nobody accepts
    puppet.do("l.close(); m.close()")
    run = sockeye.stop()
    exact = "clones nothing from a listener" not in run.stderr  # on 5.10 nothing tells whose they are before accept()
    events = events_in(run, place)
    listeners = [(event["new_state"], event["lport"]) for event in events if is_of_listener(event)]
    assert listeners == [("LISTEN", None), ("LISTEN", ports[1]), ("CLOSE", ports[0]), ("CLOSE", ports[1])], (ports, listeners)
    for port in ports if exact else ports[1:]:
        child, = by_socket([event for event in of_port(events, port) if event["role"] == "server"], all_children=True)
        assert owners(child) == [(puppet.pid, "inherited")], (port, owners(child))


def test_listen_without_bind_ipv4(net):
    listens_without_bind(net, 4)


def test_listen_without_bind_ipv6(net):
    listens_without_bind(net, 6)


def test_accept_without_bind(net):
    """On every kernel: who accepts is known, though the child may have had no owner before."""
    place, puppet = one(net)
    sockeye = watch(net, "states", place)
    puppet.do("l = tcp('::1'); l.listen()")
    port = puppet.do("l.getsockname()[1]")
    puppet.do(f"c = connect('::1', {port}); s, _ = l.accept(); c.close()")
    wait_ss(place, f"sport = :{port}", "CLOSE-WAIT")
    events = [event for event in of_port(events_in(sockeye.stop(), place), port) if event["role"] == "server"]
    assert (events[-1]["new_state"], events[-1]["pid"], events[-1]["owner_source"]) == ("CLOSE_WAIT", puppet.pid, "accept"), events


# ---- who ends a listener ----

def aborted(net, family):
    """`ss -K` of a listener: it was its owner's to the end."""
    place, puppet = one(net)
    sockeye = watch(net, "states", place)
    puppet.do(f"l = listen({LOOPBACK[family]!r}, {PORT})")
    killed = place.run([netns.require("ss"), f"-{family}", "-K", "state", "listening", f"sport = :{PORT}"])
    if place.listens(PORT):
        netns.skip(f"this kernel destroys no sockets for ss -K (CONFIG_INET_DIAG_DESTROY): {killed.stdout}")
    events = [event for event in events_in(sockeye.stop(), place) if is_of_listener(event)]
    assert [(event["new_state"], event["pid"], event["owner_source"]) for event in events] == [
        ("LISTEN", puppet.pid, "listen"), ("CLOSE", puppet.pid, "listen")], events


def test_a_listener_that_is_aborted_ipv4(net):
    aborted(net, 4)


def test_a_listener_that_is_aborted_ipv6(net):
    aborted(net, 6)


def test_a_listener_that_another_closes(net):
    """Another holder closes it last, which is a use of it."""
    place, puppet = one(net)
    sockeye = watch(net, "states", place)
    puppet.do(f"l = listen('::1', {PORT}); told, tell = os.pipe()")
    heir = puppet.do("child(lambda: (os.read(told, 1), l.close()))")
    puppet.do(f"l.close(); os.write(tell, b'.'); os.waitpid({heir}, 0)")
    events = [event for event in events_in(sockeye.stop(), place) if is_of_listener(event)]
    assert [(event["pid"], event["owner_source"]) for event in events] == [(puppet.pid, "listen"), (heir, "use")], (heir, events)


def test_a_listener_that_listens_again_for_another(net):
    """Found by its socket at first, as another listened there; then it stops, and another process has it listen again."""
    place, puppet = one(net)
    first = Puppet(place)
    sockeye = watch(net, "states", place)
    for who in (first, puppet):
        who.do("a = tcp('::1'); a.setsockopt(socket.SOL_SOCKET, 15, 1)")  # SO_REUSEPORT
        who.do(f"a.bind(('::1', {PORT})); a.listen()")
    first.do("a.close()")
    heir = puppet.do("child(lambda: (a.shutdown(socket.SHUT_RDWR), a.listen(), threading.Event().wait()))")
    netns.wait_until(lambda: place.listens(PORT), "the listener again")
    first.do(f"c = connect('::1', {PORT}); reset(c)")
    child, = by_socket([event for event in events_in(sockeye.stop(), place) if event["role"] == "server"], all_children=True)
    assert owners(child) == [(heir, "inherited")], (owners(child), puppet.pid, heir)
