# SPDX-License-Identifier: Apache-2.0
"""What a fuzz target begins with: the golden recordings, the command lines that the documentation shows, or what container
runtimes write, as the target takes them."""
import itertools
import pathlib
import re
import shlex
import struct
import subprocess

ROOT = pathlib.Path(__file__).parent.parent.parent
FILE_HEADER = 16
BLOCK_HEADER = struct.Struct("<IIIIQQ")  # src/record/format.h
ENTRY_HEADER = struct.Struct("<BBHI")
CONTEXT, EVENT = 2, 3
MAX_TEXT = 8191


def blocks(recording):
    """What each block holds."""
    at = FILE_HEADER
    while at < len(recording):
        size = BLOCK_HEADER.unpack_from(recording, at)[1]
        at += BLOCK_HEADER.size
        yield subprocess.run(["zstd", "-dcq"], input=recording[at:at + size], stdout=subprocess.PIPE, check=True).stdout
        at += size


def entries(block):
    """(type, payload) of each entry of a block."""
    at = 0
    while at < len(block):
        kind, _, size, _ = ENTRY_HEADER.unpack_from(block, at)
        at += ENTRY_HEADER.size
        yield kind, block[at:at + size]
        at += (size + 7) & ~7


def entry(kind, value, payload):
    return ENTRY_HEADER.pack(kind, 0, len(payload), value) + payload + bytes(-len(payload) % 8)


def full_context(recording):
    """What a block holds: a context that fills its entry, and an event that has it."""
    facts = b""
    for name in (b"container", b"runtime", b"pod", b"unit", b"cgroup_path", b"container_name", b"container_image", b"pod_name"):
        size = min(MAX_TEXT, 0xffff - len(facts) - 4 - len(name))
        facts += struct.pack("<HH", len(name), size) + name + size * b"x"
    event = next(payload for block in blocks(recording) for kind, payload in entries(block) if kind == EVENT)
    return entry(CONTEXT, 1, facts) + entry(EVENT, 1, event)


def of_recording(target, recording):
    if target == "record_entries_fuzz":
        for number, block in enumerate(blocks(recording)):
            yield bytes([number == 0]) + bytes(7) + block
        yield bytes(8) + full_context(recording)
    else:
        yield recording


def command_lines():
    """The words behind `sockeye` of each example in the documentation and in the hints of the option parsers."""
    texts = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("collectors/*/README.md")]
    for file in sorted(texts):
        for line in re.findall(r"^ {4}.*?\bsockeye ([^#|>\n]*)", file.read_text(encoding="utf-8"), re.MULTILINE):
            try:
                yield shlex.split(line)
            except ValueError:
                pass  # a quote of another word ends behind the line
    for file in sorted(ROOT.glob("src/cli/*_options.cpp")):
        for option, value in re.findall(r"(--[a-z-]+) ([^ ,\"]+)", file.read_text(encoding="utf-8")):
            yield ["states", option, value.strip("'")]


# Each kind of value, in lists and left out.
FILTERS = """--pid=1,2,!3
--comm=nginx,a b
--uid=root,1000
--container=3f4a,!web
--netns=4026531840,!1
--cgroup=4312
--src-ip=10.0.0.0/8
--dst-ip=::ffff:10.0.0.1
--local-ip=2001:db8::/32
--peer-ip=!fe80::1
--ip=0.0.0.0/0
--src-port=8000-8999
--dst-port=80,443
--local-port=1-65535
--peer-port=!22
--port=1 2 3
-4
-6
--direction=in
--active-only"""


def container_texts():
    """What container runtimes write, as the unit test of its reading has it."""
    test = (ROOT / "src/enrich/container_json_test.cpp").read_text(encoding="utf-8")
    for text in re.findall(r'R"\((.*?)\)"', test, re.DOTALL):
        yield text.encode()


def seeds(target):
    if target == "container_json_fuzz":
        yield from container_texts()
    elif target == "command_line_fuzz":
        for words in command_lines():
            yield "\0".join(words).encode()
    elif target == "filter_options_fuzz":
        lines = FILTERS.split("\n")
        for pair in [*zip(lines), *itertools.combinations(lines, 2), lines]:
            yield "\n".join(pair).encode()
    else:
        for file in sorted(ROOT.glob("collectors/*/golden/*.v[0-9]*")):
            yield from of_recording(target, file.read_bytes())


def write(target, folder):
    """Into an empty folder, or one that has what was found before."""
    for number, seed in enumerate(seeds(target)):
        pathlib.Path(folder, f"seed-{number}").write_bytes(seed)
