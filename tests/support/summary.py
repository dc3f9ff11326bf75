#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sums up what ctest wrote with --output-junit: which tests failed, which were skipped and why, and as the last line

    N passed, N failed, N skipped

usage: tests/support/summary.py RESULTS.xml...
Exit code: 1 if a test failed or if none ran.
"""
import os
import re
import sys
import xml.etree.ElementTree as ElementTree

CTEST_SKIPS = ("SKIP_RETURN_CODE", "SKIP_REGULAR_EXPRESSION")


def reason_of_skip(output):
    """What the test itself says: a line `SKIP: reason`, or the text that GTEST_SKIP() << was given."""
    if match := re.search(r"^SKIP: (.*)$", output, re.MULTILINE):
        return match[1]
    if match := re.search(r"^\S+:\d+: Skipped\n(.*?)\n(?:\s*\n|\[ +SKIPPED)", output, re.MULTILINE | re.DOTALL):
        return " ".join(match[1].split())
    return "it gave no reason"


def outcome(case):
    """One of passed, failed, skipped, and why."""
    skipped = case.find("skipped")
    message = skipped.get("message", "") if skipped is not None else ""
    if case.get("status") == "run":
        return "passed", ""
    if case.get("status") == "disabled":
        return "skipped", "it is disabled"
    if message.startswith(CTEST_SKIPS):
        return "skipped", reason_of_skip(case.findtext("system-out") or "")
    failure = case.find("failure")
    return "failed", message or (failure.get("message", "") if failure is not None else "")


def main(files):
    results = {"passed": [], "failed": [], "skipped": []}
    for file in files:
        try:
            cases = ElementTree.parse(file).getroot().iter("testcase")
        except (OSError, ElementTree.ParseError) as error:
            results["failed"].append((os.path.basename(file), f"ctest left no results: {error}"))
            continue
        for case in cases:
            what, why = outcome(case)
            results[what].append((case.get("name"), why))
    print()
    for what in ("skipped", "failed"):
        for name, why in results[what]:
            print(f"{what} {name}: {why}" if why else f"{what} {name}")
    print(", ".join(f"{len(cases)} {what}" for what, cases in results.items()))
    return 1 if results["failed"] or not results["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
