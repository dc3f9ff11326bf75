# SPDX-License-Identifier: Apache-2.0
"""What privileged scenarios are written with: network namespaces, processes in them, and sockeye beside them.

A scenario is a function `test_<case>(net)` in a file `<name>_netns.py`; run_one.py gives it a Net. It never sleeps:
it waits for a listener (wait_listen), for a process (run), or for an event (Sockeye.wait_for), each for a bounded time.
Whatever a Net made is undone in reverse order when the scenario is over, however it ends. Only processes that were
started here are ended, each by its own pid.
"""
import collections
import ctypes
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import guarded
import own_mounts
import pace
from pace import patience, require, skip
from ready import READY_S, start_ready

# What scenarios need of it, under the one name that they import.
Skip, scaled, under_load = pace.Skip, pace.scaled, pace.under_load

POLL_S = 0.02
PATIENCE_S = 15
READ_BYTES = 1 << 20
NETNS_DIR = "/run/netns"
ORPHAN_RETRIES = 100  # at most 255
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)


def require_root():
    if os.geteuid() != 0:
        skip("needs root: sudo ./dev test")


def wait_until(condition, what, timeout=PATIENCE_S, seen=None):
    """The first true value of condition(); an AssertionError that says `what`, and what seen() tells, if none comes."""
    deadline = time.monotonic() + patience(timeout)
    while True:
        if value := condition():
            return value
        if time.monotonic() > deadline:
            there = f"; there is {seen()}" if seen else ""
            raise AssertionError(f"waited {patience(timeout):g} s for {what}{there}")
        time.sleep(POLL_S)


