# SPDX-License-Identifier: Apache-2.0
"""`connections` of processes in a cgroup whose programs put another destination in the place of what they ask for (socket load balancing).
Witnesses: what the programs ask for, and getpeername()."""
import netns
from cgroup_redirect import puppet_in, redirected_cgroup
from connections_tools import of_type
from kernel_types import has_name
from puppet import Puppet
from ready import start_ready
from scenario import PORT, watch

SERVICE = {4: "10.96.0.1", 6: "fd96::1", "mapped": "::ffff:10.96.0.1"}
KINDS = (4, 6, "mapped")
SERVICE_PORT = 80
CLOSED = 9  # nobody listens there


def known():
    """Whether the kernel lets programs look at the system call that a process is in (from 5.15)."""
    return has_name("bpf_task_pt_regs")


def backend(server, kind):
    return f"::ffff:{server.addresses[4]}" if kind == "mapped" else server.addresses[kind]


def shown(address):
    return address.removeprefix("::ffff:")


def cgroup_with_services(net, server):
    """Each service has its backend on port PORT, and on the service's port + 1 one that is closed."""
    return redirected_cgroup(net, [((SERVICE[kind], SERVICE_PORT + more), (backend(server, kind), port))
                                   for kind in KINDS for more, port in ((0, PORT), (1, CLOSED))])


def connect_of(event):
    return event["daddr"], event["dport"], event.get("nat_daddr"), event.get("nat_dport")


def expected(asked, real):
    """The ends of a connect: what was asked for, and where it went, each an address and a port."""
    return (*asked, *real) if known() else (*real, None, None)


def check_events(events, asked, real):
    for event in events:
        assert connect_of(event) == expected(asked, real), event
        assert (event["raddr"], event["rport"]) == real, event


def test_asked_and_real(net):
    """What the process asked for is DST, and what its socket is connected to is NAT; of a connect that fails as well. What is not
    translated has no NAT: for its own process or any other."""
    client, server = net.client_and_server()
    calling = puppet_in(cgroup_with_services(net, server), client)
    other = Puppet(client)
    for kind in KINDS:
        address, asked = backend(server, kind), SERVICE[kind]
        serving = Puppet(server)
        serving.do(f"l = listen({address!r}, {PORT})")
        sockeye = watch(net, "connections", client, server)
        calling.do(f"c = connect({asked!r}, {SERVICE_PORT})")
        assert calling.do("list(c.getpeername()[:2])") == [address, PORT]
        calling.fails(f"connect({asked!r}, {SERVICE_PORT + 1})", "ConnectionRefusedError")
        for puppet in (calling, other):
            puppet.do(f"d = connect({address!r}, {PORT})")
        run = sockeye.stop()
        good, refused, *plain = of_type(run, "connect")
        check_events([good], (shown(asked), SERVICE_PORT), (shown(address), PORT))
        check_events([refused], (shown(asked), SERVICE_PORT + 1), (shown(address), CLOSED))
        assert (good["outcome"], refused["outcome"]) == ("established", "refused"), (good, refused)
        assert [connect_of(event) for event in plain] == 2 * [(shown(address), PORT, None, None)], plain
        assert [event["pid"] for event in plain] == [calling.pid, other.pid], plain
        serving.do("l.close()")


def test_a_socket_that_connects_again(net):
    """Of each attempt what was asked for then."""
    client, server = net.client_and_server()
    calling, serving = puppet_in(cgroup_with_services(net, server), client), Puppet(server)
    address = server.addresses[4]
    serving.do(f"l = listen({address!r}, {PORT})")
    sockeye = watch(net, "connections", client)
    calling.do(f"c = tcp({address!r}); c.connect_ex(({SERVICE[4]!r}, {SERVICE_PORT + 1}))")
    calling.do(f"c.connect(({address!r}, {PORT}))")
    calling.do("c.close()")
    first, second = of_type(sockeye.stop(), "connect")
    check_events([first], (SERVICE[4], SERVICE_PORT + 1), (address, CLOSED))
    assert connect_of(second) == (address, PORT, None, None), second


