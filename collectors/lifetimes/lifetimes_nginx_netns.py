# SPDX-License-Identifier: Apache-2.0
"""`lifetimes` and real servers, connection by connection. Witnesses: nginx's access log, and clients that count for
themselves the bytes that they send and receive."""
import collections
import json
import sys

import netns
import servers
from capture import ACK, Capture, reset_ports, sent_again, SYN
from lifetimes_tools import carried, connected, ended, both_ends, read_all, lives_of, settle
from puppet import Puppet
from scenario import watch
from states_tools import linked_by_threads, ROOM
from witness import nstat

ALONE = "makes as many events as the machine can take"
EACH = netns.under_load(2500)  # connections of each of the four kinds
BIG = 1 << 20
LOG = "$connection $connection_requests $remote_port $bytes_sent $request_length $status"

# Connections of four kinds in turn: one request; three requests; killed in the middle of a big answer; killed between
# requests. What kills itself is a child for each connection. Written to standard output: {kind: [[local port, pid]]}.
CLIENT = r"""
import json, os, socket, sys

address, each, big = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET

def ask(sock, page, *headers):
    sock.sendall("\r\n".join((f"GET /{page} HTTP/1.1", "Host: x", *headers, "", "")).encode())

def answer(sock):
    got = b""
    while b"\r\n\r\n" not in got:
        got += sock.recv(65536)
    head, _, body = got.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split()[0])
    while len(body) < length:
        body += sock.recv(65536)

numbers = iter(range(12000, 32000))  # a port for each: what a reset leaves free is used again

def connect():
    sock = socket.socket(family)
    port = next(numbers)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)  # no room for a big answer
    sock.bind(("", port))
    sock.connect((address, 8080))
    return sock, port

def one(sock):
    ask(sock, "small", "Connection: close")
    answer(sock)
    assert sock.recv(1) == b""

def three(sock):
    for _ in range(3):
        ask(sock, "small")
        answer(sock)

def killed(work):
    pid = os.fork()
    if pid == 0:
        sock, _ = connect()
        work(sock)
        os.kill(os.getpid(), 9)
    assert os.waitpid(pid, 0)[1] == 9
    return next(numbers), pid

def in_the_middle(sock):
    ask(sock, "big")
    got = 0
    while got < big // 8:
        got += len(sock.recv(16384))

def between(sock):
    ask(sock, "small")
    answer(sock)

ports = {"one": [], "three": [], "middle": [], "between": []}
for _ in range(each):
    for kind, work in (("one", one), ("three", three)):
        sock, port = connect()
        work(sock)
        sock.close()
        ports[kind].append((port, os.getpid()))
    ports["middle"].append(killed(in_the_middle))
    ports["between"].append(killed(between))
print(json.dumps(ports))
"""


def start_nginx(server):
    return servers.nginx(server, {"small": b"x" * 1000, "big": b"x" * BIG}, tls_port=8443, log_format=LOG,
                         http="sendfile on; keepalive_requests 1000;")


def logged(nginx, requests):
    """By the client's port: [(bytes sent, of requests) of each of its connections], once so many requests are in the
    log."""
    def lines():
        text = nginx.access_log
        return text.splitlines() if text.count("\n") >= requests else None

    by_connection = collections.defaultdict(lambda: [0, 0, 0])
    for line in netns.wait_until(lines, f"{requests} requests in nginx's log", timeout=60):
        connection, _, port, sent, length, _ = map(int, line.split())
        entry = by_connection[connection]
        entry[0] = port
        entry[1] += sent
        entry[2] += length
    by_port = collections.defaultdict(list)
    for port, sent, length in by_connection.values():
        by_port[port].append((sent, length))
    return by_port


def check_server(event, kind):
    if kind == "middle":
        # The client had data to read and sends a RST; or had none, and sends a FIN, which nginx may see in time.
        assert event["end"] in ("reset_received", "closed") and event["closed_by"] == "remote", event
        assert event["bytes_acked"] < BIG, event
    elif kind == "one":  # nginx closes first, and may be the first to have done so on both ends
        assert (event["end"], event["closed_by"], event["local_close"]) == ("closed", "local", "close"), event
    else:
        assert (event["end"], event["closed_by"], event["local_close"]) == ("closed", "remote", "close"), event
    if kind != "middle":
        assert event["bytes_acked"] == event["bytes_written"] and event["bytes_unread"] == 0, event


