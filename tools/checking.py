# SPDX-License-Identifier: Apache-2.0
"""What the check_*.py share: how they are started, and how they say what is wrong."""
import pathlib
import sys


def report(complaints, root):
    """Prints what complaints(root) yields, each with its place first (file:line); the exit code: 1 if there was any."""
    found = 0
    for complaint in complaints(pathlib.Path(root).resolve()):
        print(complaint)
        found += 1
    return 1 if found else 0


def start(usage, complaints):
    """Reports and ends the program; the root of the tree is its only word, or else the tree it lies in."""
    if len(sys.argv) > 2:
        sys.exit(usage)
    sys.exit(report(complaints, sys.argv[1] if len(sys.argv) == 2 else pathlib.Path(__file__).parent.parent))