def die_with_parent():
    """In a child before exec: a killed test leaves nothing behind."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def with_options(argv):
    """The words of a command with $SOCKEYE_OPTIONS, which this machine needs for every sockeye that asks the kernel."""
    words = [str(word) for word in argv]
    for at, (program, verb) in enumerate(zip(words, words[1:])):
        if os.path.basename(program) == "sockeye" and verb in ("states", "connections", "lifetimes", "retransmits", "drops",
                                                               "trace", "counts", "who", "doctor"):
            return words[:at + 2] + os.environ.get("SOCKEYE_OPTIONS", "").split() + words[at + 2:]
    return words


class Process:
    """A process that was started here, with its output in files; standard output elsewhere if `stdout` says so."""

    def __init__(self, argv, pass_fds=(), stdin=subprocess.DEVNULL, stdout=None, **popen):
        self.argv = with_options(argv)
        self.stdout_file = tempfile.TemporaryFile()
        self.stderr_file = tempfile.TemporaryFile()
        self.popen = subprocess.Popen(self.argv, stdin=stdin, stdout=stdout or self.stdout_file,
                                      stderr=self.stderr_file, pass_fds=pass_fds, preexec_fn=die_with_parent, **popen)
        self.pid = self.popen.pid

    @staticmethod
    def _text(file):
        return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode(errors="replace")

    @property
    def stdout(self):
        return self._text(self.stdout_file)

    @property
    def stderr(self):
        return self._text(self.stderr_file)

    def wait(self, timeout=PATIENCE_S):
        """Exit code; an AssertionError if it does not end."""
        try:
            return self.popen.wait(patience(timeout))
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self} did not end within {patience(timeout):g} s\n{self.stderr}") from None

    def stop(self, with_signal=signal.SIGTERM, timeout=PATIENCE_S):
        if self.popen.poll() is None:
            self.popen.send_signal(with_signal)
        return self.wait(timeout)

    def end(self):
        """For cleanup: SIGTERM, then SIGKILL."""
        try:
            self.stop(timeout=5)
        except AssertionError:
            self.popen.kill()
            self.popen.wait()
        self.stdout_file.close()
        self.stderr_file.close()

    def __str__(self):
        return f"{' '.join(self.argv)} (pid {self.pid})"


Done = collections.namedtuple("Done", "code stdout stderr")


class Place:
    """Where processes run: the machine itself, or one network namespace."""

    def __init__(self, net, prefix=()):
        self.net = net
        self.prefix = list(prefix)

    def popen(self, argv, **popen):
        """Starts it; it is ended with the Net."""
        process = Process(self.prefix + list(argv), **popen)
        self.net.on_exit(process.end)
        self.net.processes.append(process)
        return process

    def run(self, argv, check=True, timeout=PATIENCE_S, **options):
        """Runs it to its end: a Done. With `check`, an exit code other than 0 is an AssertionError with its words."""
        argv = self.prefix + with_options(argv)
        try:
            done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                                  timeout=patience(timeout), check=False, preexec_fn=die_with_parent, **options)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{' '.join(argv)} did not end within {patience(timeout):g} s") from None
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(argv)} exited with {done.returncode}\n{done.stdout}{done.stderr}")
        return Done(done.returncode, done.stdout, done.stderr)

    def listens(self, port):
        return bool(self.run([require("ss"), "-H", "-ltn", f"sport = :{port}"]).stdout.strip())

    def wait_listen(self, port, timeout=PATIENCE_S):
        wait_until(lambda: self.listens(port), f"a listener on port {port}", timeout)

    def load(self, *words, **popen):
        """The workload program (load.cpp)."""
        return self.popen([program_of("SOCKEYE_LOAD"), *words], **popen)

    def uring(self, *words, **popen):
        """The workload program that uses io_uring (uring.cpp)."""
        if "SOCKEYE_URING" not in os.environ:
            skip("not installed: liburing-dev")
        return self.popen([program_of("SOCKEYE_URING"), *words], **popen)


class Namespace(Place):
    """A network namespace of its own. nsenter, not `ip netns exec`: that mounts another /sys, without tracefs and
    cgroups."""

    def __init__(self, net, name):
        super().__init__(net, [require("nsenter"), f"--net={NETNS_DIR}/{name}", "--"])
        self.name = name
        self.addresses = {}  # 4 and 6: the address given by Net.pair()
        self.in_order = False  # packets of a connection are handled one after the other: receive_in_threads()

    @property
    def inode(self):
        return os.stat(f"{NETNS_DIR}/{self.name}").st_ino

    def ip(self, *words):
        return self.run([require("ip"), *words])

    def receive_on(self, device, cpu_mask):
        """RPS: packets that `device` receives are handled by the CPUs of cpu_mask (hexadecimal), not by the sender's."""
        self._set_device(device, "queues/rx-0/rps_cpus", cpu_mask, "RPS")

    def receive_in_threads(self, device, needed=True):
        """Packets that `device` receives are handled by a kernel thread, which has nothing to do with any socket, and
        never on top of whatever runs. A veth link hands it only what might be merged with other packets, hence gro and
        no tso. Unless that is `needed`, a kernel without such threads (before 5.12) is left as it is."""
        self.run([require("ethtool"), "-K", device, "gro", "on", "tso", "off"])
        self.in_order = self._set_device(device, "threaded", 1, "threads for the packets of a device", needed)

    def _set_device(self, device, setting, value, what, needed=True):
        """/sys shows the devices of the namespace that mounted it, so it is mounted anew, for this one command."""
        file = f"/sys/class/net/{device}/{setting}"
        script = f"mount -t sysfs sysfs /sys && {{ test -e {file} || exit 77; }} && echo {value} > {file}"
        done = self.run(own_mounts.own_mounts(script), check=False)
        if done.code == 77 and needed:
            skip(f"this kernel has no {what}")
        assert done.code in (0, 77), f"{what}, {device}: {done.stderr}"
        return done.code == 0


