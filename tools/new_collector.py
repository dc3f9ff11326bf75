#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes collectors/NAME/: a small collector that builds, is listed and works, to start a new one from.

usage: tools/new_collector.py NAME [ROOT]
Its event says of each state change of a socket which of the socket's it is. The files come from
tools/templates/collector/: NAME in a file's name, @NAME@, @UPPER@, @CAMEL@ and @KIND@ in its text are replaced. Nothing
else of the tree is touched. Exit code 2 for a name that cannot be.
"""
import pathlib
import re
import sys

TEMPLATES = pathlib.Path(__file__).parent / "templates/collector"
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
MAX_LENGTH = 24
MIN_KIND = 16  # FIRST_COLLECTOR_KIND of src/event/wire.h
# The name becomes a member, a folder and a word of the command line.
C_KEYWORDS = """auto bool break case char class const continue default delete do double else enum explicit export extern
false float for friend goto if inline int long mutable namespace new operator private protected public register return
short signed sizeof static struct switch template this throw true try typedef typename union unsigned using virtual void
volatile while""".split()
COMMANDS = "agent counts detect doctor explain help history list record replay summary top trace who".split()
MAP = re.compile(r"\}\s*(\w+)\s+SEC\(\"\.maps\"\)")
VARIABLE = re.compile(r"^(?:const volatile )?(?:struct \w+|__u\d+) (\w+)(?: __attribute__\(.*\))? = ", re.MULTILINE)


class Refused(Exception):
    """The name cannot be; the text says why."""


def text_of(root, *patterns):
    return "\n".join(file.read_text() for pattern in patterns for file in sorted(root.glob(pattern)))


def check_shared_names(name, root):
    """A map called <collector>_... is taken for that collector's own: no shared one may look like it."""
    kernel = text_of(root, "bpf/*.h", "bpf/hooks/*.bpf.c")
    for shared in MAP.findall(kernel) + VARIABLE.findall(kernel):
        if shared == name or shared.startswith(name + "_"):
            raise Refused(f"the kernel side shares {shared}, which would be taken for a part of {name}")
    for hook in sorted(file.name.removesuffix(".bpf.c") for file in root.glob("bpf/hooks/*.bpf.c")):
        if hook == name or hook.startswith(name + "_") or name.startswith(hook + "_"):
            raise Refused(f"{hook} is a hook, and the two would be mixed up")
    taken = rf"\bstruct {name}_(?:event|sock|row)\b|\b{name.upper()}_KIND\b|\b{name}_on_\w+"
    if match := re.search(taken, kernel + text_of(root, "src/**/*.h")):
        raise Refused(f"there is a {match[0]} already")


def check(name, root):
    if not NAME.fullmatch(name) or len(name) > MAX_LENGTH:
        raise Refused(f"a name is lower case letters, digits and single underscores, at most {MAX_LENGTH}")
    if name in C_KEYWORDS:
        raise Refused("it is a word of the language")
    if name in COMMANDS:
        raise Refused(f"sockeye {name} is a command")
    if (root / "collectors" / name).exists():
        raise Refused(f"collectors/{name} exists")
    for other in sorted(file.name for file in (root / "collectors").iterdir() if file.is_dir()):
        if name.startswith(other + "_") or other.startswith(name + "_"):
            raise Refused(f"{other} is a collector, and their maps would be mixed up")
    check_shared_names(name, root)


def next_kind(root):
    headers = text_of(root, "collectors/*/*.event.h")
    kinds = {int(kind) for kind in re.findall(r"^#define \w+_KIND (\d+)", headers, re.MULTILINE)}
    return next(kind for kind in range(MIN_KIND, 1 << 16) if kind not in kinds)


def write(name, root):
    values = {"NAME": name, "UPPER": name.upper(), "KIND": str(next_kind(root)),
              "CAMEL": "".join(word.capitalize() for word in name.split("_"))}
    folder = root / "collectors" / name
    for template in sorted(file for file in TEMPLATES.rglob("*") if file.is_file()):
        text = re.sub(r"@([A-Z]+)@", lambda match: values[match[1]], template.read_text())
        file = folder / template.relative_to(TEMPLATES).with_name(re.sub(r"^NAME", name, template.name))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        print(file.relative_to(root))


def main(name, root):
    root = pathlib.Path(root).resolve()
    try:
        check(name, root)
    except Refused as why:
        print(f"new collector {name}: {why}", file=sys.stderr)
        return 2
    write(name, root)
    return 0


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else pathlib.Path(__file__).parent.parent))
