#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses differences of counters: what only goes up is subtracted by counted_between() alone (bpf/counter.h and
base/counter.h), where a counter that is less than before gives 0 and is counted, and not a number below zero.

usage: tools/check_counters.py [ROOT]
Prints file:line and what is wrong; exit code 1 if anything is. Counters are the members that are marked with
SOCKEYE_COUNTER, wherever that is, and those of kernel structs that bpf/vmlinux.counters names. A use of any member or
variable of such a name, on either side of `-`, `-=` or `--`, is refused.
"""
import re

import checking

FOLDERS = ("bpf", "collectors", "src", "sinks")
SUFFIXES = {".cpp", ".h", ".c"}
HELPERS = {"bpf/counter.h", "src/base/counter.h", "src/base/counter.cpp"}
KERNEL_COUNTERS = "bpf/vmlinux.counters"
MARK = "SOCKEYE_COUNTER"
# The member's name is the last word before what ends its declaration.
MARKED = re.compile(MARK + r"\s+[^;{=\[(]*?(\w+)\s*[;{=\[(]")
STRUCT_COMMENTS = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
LITERALS = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'')
TOKEN = re.compile(r"\s+|\w+|->|--|-=|::|.", re.DOTALL)
CLOSING = {")": "(", "]": "["}
OPENING = {opening: closing for closing, opening in CLOSING.items()}


def blanked(text):
    """Without comments and literals, each line where it was."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])
    return LITERALS.sub(blank, STRUCT_COMMENTS.sub(blank, text))


def sources(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in SUFFIXES and path.name != "vmlinux.h" and not path.name.endswith("_test.cpp"):
                yield path.relative_to(root).as_posix(), blanked(path.read_text())


def kernel_counters(root):
    lines = (root / KERNEL_COUNTERS).read_text().splitlines()
    return {name for line in lines if not line.startswith("#") for name in line.split(":")[-1].split()}


def marked_counters(texts):
    return {name for text in texts.values() for name in MARKED.findall(text)}


def tokens_of(text):
    """(word or sign, line) of all that is no space."""
    tokens, line = [], 1
    for match in TOKEN.finditer(text):
        if not match[0].isspace():
            tokens.append((match[0], line))
        line += match[0].count("\n")
    return tokens


def skip(tokens, at, step, pairs):
    """Behind the bracket at `at`, in the direction of `step`."""
    depth = 0
    while 0 <= at < len(tokens):
        sign = tokens[at][0]
        depth += (sign in pairs) - (sign in pairs.values())
        at += step
        if depth == 0:
            break
    return at


def operand_before(tokens, at):
    """The words of what ends at `at`: of `a.b[i]->c` and `f(a.b)` all, of `x + a.b` the last member."""
    words = []
    while at >= 0:
        sign = tokens[at][0]
        if sign in CLOSING:
            end = skip(tokens, at, -1, CLOSING)
            words += [word for word, _ in tokens[end + 1:at]]
            at = end
        elif re.fullmatch(r"\w+", sign):
            words.append(sign)
            at -= 1
            if at < 0 or tokens[at][0] not in (".", "->", "::"):
                break
            at -= 1
        else:
            break
    return words


def operand_behind(tokens, at):
    words = []
    while at < len(tokens):
        sign = tokens[at][0]
        if sign in OPENING:
            end = skip(tokens, at, 1, OPENING)
            words += [word for word, _ in tokens[at + 1:end - 1]]
            is_cast = sign == "(" and end < len(tokens) and re.fullmatch(r"\w+|[(*&]", tokens[end][0])
            at = end
            if not is_cast and (at >= len(tokens) or tokens[at][0] not in (".", "->", "::", "(", "[")):
                break
        elif sign in ("*", "&", "~", "!"):
            at += 1
        elif re.fullmatch(r"\w+", sign):
            words.append(sign)
            at += 1
            if at >= len(tokens) or tokens[at][0] not in (".", "->", "::", "(", "["):
                break
            at += tokens[at][0] not in OPENING
        elif sign in (".", "->", "::"):
            at += 1
        else:
            break
    return words


def differences(text, counters):
    """(line, counter) of each that is subtracted, or subtracted from."""
    tokens = tokens_of(text)
    for at, (sign, line) in enumerate(tokens):
        if sign not in ("-", "-=", "--"):
            continue
        before = operand_before(tokens, at - 1)
        behind = operand_behind(tokens, at + 1)
        if sign == "-" and not before:
            continue
        found = [word for word in before + behind if word in counters]
        if found:
            yield line, found[0]


def complaints(root):
    texts = dict(sources(root))
    counters = kernel_counters(root) | marked_counters(texts)
    for path, text in texts.items():
        if path in HELPERS:
            continue
        for line, counter in differences(text, counters):
            yield f"{path}:{line}: {counter} is a counter: subtract it by counted_between(), which never goes below 0"


if __name__ == "__main__":
    checking.start(__doc__, complaints)
