#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses an include that points the wrong way.

usage: tools/check_layers.py [ROOT]
Data flows one way and includes point only to the left (ARCHITECTURE.md):
  base <- event <- {bpf, record} <- source <- enrich <- {aggregate, detect, explain} <- sinks <- pipeline <- run <- cli
                     enrich <- doctor <- cli, aggregate <- docs <- cli
Collectors and detectors see base, event and each other's *.event.h, which aggregate sees too; sinks see base, event
and event; bench/ sees base. The kernel side is bpf/, *.bpf.c, *.bpf.h and the headers that both sides share. Prints
file:line, the include and the rule it breaks; exit code 1 if there is one.
"""
import pathlib
import re

import checking

INCLUDE = re.compile(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
SOURCES = {".h", ".c", ".cpp"}

SHARED = ".event.h"  # of any collector or detector
STAGES = {  # a folder of src/ and what it sees besides itself
    "base": "",
    "event": "base",
    "bpf": "base event",
    "record": "base event",
    "source": "base event bpf record",
    "enrich": "base event bpf record source",
    "aggregate": f"base event bpf record source enrich {SHARED}",
    "detect": "base event bpf record source enrich",
    "explain": "base event bpf record source enrich",
    "pipeline": "base event bpf record source enrich aggregate detect explain sinks",
    "run": "base event bpf record source enrich aggregate detect explain sinks pipeline",
    "doctor": "base event bpf enrich",
    "docs": "base event aggregate",
    "cli": "base event bpf record source enrich aggregate detect explain pipeline run doctor docs",
    "main": "base cli",
    "collectors": f"base event {SHARED}",
    "detectors": f"base event {SHARED}",
    "sinks": "base event record",
    "bench": "base",
}
# Headers that the kernel side and user space share though they lie in a stage.
SHARED_IN_SRC = {"src/event/wire.h", "src/bpf/settings.h", "src/bpf/filter_rules.h", "src/bpf/held_socket.h",
                 "src/bpf/namespace_holder.h"}
# Pure functions over shared structs, for both sides.
HOST_TOO = {"bpf/filter.h", "bpf/guarded_owner.h"}
# Generated ones, and who sees them.
SKELETONS = {"sockeye.skel.h": ("bpf", "tests"), "limit.skel.h": ("bench",)}
KERNEL_LIBRARY = re.compile(r"bpf/bpf_\w+\.h$")
# Numbers that are macros, which the kernel's types do not have.
KERNEL_NUMBERS = ("asm-generic/errno.h",)


def is_shared(path):
    return path in SHARED_IN_SRC or path.endswith((".event.h", ".sock.h"))


def is_kernel_side(path):
    return path.startswith("bpf/") or path.endswith((".bpf.c", ".bpf.h"))


def is_test(path):
    return path.startswith("tests/") or path.endswith(("_test.cpp", "_for_tests.h"))


def stage_of(path):
    """The stage that a user-space file belongs to, and the folder within which everything may be included."""
    parts = path.split("/")
    if parts[0] == "src":
        stage = parts[1] if len(parts) > 2 else "main"
        return stage, f"src/{stage}/"
    return parts[0], "/".join(parts[:2]) + "/"


def resolve(root, path, name):
    """The file that an include means, relative to root; None for one that is generated or not of this tree."""
    here = str(pathlib.PurePosixPath(path).parent)
    kernel = is_kernel_side(path) or is_shared(path)
    for folder in [here] + (["", "src"] if kernel else ["src", ""]):
        candidate = pathlib.PurePosixPath(folder) / name
        if (root / candidate).is_file():
            return str(candidate)
    return None


def kernel_rule(path, target, name):
    """The rule that an include of a kernel-side or shared file breaks; None: it is fine."""
    target = target or ""
    if is_shared(path):
        return None if is_shared(target) else "a header that both sides share includes only other such headers"
    if name.startswith("gen/") or target.startswith("bpf/") or target in SHARED_IN_SRC:
        return None
    if path.startswith("bpf/"):
        return "bpf/ sees itself, gen/ and headers of src/ that both sides share; what collectors add comes from gen/"
    if target.endswith(".bpf.h") or is_shared(target):
        return None
    return "a handler sees bpf/, gen/, *.bpf.h and headers that both sides share"


def user_rule(path, target, name):
    """The same for a file of user space."""
    stage, own_folder = stage_of(path)
    if name in SKELETONS:
        return None if stage in SKELETONS[name] else f"only {SKELETONS[name][0]} sees this skeleton"
    if target is None:
        return "there is no such file in this tree"
    if is_test(path) and (is_kernel_side(target) or target.startswith("tests/support/")):
        return None
    if is_kernel_side(target) and target not in HOST_TOO:
        return "user space does not include the kernel side"
    if stage == "tests" or target.startswith(own_folder):
        return None
    if stage not in STAGES:
        return f"{stage}/ is no stage that {pathlib.Path(__file__).name} knows"
    sees = STAGES[stage].split()
    is_seen = stage_of(target)[0] in sees or SHARED in sees and target.endswith(SHARED)
    if is_seen or target in HOST_TOO and "event" in sees:
        return None
    return f"{stage} sees {', '.join(sees)}" if sees else f"{stage} sees nothing else of this tree"


def broken_rule(root, path, name, in_angles):
    target = resolve(root, path, name)
    kernel = is_kernel_side(path)
    if in_angles:
        # System headers; but what is spelled <...> does not get around the rules.
        if kernel and not KERNEL_LIBRARY.match(name) and name not in KERNEL_NUMBERS:
            return f"the kernel side has no system headers but libbpf's <bpf/bpf_*.h> and {', '.join(KERNEL_NUMBERS)}"
        if target is None or KERNEL_LIBRARY.match(name):
            return None
    if kernel or is_shared(path):
        return kernel_rule(path, target, name)
    return user_rule(path, target, name)


def sources(root):
    for folder in ("bench", "bpf", "collectors", "detectors", "sinks", "src", "tests"):
        for file in sorted((root / folder).rglob("*")):
            if file.suffix in SOURCES and file.is_file():
                yield file


def complaints(root):
    for file in sources(root):
        path = file.relative_to(root).as_posix()
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
            match = INCLUDE.match(line)
            rule = match and broken_rule(root, path, match[1] or match[2], match[1] is None)
            if rule:
                yield f"{path}:{number}: {line.strip()}: {rule}"


if __name__ == "__main__":
    checking.start(__doc__, complaints)
