#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cuts bpf/vmlinux.h out of a kernel's BTF: the types listed in bpf/vmlinux.fields and what they embed by value.

usage: python3 tools/make_vmlinux.py BTF ORIGIN > bpf/vmlinux.h
  BTF     a vmlinux, or its raw .BTF section (for Debian: from linux-image-*-cloud-amd64, see docs/kernel-types.md)
  ORIGIN  one word that says which kernel it came from, for the header's first lines
The result is committed: the build needs neither root nor a particular kernel, CO-RE moves the offsets at load.
"""
import pathlib
import re
import subprocess
import sys

WORD = re.compile(r"[A-Za-z_]\w*")
# Types whose members the kernel side names through enumerators, not through a tag.
ANONYMOUS_ENUMS = ("BPF_RB_NO_WAKEUP", "BPF_SOCK_OPS_TCP_CONNECT_CB", "BPF_SK_STORAGE_GET_F_CREATE", "BPF_F_CLONE",
                   "BPF_F_NO_PREALLOC", "BPF_ANY", "BPF_RB_AVAIL_DATA")


def blocks(text):
    """Top-level definitions of bpftool's C dump, in its (dependency) order: (key, text)."""
    for block in re.split(r"\n\n+", text):
        block = block.strip()
        if m := re.match(r"(struct|union|enum) (\w+) \{", block):
            yield f"{m[1]} {m[2]}", block
        elif block.startswith("enum {"):
            yield "enum", block
        elif block.startswith("typedef"):
            if block.startswith("typedef struct {") or block.startswith("typedef union {"):
                yield "typedef " + re.search(r"\}\s*(\w+);$", block)[1], block
            elif m := re.search(r"\(\*(\w+)\)\(", block) or re.search(r"(\w+)(\[\w*\])*;$", block):
                yield "typedef " + m[1], block


def members(body):
    """Splits the text between the outer braces into members (nested braces stay whole)."""
    out, depth, current = [], 0, []
    for line in body.split("\n"):
        current.append(line)
        depth += line.count("{") - line.count("}")
        if depth == 0 and line.rstrip().endswith(";"):
            out.append("\n".join(current))
            current = []
    return out


def cut(block, wanted):
    if wanted == ["*"]:
        return block
    head, rest = block.split("{\n", 1)
    body, tail = rest.rsplit("\n}", 1)
    kept = [m for m in members(body) if set(WORD.findall(m)) & set(wanted)]
    missing = set(wanted) - set(WORD.findall("\n".join(kept)))
    if missing:
        sys.exit(f"make_vmlinux: {head.strip()} has no member {', '.join(sorted(missing))}")
    return head + "{\n" + "\n".join(kept) + "\n}" + tail


def embedded(text):
    """Keys of the types that `text` needs complete: typedef names, and structs and unions held by value."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    for kind, name, star in re.findall(r"\b(struct|union|enum) (\w+)\s*(\**)", text):
        if not star or kind == "enum":
            yield f"{kind} {name}"
    for word in WORD.findall(text):
        yield f"typedef {word}"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    root = pathlib.Path(__file__).parent.parent
    dump = subprocess.run(["bpftool", "btf", "dump", "file", sys.argv[1], "format", "c"], check=True,
                          capture_output=True, text=True).stdout
    wanted = {}
    for line in (root / "bpf/vmlinux.fields").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            key, names = line.split(":")
            wanted[key] = names.split()
    order, defs = [], {}
    for key, block in blocks(dump):
        if key == "enum":
            if not any(re.search(rf"\b{name}\b", block) for name in ANONYMOUS_ENUMS):
                continue
            key = f"enum #{len(order)}"
            wanted[key] = ["*"]
        if key not in defs:
            order.append(key)
            defs[key] = block
    keep, queue = {}, [k for k in wanted if k in defs]
    if missing := [k for k in wanted if k not in defs]:
        sys.exit(f"make_vmlinux: not in this BTF: {', '.join(missing)}")
    queue += [f"typedef {t}" for t in ("__u8", "__u16", "__u32", "__u64", "__s32", "__s64", "__be16", "__be32",
                                       "__be64", "__wsum", "__sum16", "u8", "u16", "u32", "u64", "bool", "size_t")]
    while queue:
        key = queue.pop()
        if key in keep or key not in defs:
            continue
        keep[key] = cut(defs[key], wanted.get(key, ["*"]))
        queue += embedded(keep[key])
    print("/* SPDX-License-Identifier: GPL-2.0-only */")
    print(f"/* Made by tools/make_vmlinux.py from the BTF of {sys.argv[2]} by bpf/vmlinux.fields; do not edit. */")
    print("#ifndef SOCKEYE_BPF_VMLINUX_H\n#define SOCKEYE_BPF_VMLINUX_H\n")
    print("#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)\n")
    print("\n\n".join(keep[k] for k in order if k in keep))
    print("\n#pragma clang attribute pop\n\n#endif")


main()
