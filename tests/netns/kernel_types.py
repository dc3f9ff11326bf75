# SPDX-License-Identifier: Apache-2.0
"""What this kernel offers, by its types (BTF): so that a scenario knows what it has to see."""
import functools
import os
import pathlib
import struct

# A test machine whose kernel hides its types names a file.
FILE = (os.environ.get("SOCKEYE_OPTIONS") or "--btf /sys/kernel/btf/vmlinux").split()[-1]

# <linux/btf.h>: bytes behind struct btf_type, and for each of its members, by kind.
INT, PTR, ARRAY, FUNC_PROTO, TYPEDEF = 1, 2, 3, 13, 8
EXTRA = {INT: 4, ARRAY: 12, 14: 4, 17: 4}
PER_MEMBER = {4: 12, 5: 12, 6: 8, FUNC_PROTO: 8, 15: 12, 19: 12}


@functools.cache
def types():
    return pathlib.Path(FILE).read_bytes()


def has_name(name):
    """Whether the types have something of this name: a function, an enumerator."""
    return b"\0" + name.encode() + b"\0" in types()


@functools.cache
def tracepoint_arguments(name):
    """How many arguments programs at a tracepoint get: those of the function that btf_trace_<name> points to, but for the first."""
    data = types()
    header, at, size, strings = struct.unpack_from("<IIII", data, 4)
    wanted = data.index(f"\0btf_trace_{name}\0".encode(), header + strings) + 1 - header - strings
    found, at, end = [None], header + at, header + at + size
    while at < end:
        name_at, info, reference = struct.unpack_from("<III", data, at)
        kind, members = info >> 24 & 31, info & 0xffff
        found.append((name_at, kind, members, reference))
        at += 12 + EXTRA.get(kind, 0) + PER_MEMBER.get(kind, 0) * members
    pointer, = [reference for name_at, kind, _, reference in found[1:] if (name_at, kind) == (wanted, TYPEDEF)]
    prototype = found[found[pointer][3]]
    assert found[pointer][1] == PTR and prototype[1] == FUNC_PROTO, (found[pointer], prototype)
    return prototype[2] - 1
