# SPDX-License-Identifier: Apache-2.0
"""Limits of sockeye's own process, and a machine without /proc, are called by their names: the kernel is not to blame, nor
are missing rights."""
import netns
from own_mounts import mounted

COMMANDS = (["states", "--duration", "100ms"], ["connections", "--duration", "100ms"], ["who"], ["counts"])
BLAME = ("kernel refuses", "CONFIG_", "sudo", "CAP_")


def run_with(net, before, words):
    """sockeye, after a shell has done something."""
    script = before + ' && exec "$0" "$@"'
    return net.host.run([netns.require("bash"), "-c", script, netns.program_of("SOCKEYE"), *words], check=False)


def expect_refused(net, before, words, what, hint):
    done = run_with(net, before, words)
    lines = done.stderr.splitlines()
    assert done.code == 1 and len(lines) == 2, (before, words, done)
    assert what in lines[0] and hint in lines[1], (before, words, done)
    assert not any(word in done.stderr for word in BLAME), (before, words, done)


def test_open_files(net):
    for words in (*COMMANDS, ["doctor"]):
        for files in (20, 64):
            expect_refused(net, f"ulimit -n {files}", words, "more open files", "ulimit -n")


def test_enough_open_files(net):
    """All that there is at once."""
    everything = "states,connections,lifetimes,retransmits,drops"
    for words in (*COMMANDS, ["trace", everything, "--accept-owner", "--connect-errors", "--duration", "100ms"]):
        done = run_with(net, "ulimit -n 160", words)
        assert done.code == 0, (words, done)


def test_the_size_of_files(net):
    for words in COMMANDS:
        expect_refused(net, "ulimit -f 8", words, "File too large", "ulimit -f")


def test_without_proc(net):
    mount = mounted("umount -l /proc")
    for words in (*COMMANDS, ["doctor"]):
        done = net.host.run([*mount, netns.program_of("SOCKEYE"), *words], check=False)
        lines = done.stderr.splitlines()
        assert done.code == 1 and len(lines) == 2, (words, done)
        assert "/proc cannot be read" in lines[0] and "mount -t proc" in lines[1], (words, done)
