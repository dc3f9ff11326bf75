# SPDX-License-Identifier: Apache-2.0
"""`counts` against ss, run in every network namespace of the machine.

Others on the machine open and close sockets while a scenario runs, so counts and ss need not agree at once: they are
compared until they do. A counter that is wrong stays wrong, so it never agrees; and each reading must show no drift.
"""
import collections
import json
import signal
import sys

import netns
from holders import IDLE, three_holders
from namespaces import ss_everywhere
from ready import start_ready

ALONE = "counts the sockets of the whole machine"
PATIENCE_S = 60
STATES = {"ESTAB": "ESTABLISHED", "SYN-SENT": "SYN_SENT", "SYN-RECV": "SYN_RECV", "FIN-WAIT-1": "FIN_WAIT1",
          "FIN-WAIT-2": "FIN_WAIT2", "TIME-WAIT": "TIME_WAIT", "CLOSE-WAIT": "CLOSE_WAIT", "LAST-ACK": "LAST_ACK",
          "LISTEN": "LISTEN", "CLOSING": "CLOSING"}
# By state number, as in the map.
NUMBERED = [None, "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", None, "CLOSE_WAIT",
            "LAST_ACK", "LISTEN", "CLOSING"]
# A client that has closed while its server holds on: the client's side is an orphaned FIN_WAIT2 minisocket.
HALF_CLOSED = """
import os, socket, sys
listener = socket.create_server(("127.0.0.1", 7200))
client = socket.create_connection(("127.0.0.1", 7200))
server = listener.accept()[0]
client.close()
server.recv(1)
os.write(1, b"closed")
sys.stdin.readline()
server.close()
os.write(1, b"both")
sys.stdin.readline()
"""


def sockets_in_ss(net):
    """State -> number of sockets, as ss shows them in all namespaces together."""
    states = (STATES.get(line.split()[0]) for line in ss_everywhere(net, "-Htan"))
    return dict(collections.Counter(state for state in states if state))


def counted_sockets(reading):
    return {state: number for state, number in reading["sockets"].items() if number}


class Counts:
    """A `sockeye counts --watch` whose counters are seeded."""

    def __init__(self, net, *words):
        argv = [netns.program_of("SOCKEYE"), "counts", "--json", *words, "--ready-fd"]
        self.process = start_ready(lambda fd: net.host.popen([*argv, fd], pass_fds=[fd]))

    def readings(self):
        return [json.loads(line) for line in self.process.stdout.splitlines(keepends=True) if line.endswith("\n")]

    def stop(self):
        assert self.process.stop(signal.SIGINT) == 0, self.process.stderr
        return self.readings()


def assert_no_drift(readings):
    off = [reading for reading in readings if reading["drift"]]
    assert readings and not off, f"{len(off)} of {len(readings)} readings drifted: {off[:3]}"


def wait_agreement(net, counts):
    """The first reading that was made between two runs of ss that show the same, and shows that, too."""
    last = {}

    def agrees():
        before, seen = sockets_in_ss(net), len(counts.readings())
        # Two more: the first may have begun before ss did.
        netns.wait_until(lambda: len(counts.readings()) >= seen + 2, "a reading")
        reading = counts.readings()[seen + 1]
        last.update(counts=counted_sockets(reading), before=before, after=sockets_in_ss(net))
        return reading if last["before"] == last["after"] == last["counts"] else None

    try:
        return netns.wait_until(agrees, "counts and ss to agree", PATIENCE_S)
    except AssertionError as error:
        raise AssertionError(f"{error}: {last}") from None


def loaded_pair(net):
    """Namespaces client and server, with a server of the workload, and the words that lead its client there. Threads
    receive: on top of a guarded process 1 the kernel hides transitions from every tracing program, which is drift."""
    client, server = net.client_and_server()
    for place in (client, server):
        place.receive_in_threads("veth0", needed=False)
    client.run(["sh", "-c", "echo 8192 > /proc/sys/net/ipv4/tcp_max_tw_buckets"])
    where = ("--addr", server.addresses[4], "--port", 7000)
    server.load("server", *where)
    server.wait_listen(7000)
    first = net.many_sources(client, server)[4]
    return client, (*where, "--first-source", first, "--source-addresses", 4)


def test_equals_ss_after_20000_connections(net):
    client, where = loaded_pair(net)
    counts = Counts(net, "--watch", "300ms")
    load = client.load("client", *where, "--connections", netns.scaled(20_000))
    assert load.wait(60) == 0, load.stderr
    wait_agreement(net, counts)
    assert_no_drift(counts.stop())


