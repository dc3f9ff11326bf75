# SPDX-License-Identifier: Apache-2.0
"""`states` and io_uring: the process is named, whoever carries out what it asked for: itself, a worker thread of the
kernel's, or the thread that submits. Witness: what the workload counted."""
import netns
from ready import NotReady, start_ready
from scenario import watch
from states_tools import CLIENT_LIFE, CLIENT_LIFE_ORPHANED, SERVER_LIFE, by_socket, life, owners, events_in, served_by
from witness import wait_ss
from workload import numbers

ALONE = "locks memory, of which there is little"
PORT = 7000
CONNECTIONS = 50
NO_RING = 77


def start_server(place, address, how):
    try:
        return start_ready(lambda fd: place.uring("server", address, PORT, CONNECTIONS, how, fd, pass_fds=[fd]))
    except NotReady as failure:
        if failure.process.popen.poll() == NO_RING:
            netns.skip(f"this kernel has no such ring: {failure.process.stderr.strip()}")
        raise


def by_io_uring(net, how, thread=None):
    """thread: what the name begins with of the kernel's thread that connects and sends."""
    client_place, server_place = net.client_and_server()
    for family in (4, 6):
        address = server_place.addresses[family]
        sockeye = watch(net, "states", client_place, server_place)
        server = start_server(server_place, address, how)
        client = client_place.uring("client", address, PORT, CONNECTIONS, how)
        assert client.wait() == 0, client.stderr
        assert server.wait() == 0, server.stderr
        assert numbers(client) == numbers(server) == {"connections": CONNECTIONS}, (client.stdout, server.stdout)
        wait_ss(server_place, f"sport = :{PORT}")
        sockets = by_socket(events_in(sockeye.stop(), client_place, server_place))
        of_client = [events for events in sockets if events[0]["role"] == "client"]
        of_server = [events for events in sockets if events[0]["role"] == "server"]
        assert len(of_client) == len(of_server) == CONNECTIONS, (len(of_client), len(of_server))
        for events in of_client:
            assert life(events) in (CLIENT_LIFE, CLIENT_LIFE_ORPHANED), life(events)
            assert owners(events) == [(client.pid, "connect")], (owners(events), client.pid)
            check_thread(events[0], thread)
        for events in of_server:
            assert life(events) == SERVER_LIFE, life(events)
            assert served_by(events, server.pid) == [(server.pid, "use")], (owners(events), server.pid)
            check_thread(events[-1], thread)


def check_thread(event, thread):
    """The process has its own name, the thread that worked for it has another."""
    assert event["comm"] == "sockeye_uring", event
    if thread is None:
        assert "thread" not in event and event["tid"] == event["pid"], event
    else:
        assert event["thread"].startswith(thread) and event["tid"] != event["pid"], event


def test_in_the_system_call(net):
    by_io_uring(net, "plain")


def test_in_worker_threads(net):
    by_io_uring(net, "async", "iou-wrk-")


def test_in_the_thread_that_submits(net):
    by_io_uring(net, "sqpoll", "iou-sqp-")
