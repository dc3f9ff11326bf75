# SPDX-License-Identifier: Apache-2.0
"""--btf: where /sys/kernel/btf is hidden, a copy of the kernel's types shows what the kernel's own would, and a file that
will not do is refused in one line. The witness is sockeye where nothing is hidden."""
import json
import os
import pathlib
import struct
import sys
import tempfile

import netns
from own_mounts import mounted
from puppet import Puppet
from scenario import watch
from states_tools import identity, events_in

ALONE = "counts what is loaded on the machine"
KERNEL = "/sys/kernel/btf/vmlinux"
HIDE = mounted("mount -t tmpfs none /sys/kernel/btf")
USAGE, NOT_POSSIBLE = 2, 3
OWNED = ("pid", "tid", "comm", "uid", "owner_source", "netns", "family", "laddr", "lport", "raddr", "rport", "role")


def written(net, content):
    folder = tempfile.TemporaryDirectory(prefix="sockeye-btf-")
    net.on_exit(folder.cleanup)
    os.chmod(folder.name, 0o755)
    file = pathlib.Path(folder.name) / "types"
    file.write_bytes(content)
    return str(file)


def kernel_types():
    return pathlib.Path(KERNEL).read_bytes()


def elf_with(types):
    """An ELF file with nothing but a section .BTF and the names of its sections."""
    names = b"\0.BTF\0"
    at = 64 + 3 * 64
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 1, 62, 1, 0, 0, 64, 0, 64, 0, 0, 64, 3, 1)
    sections = bytes(64)
    for name, kind, size in ((0, 3, len(names)), (1, 1, len(types))):
        sections += struct.pack("<IIQQQQIIQQ", name, kind, 0, 0, at, size, 0, 0, 1, 0)
        at += size
    return header + sections + names + types


def shifted(types):
    """As of another kernel: a type more at the beginning, so that every id is that of the type before."""
    magic, version, flags, size, type_at, type_bytes, string_at, string_bytes = struct.unpack_from("<HBBIIIII", types)
    assert magic == 0xeb9f and type_at == 0
    pointer = struct.pack("<III", 0, 2 << 24, 0)
    return (struct.pack("<HBBIIIII", magic, version, flags, size, 0, type_bytes + len(pointer), string_at + len(pointer),
                        string_bytes) + types[24:size] + pointer + types[size:])


def sockeye(net, prefix, *words):
    return net.host.run(prefix + [netns.program_of("SOCKEYE"), *words], check=False, timeout=60)


def refused(done, code, *words):
    """One line that says what and why, and a hint."""
    lines = done.stderr.splitlines()
    assert done.code == code and done.stdout == "", done
    assert len(lines) == 2 and lines[0].startswith("sockeye: ") and lines[1].startswith("  "), done.stderr
    for word in words:
        assert word in done.stderr, (word, done.stderr)


def shown(events, keys):
    """What two runs have to agree on, sorted; not the cookies that each of them made up (wire.h)."""
    return sorted((str(identity(event)), *(str(event.get(key)) for key in keys + OWNED)) for event in events)


def compare_streams(net, copy):
    """Both see the same connections, one of them accepted by a child, one that was there before."""
    client, server = net.client_and_server()
    listener, caller = Puppet(server), Puppet(client)
    listener.do("a = listen('10.77.1.2', 80)")
    caller.do("c = connect('10.77.1.2', 80)")
    listener.do("b = a.accept()[0]")
    hidden = netns.Place(net, HIDE)
    whole, other = watch(net, "states", client, server), watch(net, "states", client, server, words=("--btf", copy), place=hidden)
    caller.do("d = connect('10.77.1.2', 80)")
    child = listener.do("child(lambda: (a.accept()[0].recv(9), None))")
    caller.do("d.send(b'x')")
    caller.do("d.close()")
    listener.do(f"os.waitpid({child}, 0)[1]")
    caller.do("c.close()")
    listener.do("b.close()")
    for running in (whole, other):
        ended = set()
        running.wait_for(lambda event, ended=ended: event["new_state"] in ("CLOSE", "TIME_WAIT")
                         and (ended.add(event["cookie"]) or len(ended) == 4))
    events, same = (events_in(running.stop(), client, server) for running in (whole, other))
    assert {event["pid"] for event in events} >= {listener.pid, caller.pid, child}, events
    keys = ("old_state", "new_state", "outcome")
    assert shown(events, keys) == shown(same, keys), (events, same)


