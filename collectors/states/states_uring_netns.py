# SPDX-License-Identifier: Apache-2.0
"""`states` and io_uring: the process is named, whoever carries out what it asked for: itself, a worker thread of the
kernel's, or the thread that submits. Witness: what the workload counted."""
import netns
from ready import NotReady, start_ready
from states_tools import (CLIENT_LIFE, CLIENT_LIFE_ORPHANED, SERVER_LIFE, by_socket, life, owners, rows_in,
                          served_by, watch)
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
        sockeye = watch(net, client_place, server_place)
        server = start_server(server_place, address, how)
        client = client_place.uring("client", address, PORT, CONNECTIONS, how)
        assert client.wait() == 0, client.stderr
        assert server.wait() == 0, server.stderr
        assert numbers(client) == numbers(server) == {"connections": CONNECTIONS}, (client.stdout, server.stdout)
        wait_ss(server_place, f"sport = :{PORT}")
        sockets = by_socket(rows_in(sockeye.stop(), client_place, server_place))
        of_client = [rows for rows in sockets if rows[0]["role"] == "client"]
        of_server = [rows for rows in sockets if rows[0]["role"] == "server"]
        assert len(of_client) == len(of_server) == CONNECTIONS, (len(of_client), len(of_server))
        for rows in of_client:
            assert life(rows) in (CLIENT_LIFE, CLIENT_LIFE_ORPHANED), life(rows)
            assert owners(rows) == [(client.pid, "connect")], (owners(rows), client.pid)
            check_thread(rows[0], thread)
        for rows in of_server:
            assert life(rows) == SERVER_LIFE, life(rows)
            assert served_by(rows, server.pid) == [(server.pid, "use")], (owners(rows), server.pid)
            check_thread(rows[-1], thread)


def check_thread(row, thread):
    """The process has its own name, the thread that worked for it has another."""
    assert row["comm"] == "sockeye_uring", row
    if thread is None:
        assert "thread" not in row and row["tid"] == row["pid"], row
    else:
        assert row["thread"].startswith(thread) and row["tid"] != row["pid"], row


def test_in_the_system_call(net):
    by_io_uring(net, "plain")


def test_in_worker_threads(net):
    by_io_uring(net, "async", "iou-wrk-")


def test_in_the_thread_that_submits(net):
    by_io_uring(net, "sqpoll", "iou-sqp-")
