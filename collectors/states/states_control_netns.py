# SPDX-License-Identifier: Apache-2.0
"""Running `states`: who may, wrong words, when and how it ends, and that nothing of it stays in the kernel. Witnesses: exit
codes, the clock, bpftool, /proc."""
import json
import os
import re
import shutil
import signal
import time

import netns
from bpf_objects import ids_of, in_kernel
from ready import start_ready
from puppet import Puppet
from scenario import watch

PORT = 7000
USAGE, NOT_PERMITTED = 2, 3


def run_sockeye(place, *words, **options):
    return place.run([netns.program_of("SOCKEYE"), *words], check=False, **options)


# ---- who may, and wrong words ----

def test_an_ordinary_user(net):
    folder = net.folder()
    folder.chmod(0o755)
    program = shutil.copy(netns.program_of("SOCKEYE"), folder)
    nobody = [netns.require("setpriv"), "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]
    done = net.host.run(nobody + [program, "states"], check=False)
    assert done.code == NOT_PERMITTED, done
    assert "sudo" in done.stderr and done.stdout == "", done
    assert len(done.stderr.splitlines()) == 2, done.stderr
    assert net.host.run(nobody + [program, "list"]).stdout.count("states") > 0


WRONG = {
    ("states", "--formt", "json"): ["unknown option --formt", "--format"],
    ("states", "--log-fil=x"): ["unknown option --log-fil", "--log-file"],
    ("sates",): ["unknown command sates", "states"],
    ("states", "now"): ["unexpected word now"],
    ("trace", "stats"): ["there is no collector stats", "states"],
    ("states", "--format", "xml"): ["--format xml", "json, recording, table, line"],
    ("states", "--json", "--format", "line"): ["--format line", "--json"],
    ("states", "--duration", "0"): ["--duration 0", "10s"],
    ("states", "--duration", "soon"): ["--duration soon", "10s"],
    ("states", "--count", "many"): ["--count many", "not a number"],
    ("states", "--count", "-1"): ["--count -1", "not a number"],
    ("states", "--count", "0x10"): ["--count 0x10", "not a number"],
    ("states", "--count", "18446744073709551616"): ["--count 18446744073709551616", "goes from 1"],
    ("states", "--record", ""): ["--record: it needs a value"],
    ("states", "--duration", ""): ["--duration: it needs a value"],
    ("counts", "--watch", ""): ["--watch: it needs a value"],
    ("--count", "-1"): ["--count -1", "not a number"],
    ("--json", "who"): ["unexpected word who", "sockeye who"],
    ("states", "--ring-size", "3M"): ["--ring-size 3M", "power of two"],
    ("states", "--ready-fd", "99"): ["--ready-fd 99", "not open"],
    ("states", "--color", "red"): ["--color red", "never"],
    ("states", "--log-file", "/nowhere/log"): ["--log-file /nowhere/log", "No such file"],
    ("states", "--log-file", "/"): ["--log-file /", "directory"],
    ("states", "--ip", "10.0.0.256"): ["--ip 10.0.0.256", "not an IP address"],
    ("states", "--src-ip", "10.0.0.0/33"): ["--src-ip 10.0.0.0/33", "0 to 32"],
    ("states", "--port", "9000-8000"): ["--port 9000-8000", "ends before it begins"],
    ("states", "--dst-port", "65536"): ["--dst-port 65536", "65535"],
    ("states", "--pid", "nginx"): ["--pid nginx", "not a number"],
    ("states", "--netns", "/etc/passwd"): ["--netns /etc/passwd", "not a network namespace"],
    ("states", "--direction", "up"): ["--direction"],
    ("states", "--ip", "\x1b[31m"): ["--ip", r"\x1b[31m"],
}


def test_wrong_words(net):
    for words, expected in WRONG.items():
        done = run_sockeye(net.host, *words)
        assert done.code == USAGE, (words, done)
        assert done.stdout == "", (words, done)
        lines = done.stderr.splitlines()
        assert 1 <= len(lines) <= 2 and lines[0].startswith("sockeye: "), (words, done.stderr)
        for part in expected:
            assert part in done.stderr, (words, part, done.stderr)
        assert not re.search(r"[\x00-\x09\x0b-\x1f]", done.stderr), done.stderr


def test_no_words(net):
    """Without a command it is `states`, whatever its options; --help and --version are the program's own."""
    for words in ([], ["--json"], ["-4"]):
        done = run_sockeye(net.host, *words, "--duration", "50ms", *os.environ.get("SOCKEYE_OPTIONS", "").split())
        assert done.code == 0 and re.search(r"events?, 0 lost", done.stderr), (words, done)
    for words in (["--help"], ["states", "--help"], ["--version"], ["list"]):
        done = run_sockeye(net.host, *words)
        assert done.code == 0 and done.stderr == "" and done.stdout, done


# ---- how it ends ----

def make_events(puppet, connections):
    """Eight events for each connection to a listener of its own."""
    puppet.do(f"for _ in range({connections}):\n"
              f"  l = listen('::1', {PORT}); c = connect('::1', {PORT}); reset(c); l.close()")


def test_signals_end_it_well(net):
    place = net.namespace("one")
    puppet = Puppet(place)
    for number in (signal.SIGINT, signal.SIGTERM):
        sockeye = net.sockeye("states", "--netns", place.inode)
        make_events(puppet, 2)
        assert sockeye.process.stop(number) == 0, sockeye.process.stderr
        last = sockeye.process.stderr.splitlines()[-1]
        assert re.fullmatch(r"sockeye: 16 events, 0 lost(, \d+ late)?", last), sockeye.process.stderr
        assert sockeye.process.stdout.count('"event":"states"') == 16, sockeye.process.stdout


def test_quiet(net):
    sockeye = net.sockeye("states", "--quiet", "--netns", net.namespace("one").inode)
    assert sockeye.stop().stderr == ""


def test_strict(net):
    """Whatever is lost makes the exit code 1, if one asks for that."""
    place = net.namespace("one")
    puppet = Puppet(place)
    for words, code in (([], 0), (["--strict"], 1)):
        sockeye = net.sockeye("states", "--netns", place.inode, "--log-file", "/dev/full", *words)
        make_events(puppet, 1)
        assert sockeye.process.stop(signal.SIGINT) == code, sockeye.process.stderr
        assert "sink/write_failed" in sockeye.process.stderr.splitlines()[-1], sockeye.process.stderr


def test_count_is_exact(net):
    place = net.namespace("one")
    puppet = Puppet(place)
    for count in (1, 7, 1000):
        sockeye = net.sockeye("states", "--netns", place.inode, "--count", count)
        make_events(puppet, count // 8 + 1)
        assert sockeye.process.wait() == 0, sockeye.process.stderr
        events = [json.loads(line) for line in sockeye.process.stdout.splitlines()]
        assert [event["event"] for event in events] == ["states"] * count + ["end"], events[-2:]
        assert events[-1]["delivered"] == count, events[-1]


def test_duration(net):
    began = time.monotonic()
    sockeye = net.sockeye("states", "--duration", "700ms")
    assert sockeye.process.wait() == 0, sockeye.process.stderr
    assert time.monotonic() - began >= 0.7


def test_the_ready_descriptor(net):
    """One byte, once every program is attached; then it is closed."""
    ready, ready_fd = os.pipe()
    net.on_exit(lambda: os.close(ready))
    process = net.host.popen([netns.program_of("SOCKEYE"), "states", "--quiet", "--ready-fd", ready_fd],
                             pass_fds=[ready_fd])
    os.close(ready_fd)
    assert os.read(ready, 16) == b"\n", process.stderr
    assert len(ids_of(process.pid, "link")) >= 2
    assert os.read(ready, 16) == b"" and process.popen.poll() is None, process.stderr
    assert process.stop(signal.SIGINT) == 0, process.stderr


def test_a_pipe_that_is_closed(net):
    """`| head -1`: it ends, without a word of complaint."""
    place = net.namespace("one")
    puppet = Puppet(place)
    for words in ("--format line", "--format table", "--json"):
        command = f"{netns.program_of('SOCKEYE')} states --quiet --netns {place.inode} {words}"
        script = command + ' --ready-fd "$0" | head -1; exit "${PIPESTATUS[0]}"'
        argv = [netns.require("bash"), "-c", script]
        shell = start_ready(lambda fd, argv=argv: net.host.popen([*argv, fd], pass_fds=[fd]))

        def ended():
            make_events(puppet, 1)
            return shell.popen.poll() is not None

        netns.wait_until(ended, "the end")
        assert shell.popen.returncode == 0 and shell.stderr == "", (shell.popen.returncode, shell.stderr)
        assert len(shell.stdout.splitlines()) == 1, shell.stdout


def test_a_event_does_not_wait_for_the_next(net):
    """What happens alone is shown, whatever comes after it."""
    place = net.namespace("one")
    puppet = Puppet(place)
    for words in ([], ["--format", "line"], ["--format", "table"]):
        sockeye = net.sockeye("states", "--netns", place.inode, *words)
        puppet.do(f"alone = listen('127.0.0.1', {PORT})")
        netns.wait_until(lambda sockeye=sockeye: str(PORT) in sockeye.process.stdout, "the event")
        assert sockeye.process.stop(signal.SIGINT) == 0, sockeye.process.stderr
        puppet.do("alone.close()")


# ---- what is in the kernel ----

KINDS = ("prog", "map", "link")


def wait_gone(net, ours):
    netns.wait_until(lambda: not any(ours[kind] & set(in_kernel(net, kind)) for kind in KINDS),
                     "the end of its programs, maps and links")


def test_what_is_in_the_kernel(net):
    """The programs of `states` and no others, two of them at inet_sock_set_state; and nothing when it has ended."""
    before = {kind: set(in_kernel(net, kind)) for kind in KINDS}
    sockeye = watch(net, "states", net.namespace("one"))
    ours = {kind: ids_of(sockeye.process.pid, kind) for kind in KINDS}
    shown = {kind: in_kernel(net, kind) for kind in KINDS}
    for kind in KINDS:
        assert ours[kind] and not ours[kind] & before[kind], (kind, ours[kind], before[kind])
        assert ours[kind] <= set(shown[kind]), (kind, ours[kind], shown[kind])
    names = {shown["prog"][number]["name"] for number in ours["prog"]}
    hooks = {name.split("__")[0] for name in names}
    assert hooks >= {"set_state", "visit_file"}, names
    assert hooks <= {"process_exits", "process_freed", "set_state", "syn_sent", "sent", "received", "visit_socket", "visit_file", "visit_namespace",
                       "visit_thread", "destroyed", "accepted", "connection_sent", "connection_received", "cgroup_made"}, names
    methods = {name.removesuffix("__twin").removesuffix("__ipv6") for name in names}
    assert len(methods) == len(hooks), f"more than one method of a hook: {names}"
    assert [name for name in names if name.endswith("__twin")] == ["set_state__tp_btf__twin"], names
    links = [link for number, link in shown["link"].items() if number in ours["link"]]
    attached = {link["id"]: shown["prog"][link["prog_id"]]["name"] for link in links}
    at_set_state = sorted(attached[link["id"]] for link in links if link.get("tp_name") == "inet_sock_set_state")
    assert at_set_state == ["set_state__tp_btf", "set_state__tp_btf__twin"], links
    assert not [name for name in attached.values() if "iter" in name], f"an iterator stays attached: {attached}"
    maps = {shown["map"][number]["name"] for number in ours["map"]}
    assert "ring" in maps and not {name for name in maps if name.startswith("demo")}, maps
    sockeye.stop()
    wait_gone(net, ours)


def test_nothing_stays_of_one_that_was_killed(net):
    sockeye = net.sockeye("states")
    ours = {kind: ids_of(sockeye.process.pid, kind) for kind in KINDS}
    assert all(ours.values()), ours
    assert sockeye.process.stop(signal.SIGKILL) == -signal.SIGKILL
    wait_gone(net, ours)
