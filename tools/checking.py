# SPDX-License-Identifier: Apache-2.0
"""What the check_*.py share: how they are started, and how they say what is wrong."""
import pathlib
import sys


def report(complaints):
    """Prints each complaint, which begins with its place (file:line); the exit code: 1 if there was one."""
    found = 0
    for complaint in complaints:
        print(complaint)
        found += 1
    return 1 if found else 0


def start(usage, main):
    """Ends the program with the exit code of main(root); the root is its only word, or else the tree it lies in."""
    if len(sys.argv) > 2:
        sys.exit(usage)
    sys.exit(main(sys.argv[1] if len(sys.argv) == 2 else pathlib.Path(__file__).parent.parent))
