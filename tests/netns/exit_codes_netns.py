# SPDX-License-Identifier: Apache-2.0
"""What cannot be written is told in a sentence and by the exit code, by every command that ends by itself; a reader that
has seen enough is no failure."""
import json
import re

import netns
from puppet import Puppet

PORT = 7410
FULL = "standard output: No space left on device"


def to_a_full_disk(net, *words):
    """(exit code, what it says) of sockeye whose standard output is on a full disk."""
    with open("/dev/full", "wb") as full:
        process = net.host.popen([netns.program_of("SOCKEYE"), *words], stdout=full)
    return process.wait(60), process.stderr


def expect_told(net, *words):
    code, said = to_a_full_disk(net, *words)
    assert code == 1 and FULL in said, (words, code, said)
    return said


def test_texts_to_a_full_disk(net):
    for words in (["list"], ["list", "--fields"], ["list", "--schema"], ["list", "--markdown"], ["--help"],
                  ["--version"], ["states", "--help"]):
        said = expect_told(net, *words)
        assert said == f"sockeye: {FULL}\n", (words, said)


def test_doctor_to_a_full_disk(net):
    for words in ([], ["--json"]):
        assert expect_told(net, "doctor", *words) == f"sockeye: {FULL}\n"


def test_counts_to_a_full_disk(net):
    for words in ([], ["--json"], ["--by", "netns"]):
        assert expect_told(net, "counts", *words) == f"sockeye: {FULL}\n"
    said = expect_told(net, "counts", "--watch", "50ms", "--duration", "500ms")
    assert said.count(FULL) == 1, f"said again and again: {said}"


def test_sockets_to_a_full_disk(net):
    place = net.namespace("one")
    Puppet(place).do(f"held = [listen('127.0.0.1', {PORT}), listen('::1', {PORT})]")
    recording = net.folder() / "sockets"
    done = net.host.run([netns.program_of("SOCKEYE"), "who", "--netns", place.inode, "--record", recording, "--json"])
    assert len(done.stdout.splitlines()) == 2, done
    for words in (["who", "--netns", place.inode], ["replay", recording]):
        for form in ([], ["--json"], ["--format", "recording"]):
            said = expect_told(net, *words, *form)
            assert re.search(r"2 lost, 2 sink/write_failed", said), (words, said)


def test_nothing_to_write_is_no_failure(net):
    place = net.namespace("one")
    code, said = to_a_full_disk(net, "who", "--netns", place.inode)
    assert code == 0 and "0 TCP sockets in 1 network namespace" in said, (code, said)


def piped(net, *words):
    """(exit code, lines of a reader that takes one, what it says) of sockeye in front of a reader that takes one line."""
    script = '"$@" | head -1; exit "${PIPESTATUS[0]}"'
    shell = net.host.popen([netns.require("bash"), "-c", script, "bash", netns.program_of("SOCKEYE"), *words])
    return shell.wait(60), shell.stdout.splitlines(), shell.stderr


def test_a_reader_that_has_seen_enough(net):
    for words in (["list", "--schema"], ["list", "--markdown"], ["doctor", "--json"], ["counts"], ["counts", "--json"]):
        code, lines, said = piped(net, *words)
        assert code == 0 and len(lines) == 1 and said == "", (words, code, lines, said)


def test_a_reader_that_has_seen_enough_sockets(net):
    """More of them than a pipe and a batch hold."""
    place = net.namespace("one")
    sockets = 3000
    Puppet(place).do("import resource\nmost = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
                     "resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))\nheld = []\n"
                     f"for i in range({sockets}):\n  held.append(listen('127.1.0.0' if i % 2 else '::1', {PORT} + i))")
    code, lines, said = piped(net, "who", "--json", "--netns", place.inode)
    assert code == 0 and len(lines) == 1 and json.loads(lines[0])["event"] == "who", (code, lines, said)
    assert re.fullmatch(r"sockeye: it ended after [\d,]+ TCP sockets?: there may be more\n", said), said
    done = net.host.run([netns.program_of("SOCKEYE"), "who", "--json", "--netns", place.inode, "--count", 5])
    assert done.stderr == "sockeye: it ended after 5 TCP sockets: there may be more\n", done.stderr
    done = net.host.run([netns.program_of("SOCKEYE"), "who", "--json", "--netns", place.inode])
    assert done.stderr == f"sockeye: {sockets:,} TCP sockets in 1 network namespace\n", done.stderr