def check_client(event, kind):
    if kind == "middle":
        assert event["end"] in ("reset_sent", "closed"), event
        assert (event["closed_by"], event["local_close"]) == ("local", "killed"), event
    elif kind == "one":
        assert (event["end"], event["closed_by"], event["local_close"]) == ("closed", "remote", "close"), event
    else:
        how = "killed" if kind == "between" else "close"
        assert (event["end"], event["closed_by"], event["local_close"]) == ("closed", "local", how), event


def check_connections(run, client, server, pids):
    """A connect and an accept of each, with the process that has it. pids: by the client's port."""
    events = [event for event in run.events if event["event"] == "connections"]
    connects = {event["sport"]: event for event in events if event["event_type"] == "connect"}
    accepts = {event["sport"]: event for event in events if event["event_type"] == "accept"}
    assert len(events) == 2 * len(pids) and connects.keys() == accepts.keys() == pids.keys(), (len(events), len(connects))
    for port, pid in pids.items():
        connect, accept = connects[port], accepts[port]
        assert (connect["pid"], connect["netns"], connect["outcome"]) == (pid, client.inode, "established"), connect
        assert (accept["comm"], accept["netns"], accept["dport"]) == ("nginx", server.inode, 8080), accept
        assert (accept["saddr"], accept["daddr"]) == (connect["saddr"], connect["daddr"]), (connect, accept)
    worker, = {event["pid"] for event in accepts.values()}
    print(f"{len(connects)} connects, {len(accepts)} accepts, by worker {worker} of nginx")


def check_wire(packets, client, server, family, events):
    """The same connections, resets and segments sent again as in the packets."""
    opened = {packet.sport for packet in packets if packet.flags & (SYN | ACK) == SYN}
    assert opened == {event["lport"] for event in events if event["netns"] == client.inode}, len(opened)
    reset = reset_ports(packets, 8080)
    told = {event["lport"] if event["netns"] == client.inode else event["rport"] for event in events
            if event["end"] in ("reset_sent", "reset_received")}
    # Where two CPUs handle the packets of one connection, some come late: to a socket that is gone, and is answered by a RST.
    assert told == reset or not client.in_order and told < reset, (len(told), len(reset), sorted(told ^ reset)[:9])
    for place in (client, server):
        again = sum(sent_again(packets, place.addresses[family]).values())
        counted = sum(event["retransmits"] for event in events if event["netns"] == place.inode)
        assert [counted] == nstat(place, "TcpRetransSegs"), (place.name, counted)
        assert again == counted or not place.in_order, (place.name, again, counted)
    print(f"on the wire: {len(opened)} connections, {len(reset)} of them reset")


def per_connection(net, family):
    client, server = linked_by_threads(net)
    nginx = start_nginx(server)
    places = ",".join(str(place.inode) for place in (client, server))
    capture = Capture(net, client)
    sockeye = net.sockeye("trace", "connections,lifetimes", "--netns", places, *ROOM)
    made = client.popen([sys.executable, "-I", "-S", "-c", CLIENT, server.addresses[family], EACH, BIG])
    assert made.wait(140) == 0, made.stderr
    ports = json.loads(made.stdout)
    kinds = {port: kind for kind, connections in ports.items() for port, _ in connections}
    settle(client, 8080)
    settle(server, 8080)
    log = logged(nginx, 6 * EACH)
    run = sockeye.stop()
    events = lives_of(run, client, server)
    assert len(events) == 8 * EACH, len(events)
    assert len(kinds) == 4 * EACH, len(kinds)
    for event in events:
        if event["netns"] == client.inode:
            check_client(event, kinds[event["lport"]])
            continue
        check_server(event, kinds[event["rport"]])
        read = event["bytes_received"] - event["bytes_unread"]
        assert log[event["rport"]] == [(event["bytes_written"], read)], (log[event["rport"]], event)
        assert event["comm"] == "nginx", event
    check_connections(run, client, server, dict(sum(ports.values(), [])))
    check_wire(capture.packets(), client, server, family, events)
    print(collections.Counter((kinds.get(event["lport"], "server"), event["end"]) for event in events), "of both ends")


