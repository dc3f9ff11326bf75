# SPDX-License-Identifier: Apache-2.0
"""The program as a file: how it is built for root to run, and what is installed. Witnesses: readelf, and a listener that the
installed program shows."""
import pathlib
import re

import netns
from puppet import Puppet

PORT = 7000


def read_elf(net, *words):
    return net.host.run([netns.require("readelf"), "--wide", *words, netns.program_of("SOCKEYE")]).stdout


def test_a_mistake_ends_the_run(net):
    """What cmake/hardening.cmake asks for is in the program."""
    dynamic, segments = read_elf(net, "--dynamic"), read_elf(net, "--program-headers")
    used = set(re.findall(r"UND (\w+)", read_elf(net, "--dyn-syms")))
    stack, = re.findall(r"GNU_STACK.* (R[WE ]*) 0x", segments)
    there = {"PIE": bool(re.search(r"Flags:.*\bPIE", dynamic)),
             "RELRO": "GNU_RELRO" in segments,
             "BIND_NOW": bool(re.search(r"Flags:.*\bNOW", dynamic)),
             "a stack that is not executable": "E" not in stack,
             "stack protector": "__stack_chk_fail" in used,
             "FORTIFY_SOURCE": any(re.fullmatch(r"__\w+_chk", name) for name in used),
             "assertions of libstdc++": any("__glibcxx_assert_fail" in name for name in used)}
    assert all(there.values()), [what for what, is_there in there.items() if not is_there]


def test_what_is_installed_runs(net):
    prefix = net.folder() / "usr"
    build = pathlib.Path(netns.program_of("SOCKEYE")).parent
    net.host.run([netns.require("cmake"), "--install", build, "--prefix", prefix])
    program = prefix / "bin/sockeye"
    assert (prefix / "share/doc/sockeye/docs/output.md").is_file()
    assert net.host.run([program, "--version"]).stdout.startswith("sockeye ")
    place = net.namespace("one")
    puppet = Puppet(place)
    puppet.do(f"l = listen('127.0.0.1', {PORT})")
    done = net.host.run([program, "who", "--json", "--netns", place.inode])
    assert f'"lport":{PORT}' in done.stdout and f'"pid":{puppet.pid}' in done.stdout, done.stdout