class Net:
    """The namespaces and processes of one scenario, and how to undo them."""

    def __init__(self):
        self.hidden = guarded.Hidden()
        self._undo = [self.hidden.close]
        self.processes = []  # all that were started by popen(), for the report of a failure
        self.host = Place(self)

    def on_exit(self, undo):
        self._undo.append(undo)

    def close(self):
        """Undoes everything, in reverse order, all of it even if something fails."""
        while self._undo:
            undo = self._undo.pop()
            try:
                undo()
            except Exception as error:  # the next one has to be undone as well
                print(f"cleanup: {error}", file=sys.stderr)

    def folder(self):
        """An empty one, root's alone."""
        folder = tempfile.TemporaryDirectory(prefix="sockeye-")
        self.on_exit(folder.cleanup)
        return pathlib.Path(folder.name)

    def namespace(self, label):
        """A new one, with lo up. Its name begins with sockeye-<pid>-, so that what a killed run left can be told."""
        require_root()
        name = f"sockeye-{os.getpid()}-{label}"
        ip = require("ip")
        made = self.host.run([ip, "netns", "add", name], check=False)
        if made.code != 0:
            if "not permitted" in made.stderr or "Permission denied" in made.stderr:
                skip("network namespaces are not permitted here: " + made.stderr.strip())
            raise AssertionError(made.stderr)
        self.on_exit(lambda: subprocess.run([ip, "netns", "delete", name], check=True))
        namespace = Namespace(self, name)
        namespace.ip("link", "set", "lo", "up")
        return namespace

    def pair(self, left, right, device="veth0", number=1):
        """A veth link between two namespaces, called `device` in both: left is 10.77.<number>.1 and fd77:<number>::1,
        right the same with 2. The addresses can be used when this returns. When thousands of sockets close at once, the
        link refuses most of their FINs (256 packets wait in it, 1,000 in the backlog), and the kernel gives a closed
        socket up after eight refusals, half a second each, without a word to its peer: there it tries on."""
        left.ip("link", "add", device, "type", "veth", "peer", "name", device, "netns", right.name)
        for namespace, last in ((left, 1), (right, 2)):
            namespace.addresses = {4: f"10.77.{number}.{last}", 6: f"fd77:{number}::{last}"}
            namespace.ip("address", "add", namespace.addresses[4] + "/24", "dev", device)
            namespace.ip("-6", "address", "add", namespace.addresses[6] + "/64", "dev", device, "nodad")
        # Neither end has a carrier until both are up; without one, the first neighbour solicitation of IPv6 is lost.
        for namespace in (left, right):
            namespace.ip("link", "set", device, "up")
        for namespace in (left, right):
            wait_until(lambda namespace=namespace: "state UP" in namespace.ip("link", "show", device).stdout,
                       f"a carrier on {device}")
            namespace.run(["sh", "-c", f"echo {ORPHAN_RETRIES} > /proc/sys/net/ipv4/tcp_orphan_retries"])

    def many_sources(self, client, server):
        """Ranges of addresses that `client` of a pair may connect to `server` from, so that the ports of one address
        do not run out: the first address of each, for --first-source."""
        client.run(["sh", "-c", "echo 1 > /proc/sys/net/ipv6/ip_nonlocal_bind"])
        for option, addresses, family in (("-4", "10.78.0.0/16", 4), ("-6", "fd78::/64", 6)):
            client.ip(option, "route", "add", "local", addresses, "dev", "lo")
            server.ip(option, "route", "add", addresses, "via", client.addresses[family])
        return {4: "10.78.0.1", 6: "fd78::1"}

    def client_and_server(self):
        """The usual: two namespaces, client and server, with a veth link between them."""
        client, server = self.namespace("client"), self.namespace("server")
        self.pair(client, server)
        return client, server

    def sockeye(self, *words, **options):
        """Starts sockeye on the machine; returns once every probe is attached."""
        return Sockeye(self, *words, **options)


def remove_leftovers():
    """Namespaces of runs that were killed."""
    for name in os.listdir(NETNS_DIR) if os.path.isdir(NETNS_DIR) else ():
        parts = name.split("-")
        if parts[0] == "sockeye" and len(parts) > 2 and parts[1].isdigit() and not os.path.exists(f"/proc/{parts[1]}"):
            subprocess.run([require("ip"), "netns", "delete", name], check=False)