def test_every_connection_as_nginx_logged_it_ipv4(net):
    per_connection(net, 4)


def test_every_connection_as_nginx_logged_it_ipv6(net):
    per_connection(net, 6)


# TLS over buffers of its own: what passes the socket is counted.
TLS_CLIENT = r"""
import json, socket, ssl, sys

address = sys.argv[1]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
counts = []
for page in ("small", "big"):
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(into, out)
    sock = socket.create_connection((address, 8443))
    sent = received = got = 0
    asked = False
    while True:
        try:
            if tls.version() is None or not asked:
                tls.do_handshake()
                tls.write(f"GET /{page} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
                asked = True
            plain = tls.read(65536)
            if not plain:
                break
            got += len(plain)
        except ssl.SSLWantReadError:
            pass
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            break
        waiting = out.read()
        sock.sendall(waiting)
        sent += len(waiting)
        if into.pending:
            continue
        data = sock.recv(65536)
        received += len(data)
        into.write(data) if data else into.write_eof()
    while data := sock.recv(65536):
        received += len(data)
    counts.append([sock.getsockname()[1], sent, received, got])
    sock.close()
print(json.dumps(counts))
"""


def test_tls(net):
    client, server = linked_by_threads(net)
    start_nginx(server)
    sockeye = watch(net, "lifetimes", client, server)
    expected = {}
    for family in (4, 6):
        made = client.popen([sys.executable, "-c", TLS_CLIENT, server.addresses[family]])
        assert made.wait() == 0, made.stderr
        for port, sent, received, got in json.loads(made.stdout):
            assert received > got > 1000 and sent > 200, made.stdout
            expected[port] = (sent, received)
    settle(client, 8443)
    settle(server, 8443)
    events = lives_of(sockeye.stop(), client, server)
    assert len(events) == 2 * len(expected) == 8, events
    for port, (sent, received) in expected.items():
        of_client, = [event for event in events if event["lport"] == port]
        of_server, = [event for event in events if event["rport"] == port]
        assert carried(of_client) == (sent, sent, received, 0), (of_client, sent, received)
        assert carried(of_server) == (received, received, sent, 0), (of_server, sent, received)


def test_without_copies(net):
    """MSG_ZEROCOPY, sendfile() and splice(): each byte once."""
    client, server = linked_by_threads(net)
    sockeye = watch(net, "lifetimes", client, server)
    left, right = Puppet(client), Puppet(server)
    size = 3 << 20
    left.do("import tempfile; f = tempfile.TemporaryFile()")
    left.do(f"f.write(b'f' * {size}); f.flush(); r, w = os.pipe(); data = memoryview(b'z' * {size})")
    ways = {
        9000: f"n = 0\nwhile n < {size}: n += c.send(data[n:], 0x4000000)",  # MSG_ZEROCOPY of <linux/socket.h>
        9010: f"n = 0\nwhile n < {size}: n += os.sendfile(c.fileno(), f.fileno(), n, {size} - n)",
        9020: f"n = 0\nwhile n < {size}: n += os.splice(f.fileno(), w, 65536, offset_src=n); "
              "os.splice(r, c.fileno(), 65536)",
    }
    for first, way in ways.items():
        for family in (4, 6):
            connected(left, right, server.addresses[family], first + family)
            left.do("c.setsockopt(socket.SOL_SOCKET, 60, 1)")  # SO_ZEROCOPY
            left.start(way)
            read_all(right, "s", size)
            left.finish()
            left.do("c.close()")
            assert right.do("len(s.recv(1))") == 0
            right.do("s.close()")
            settle(client, first + family)
            settle(server, first + family)
    events = lives_of(sockeye.stop(), client, server)
    for first in ways:
        for family in (4, 6):
            of_client, of_server = both_ends(events, first + family)
            assert carried(of_client) == (size, size, 0, 0), of_client
            assert carried(of_server) == (0, 0, size, 0), of_server
            assert ended(of_client) == "closed local - close" and ended(of_server) == "closed remote - close", events