def test_states(net):
    compare_streams(net, written(net, kernel_types()))


def test_states_with_an_elf_file(net):
    compare_streams(net, written(net, elf_with(kernel_types())))


def test_who_and_counts(net):
    copy = written(net, kernel_types())
    client, server = net.client_and_server()
    listener, caller = Puppet(server), Puppet(client)
    listener.do("a = listen('10.77.1.2', 80)")
    caller.do("c = connect('10.77.1.2', 80)")
    inodes = f"{client.inode},{server.inode}"
    there = [[json.loads(line) for line in sockeye(net, prefix, "who", "--json", "--netns", inodes, *words).stdout.splitlines()]
             for prefix, words in (([], ()), (HIDE, ("--btf", copy)))]
    events, same = (shown(found, ("state",)) for found in there)
    assert events == same and len(events) == 3, (events, same)
    done = sockeye(net, HIDE, "counts", "--json", "--by", "netns", "--btf", copy)
    groups = {group["netns"]: group["sockets"] for group in json.loads(done.stdout)["groups"]}
    assert groups[client.inode] == {"ESTABLISHED": 1}, groups
    assert groups[server.inode] == {"ESTABLISHED": 1, "LISTEN": 1}, groups


def test_doctor(net):
    copy = written(net, kernel_types())
    told = json.loads(sockeye(net, HIDE, "doctor", "--json", "--btf", copy).stdout)
    whole = json.loads(sockeye(net, [], "doctor", "--json").stdout)
    assert told["works"] and told["machine"]["btf"] == {"path": copy, "bytes": os.stat(KERNEL).st_size, "problem": None}, told
    assert told["collectors"] == whole["collectors"], (told, whole)
    page = sockeye(net, HIDE, "doctor")
    assert page.code == NOT_POSSIBLE and "--btf FILE" in page.stdout, page


def test_without_it(net):
    for command in ("states", "counts", "who"):
        refused(sockeye(net, HIDE, command), NOT_POSSIBLE, KERNEL, "No such file or directory", "--btf FILE")


def test_what_is_no_file_of_types(net):
    types = kernel_types()
    for content, why in ((b"x" * 5000, "no BTF"), (b"", "too short"), (types[:len(types) // 2], "damaged"),
                         (elf_with(types)[:-1], "damaged"), (elf_with(b"x" * 5000), "no BTF"),
                         (pathlib.Path(sys.executable).resolve().read_bytes(), "without a section .BTF")):
        file = written(net, content)
        for command in ("states", "counts", "who", "doctor"):
            refused(sockeye(net, HIDE, command, "--btf", file), USAGE, f"--btf {file}: ", why)
    for path, why in (("/nonexistent", "No such file"), ("/dev/null", "no regular file"), ("", "it needs a value")):
        refused(sockeye(net, HIDE, "states", "--btf", path), USAGE, why)


def test_types_of_another_kernel(net):
    """By the types that the kernel shows or tells; and where it does neither, by what it calls its own."""
    file = written(net, shifted(kernel_types()))
    for prefix in ([], HIDE):
        for command in ("states", "counts", "who", "doctor"):
            refused(sockeye(net, prefix, command, "--btf", file), USAGE, f"--btf {file}: these are the types of another kernel")
    words = ",".join(["-all", "+bpf", "+perfmon", "+net_admin"])
    silent = HIDE + [netns.require("setpriv"), "--reuid", "65534", "--clear-groups", "--bounding-set", words, "--inh-caps",
                     words, "--ambient-caps", words, "--"]
    copy = written(net, kernel_types())
    done = sockeye(net, silent, "states", "--duration", "100ms", "--btf", copy)
    if done.code != 0:
        netns.skip(f"these rights do not suffice here: {done.stderr}")
    refused(sockeye(net, silent, "states", "--btf", file), USAGE, "another kernel")