def test_start_under_churn(net):
    client, where = loaded_pair(net)
    load = client.load("client", *where, "--connections", netns.scaled(60_000))
    for _ in range(3):
        once = net.host.run([netns.program_of("SOCKEYE"), "counts", "--json"])
        assert_no_drift([json.loads(once.stdout)])
    counts = Counts(net, "--watch", "100ms")
    assert load.popen.poll() is None, "the load was over before counts had started"
    assert load.wait(90) == 0, load.stderr
    wait_agreement(net, counts)
    assert_no_drift(counts.stop())


def test_idle_connections_of_before(net):
    held = three_holders(net)
    counts = Counts(net, "--watch", "300ms")
    netns.wait_until(counts.readings, "a reading")
    assert counts.readings()[0]["sockets"]["ESTABLISHED"] >= 3 * 2 * IDLE, counts.readings()[0]
    assert wait_agreement(net, counts)["sockets"]["ESTABLISHED"] >= 3 * 2 * IDLE
    for holder in held:
        holder.close()
    wait_agreement(net, counts)
    assert_no_drift(counts.stop())


def map_by_bpftool(net):
    """tcp_state_map as bpftool dumps it, by state name; None where several programs have one."""
    done = net.host.run([netns.require("bpftool"), "--json", "map", "dump", "name", "tcp_state_map"], check=False)
    dumped = json.loads(done.stdout) if done.code == 0 else None
    if not dumped or len(dumped) != 16 or "formatted" not in dumped[0]:
        return None
    values = {entry["formatted"]["key"]: entry["formatted"]["value"] for entry in dumped}
    assert not [state for state, value in values.items() if value and (state >= 12 or not NUMBERED[state])], values
    return {NUMBERED[state]: value for state, value in values.items() if value}


def test_bpftool_shows_the_same(net):
    three_holders(net)
    counts = Counts(net, "--watch", "300ms")

    def agrees():
        return map_by_bpftool(net) == counted_sockets(counts.readings()[-1]) if counts.readings() else False

    netns.wait_until(agrees, f"bpftool and counts to agree: {map_by_bpftool(net)}", PATIENCE_S)
    assert_no_drift(counts.stop())


def test_fin_wait2_without_a_socket(net):
    place = net.namespace("one")
    counts = Counts(net, "--watch", "200ms")
    pair = place.popen([sys.executable, "-c", HALF_CLOSED], stdin=netns.subprocess.PIPE)

    def states_there():
        return sorted(line.split()[0] for line in place.run([netns.require("ss"), "-Htan"]).stdout.splitlines())

    netns.wait_until(lambda: pair.stdout == "closed", "the client's close")
    netns.wait_until(lambda: states_there() == ["CLOSE-WAIT", "FIN-WAIT-2", "LISTEN"], "FIN_WAIT2")
    assert wait_agreement(net, counts)["sockets"]["FIN_WAIT2"] >= 1
    pair.popen.stdin.write(b"\n")
    pair.popen.stdin.flush()
    netns.wait_until(lambda: pair.stdout == "closedboth", "the server's close")
    netns.wait_until(lambda: states_there() == ["LISTEN", "TIME-WAIT"], "TIME_WAIT")
    assert wait_agreement(net, counts)["sockets"]["TIME_WAIT"] >= 1
    assert_no_drift(counts.stop())


def test_a_wrong_counter_is_told_and_set_right(net):
    counts = Counts(net, "--watch", "300ms")
    netns.wait_until(counts.readings, "a reading")
    listening = counts.readings()[-1]["sockets"]["LISTEN"]
    wrong = [str(byte) for byte in (listening + 1000).to_bytes(8, "little")]
    bpftool = netns.require("bpftool")
    net.host.run([bpftool, "map", "update", "name", "tcp_state_map", "key", 10, 0, 0, 0, "value", *wrong])

    def told():
        return [reading for reading in counts.readings() if reading["drift"]]

    reading = netns.wait_until(told, "the drift")[0]
    assert list(reading["drift"]) == ["LISTEN"] and abs(reading["drift"]["LISTEN"] - 1000) < 100, reading
    assert reading["sockets"]["LISTEN"] >= 1000, reading
    wait_agreement(net, counts)
    assert len(told()) == 1, told()
    counts.stop()


def test_a_namespace_that_may_not_be_entered(net):
    """Without CAP_SYS_ADMIN: what is missing is said, and no drift is claimed."""
    net.namespace("closed")
    few = [netns.require("setpriv"), "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", netns.program_of("SOCKEYE")]
    done = net.host.run([*few, "counts", "--json"], check=False)
    if "the types of modules" in done.stderr:
        netns.skip("before 6.2 nothing works without CAP_SYS_ADMIN")
    assert done.code == 0, done.stderr
    reading = json.loads(done.stdout)
    assert reading["drift"] is None and "not permitted" in reading["drift_unknown"], reading
    assert "drift unknown: " in net.host.run([*few, "counts"]).stdout
    done = net.host.run([*few, "who", "--strict"], check=False)
    assert done.code == 1 and "could not be looked into" in done.stderr, done