def program_of(variable):
    program = os.environ.get(variable, "")
    if not os.access(program, os.X_OK):
        raise AssertionError(f"${variable} is no program: {program or 'it is not set'}")
    return program


# What a run left: of JSON the events, the gap events and the end event; of any other format its lines.
Run = collections.namedtuple("Run", "events gaps end lines stderr code")


def parse_lines(lines):
    """An event for each. Parsed together they share their keys, a third of the memory."""
    try:
        events = json.loads("[" + ",".join(lines) + "]")
        assert len(events) == len(lines), "several events on one line"
        return events
    except ValueError:
        for line in lines:
            try:
                json.loads(line)
            except ValueError as error:
                raise AssertionError(f"not JSON ({error}): {line}") from None
        raise


class Sockeye:
    """A running sockeye. `words` are its arguments; --format json unless they say another.

    place: where it runs (default: on the machine). lossy: losses do not fail stop().
    """

    def __init__(self, net, *words, place=None, lossy=False):
        self.lossy = lossy
        self.is_json = "--format" not in words
        self._parsed = []  # of JSON: events read so far
        self._position = 0
        self._seen = 0     # of _parsed: those that wait_for() has handed out or passed over
        argv = [program_of("SOCKEYE"), *words, "--end-record", *(("--format", "json") if self.is_json else ())]
        place = place or net.host
        self.process = start_ready(lambda fd: place.popen([*argv, "--ready-fd", fd], pass_fds=[fd]))

    def _read_more(self):
        """Parses the whole lines that have been written since the last look."""
        file = self.process.stdout_file.fileno()
        while True:
            chunk = os.pread(file, READ_BYTES, self._position)
            end = chunk.rfind(b"\n") + 1
            if end == 0:
                return
            self._parsed += parse_lines(chunk[:end].decode().split("\n")[:-1])
            self._position += end

    def wait_for(self, predicate, timeout=PATIENCE_S):
        """The next event that predicate(event) takes, after the one that was returned last."""
        def look():
            self._read_more()
            while self._seen < len(self._parsed):
                self._seen += 1
                if predicate(self._parsed[self._seen - 1]):
                    return self._parsed[self._seen - 1]
            return None

        try:
            return wait_until(look, "an event", timeout)
        except AssertionError as error:
            tail = "\n".join(json.dumps(event) for event in self._parsed[-10:])
            raise AssertionError(f"{error}; the last of {len(self._parsed)}:\n{tail}\n{self.process.stderr}") from None

    def stop(self):
        """SIGINT, then everything it wrote. Fails if a line does not parse, the exit code is not 0, the end event is
        not the last line or, unless `lossy`, anything was lost or incomplete. What the kernel skipped that is no event
        (`skipped`) is chance."""
        code = self.process.stop(signal.SIGINT, READY_S)
        stderr = self.process.stderr
        assert code == 0, f"{self.process} exited with {code}\n{stderr}"
        if not self.is_json:
            return Run([], [], None, self.process.stdout.splitlines(), stderr, code)
        self._read_more()
        assert self._parsed and self._parsed[-1]["event"] == "end", f"no end event: {self._parsed[-1:]}"
        end = self._parsed[-1]
        gaps = [event for event in self._parsed if event["event"] == "gap"]
        events = [event for event in self._parsed if event["event"] not in ("gap", "end")]
        unwritten = sum(gap["lost"] for gap in gaps if gap["reason"] == "write_failed")  # by another output than this one
        assert end["delivered"] + unwritten == len(events), f"{len(events)} events are in the stream; it ends with {end}"
        if not self.lossy:
            lost = [gap for gap in gaps if gap["reason"] != "skipped"]
            assert not lost and not end["lost"] and not end["incomplete"], f"something was lost: {gaps} {end}"
        return Run(events, gaps, end, [], stderr, code)
