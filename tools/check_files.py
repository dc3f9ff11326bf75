#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses source files that are too long, have a function that is too long, lack a licence line or carry a mark of
something unfinished.

usage: tools/check_files.py [ROOT]
Prints file:line and what is wrong; exit code 1 if anything is. tools/check_files.allow holds the exceptions, one a
line: file, rule (lines, function, licence, marks), reason.
"""
import ast
import os
import pathlib
import re
import sys

import checking

MAX_LINES = 400
MAX_FUNCTION_LINES = 60
SUFFIXES = {".cpp", ".h", ".c", ".py", ".sh", ".cmake"}
NAMES = {"CMakeLists.txt", "Makefile", "dev"}
OUR_HIDDEN_FOLDERS = {".ci"}
USER_LICENCE = "SPDX-License-Identifier: Apache-2.0"
KERNEL_LICENCE = "SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause"
MARKS = re.compile(r"\bTODO\b|\bFIXME\b|\bXXX\b|keep in sync", re.IGNORECASE)
# A definition begins in the first column: code inside namespaces is not indented, members of classes are left out.
C_FUNCTION = re.compile(r"(?!namespace|struct|class|union|enum|extern)[A-Za-z_].*\)[^;=]*$")
TABLE_ROW = re.compile(r"\s+\{.*\},?$")


def is_kernel_side(path):
    return path.startswith("bpf/") or path.endswith((".bpf.c", ".bpf.h", ".event.h", ".sock.h"))


def check_length(_path, lines):
    if len(lines) > MAX_LINES:
        yield 1, f"{len(lines)} lines; at most {MAX_LINES}"


def check_licence(path, lines):
    head = "\n".join(lines[:3])
    # Headers of src/ that the kernel side includes have its licence.
    either = path.startswith("src/") and path.endswith(".h")
    wanted = (USER_LICENCE, KERNEL_LICENCE) if either else (KERNEL_LICENCE if is_kernel_side(path) else USER_LICENCE,)
    if not any(licence in head for licence in wanted):
        yield 1, f"the first lines do not say {wanted[0]}"


def check_marks(_path, lines):
    for number, line in enumerate(lines, 1):
        if match := MARKS.search(line):
            yield number, f'"{match[0]}": say what is, finish it, or open an issue'


def c_functions(lines):
    """(first line, number of lines) of the functions of a C or C++ file, as far as its layout tells. Rows of tables do
    not count: a test with many cases is long, not complicated."""
    start, rows = None, 0
    for number, line in enumerate(lines, 1):
        rows += TABLE_ROW.match(line) is not None
        if line == "}" and start:
            yield start, number - start + 1 - rows
            start = None
        elif line.rstrip() == "{" and start is None and number > 1 and C_FUNCTION.match(lines[number - 2]):
            start, rows = number - 1, 0
        elif line.rstrip().endswith("{") and not line.rstrip().endswith("= {") and C_FUNCTION.match(line.rstrip()[:-1]):
            start, rows = number, 0


def python_functions(lines):
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.FunctionDef):
            yield node.lineno, node.end_lineno - node.lineno + 1


def check_functions(path, lines):
    if path.endswith((".cpp", ".h", ".c")):
        functions = c_functions(lines)
    elif path.endswith(".py"):
        functions = python_functions(lines)
    else:
        return
    for start, length in functions:
        if length > MAX_FUNCTION_LINES:
            yield start, f"a function of {length} lines; at most {MAX_FUNCTION_LINES}"


CHECKS = {"lines": check_length, "licence": check_licence, "marks": check_marks, "function": check_functions}


def source_files(root):
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders
                            if (not name.startswith(".") or name in OUR_HIDDEN_FOLDERS)
                            and not name.startswith("build-") and name not in ("build", "__pycache__"))
        for name in sorted(files):
            path = pathlib.Path(folder, name)
            if path.suffix in SUFFIXES or name in NAMES or path.parent.name == ".ci":
                yield path


def allowed(root):
    """The exceptions: {(file, rule)}. A line without a reason is an error of its own."""
    exceptions = set()
    file = root / "tools/check_files.allow"
    for number, line in enumerate(file.read_text().splitlines() if file.exists() else (), 1):
        words = line.split(maxsplit=2)
        if not words or words[0].startswith("#"):
            continue
        if len(words) < 3 or words[1] not in CHECKS:
            sys.exit(f"{file}:{number}: a line is: file, one of {', '.join(CHECKS)}, reason")
        if not (root / words[0]).exists():
            sys.exit(f"{file}:{number}: there is no {words[0]}")
        exceptions.add((words[0], words[1]))
    return exceptions


def complaints(root):
    exceptions = allowed(root)
    for file in source_files(root):
        path = file.relative_to(root).as_posix()
        lines = file.read_text(errors="replace").splitlines()
        for rule, check in CHECKS.items():
            if (path, rule) in exceptions:
                continue
            for number, what in check(path, lines):
                yield f"{path}:{number}: {rule}: {what}"


if __name__ == "__main__":
    checking.start(__doc__, complaints)