def test_any_address_is_no_translation(net):
    """0.0.0.0 and :: are this machine's, which the kernel makes of them itself."""
    place = net.namespace("one")
    puppet = Puppet(place)
    sockeye = watch(net, "connections", place)
    for asked, real in (("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("::ffff:0.0.0.0", "::ffff:127.0.0.1")):
        puppet.do(f"l = listen({real!r}, {PORT}); c = connect({asked!r}, {PORT}); c.close(); l.close()")
    events = of_type(sockeye.stop(), "connect")
    assert [connect_of(event) for event in events] == [(address, PORT, None, None) for address in ("127.0.0.1", "::1", "127.0.0.1")], events


def test_fast_open(net):
    """sendto() and sendmsg() with MSG_FASTOPEN name the address elsewhere; TCP_FASTOPEN_CONNECT is connect()."""
    client, server = net.client_and_server()
    calling, serving = puppet_in(cgroup_with_services(net, server), client), Puppet(server)
    for family in (4, 6):
        address = server.addresses[family]
        serving.do(f"l = listen({address!r}, {PORT})")
        sockeye = watch(net, "connections", client)
        to = f"({SERVICE[family]!r}, {SERVICE_PORT})"
        calling.do(f"a = tcp({address!r}); a.sendto(b'x', socket.MSG_FASTOPEN, {to})")
        calling.do(f"b = tcp({address!r}); b.sendmsg([b'x'], [], socket.MSG_FASTOPEN, {to})")
        calling.do(f"c = tcp({address!r}); c.setsockopt(6, 30, 1); c.connect({to}); c.send(b'x')")
        serving.do("s = [l.accept()[0].recv(9) for _ in range(3)]")
        events = of_type(sockeye.stop(), "connect")
        assert len(events) == 3, events
        check_events(events, (SERVICE[family], SERVICE_PORT), (address, PORT))
        calling.do("a.close(); b.close(); c.close()")
        serving.do("l.close()")


def test_what_io_uring_is_asked_for_is_not_known(net):
    """DST is what the socket is connected to, whoever submits: the process, a worker, or a thread of the kernel's."""
    client, server = net.client_and_server()
    cgroup, address = cgroup_with_services(net, server), server.addresses[4]
    join = f"echo $$ > {cgroup}/cgroup.procs && exec \"$@\""
    for how in ("plain", "async", "sqpoll"):
        serving = start_ready(lambda fd: server.uring("server", address, PORT, 20, "plain", fd, pass_fds=[fd]))
        sockeye = watch(net, "connections", client)
        calling = client.popen(["sh", "-c", join, "sh", netns.program_of("SOCKEYE_URING"), "client", SERVICE[4], SERVICE_PORT, 20, how])
        assert calling.wait() == 0 and serving.wait() == 0, (calling.stderr, serving.stderr)
        events = of_type(sockeye.stop(), "connect")
        assert [connect_of(event) for event in events] == 20 * [(address, PORT, None, None)], events[:3]


def test_a_rule_behind_it(net):
    """A rule (DNAT) sends the packets of what the program has chosen on to a third place: NAT is where they go in the end."""
    client, server = net.client_and_server()
    calling, serving = puppet_in(cgroup_with_services(net, server), client), Puppet(server)
    client.run([netns.require("nft"), "add table inet n; add chain inet n o { type nat hook output priority -100; };"
                f" add rule inet n o ip daddr {server.addresses[4]} tcp dport {PORT} dnat to {server.addresses[4]}:{PORT + 1};"
                f" add rule inet n o ip6 daddr {server.addresses[6]} tcp dport {PORT} dnat to [{server.addresses[6]}]:{PORT + 1}"])
    for family in (4, 6):
        address = server.addresses[family]
        serving.do(f"l = listen({address!r}, {PORT + 1})")
        sockeye = watch(net, "connections", client)
        calling.do(f"c = connect({SERVICE[family]!r}, {SERVICE_PORT})")
        event, = of_type(sockeye.stop(), "connect")
        asked = (SERVICE[family], SERVICE_PORT) if known() else (address, PORT)
        assert connect_of(event) == (*asked, address, PORT + 1), event
        assert (event["raddr"], event["rport"]) == (address, PORT), event
        serving.do("l.close()")


def test_filters(net):
    """--dst-... are of what is shown as DST, --peer-... and --ip and --port of that or of the socket's own; live and of a recording."""
    if not known():
        netns.skip("this kernel has no bpf_task_pt_regs")
    client, server = net.client_and_server()
    calling = puppet_in(cgroup_with_services(net, server), client)
    serving, recording = Puppet(server), net.folder() / "recording"
    for kind in KINDS:
        serving.do(f"l{kind} = listen({backend(server, kind)!r}, {PORT})" if kind != "mapped" else "None")
    real, asked = server.addresses[4], SERVICE[4]
    # How many of the connects: to a service, a backend, and a closed one, of each kind.
    wanted = {("--dst-port", SERVICE_PORT): 3, ("--dst-port", PORT): 3, ("--dst-port", f"!{SERVICE_PORT}"): 6,
              ("--dst-port", CLOSED): 0, ("--dst-ip", asked): 4, ("--dst-ip", real): 2,
              ("--dst-ip", f"!{asked}"): 5, ("--peer-port", SERVICE_PORT): 3, ("--peer-port", PORT): 6, ("--peer-port", CLOSED): 3,
              ("--peer-port", f"!{PORT}"): 3, ("--peer-ip", asked): 4, ("--peer-ip", real): 6, ("--peer-ip", f"!{asked}"): 5,
              ("--port", SERVICE_PORT): 3, ("--port", f"!{SERVICE_PORT}"): 6, ("--port", PORT): 6, ("--ip", asked): 4, ("--ip", real): 6,
              ("--dst-port", SERVICE_PORT, "--peer-port", PORT): 3, ("--dst-port", PORT, "--dst-ip", asked): 0,
              ("--ip", client.addresses[4]): 6, ("--src-ip", client.addresses[6]): 3}
    shown_all = watch(net, "connections", client, words=["--record", recording])
    runs = {words: watch(net, "connections", client, words=list(words)) for words in wanted}
    for kind in KINDS:
        calling.do(f"c = connect({SERVICE[kind]!r}, {SERVICE_PORT}); d = connect({backend(server, kind)!r}, {PORT})")
        calling.fails(f"connect({SERVICE[kind]!r}, {SERVICE_PORT + 1})", "ConnectionRefusedError")
    everything = shown_all.stop().events
    assert len(everything) == 9, everything
    sockeye = netns.program_of("SOCKEYE")
    for words, count in wanted.items():
        events = runs[words].stop().events
        assert len(events) == count, (words, count, list(map(connect_of, events)))
        again = net.host.run([sockeye, "replay", recording, "--json", *map(str, words)]).stdout.splitlines()
        assert list(map(connect_of, netns.parse_lines(again))) == list(map(connect_of, events)), words
