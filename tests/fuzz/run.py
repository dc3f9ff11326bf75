#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs fuzz targets, one a CPU. What a target prints is kept beside what it begins with, and shown where it fails.

usage: tests/fuzz/run.py BUILD_FOLDER SECONDS TARGET...
Exit code: 0 nothing was found.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

import seeds

LIMITS = ("-max_len=131072", "-timeout=10", "-rss_limit_mb=512", "-print_final_stats=1")
LAST_LINES = 200


def run(build, seconds, target):
    """Whether it found nothing."""
    folder = build / "fuzz" / target
    folder.mkdir(parents=True, exist_ok=True)
    seeds.write(target, folder)
    log = folder.with_suffix(".log")
    with open(log, "w", encoding="utf-8", errors="replace") as said:
        code = subprocess.run([build / target, f"-max_total_time={seconds}", *LIMITS, f"-artifact_prefix={folder}-", folder],
                              stdout=said, stderr=subprocess.STDOUT, check=False).returncode
    text = log.read_text(encoding="utf-8", errors="replace")
    if code != 0:
        print("\n".join(text.splitlines()[-LAST_LINES:]) + f"\nfuzz: {target} failed (all it said: {log})", file=sys.stderr)
        return False
    runs = re.search(r"^stat::number_of_executed_units: *(\d+)", text, re.MULTILINE)
    print(f"fuzz: {target}: {runs[1] if runs else '?'} runs, nothing found", file=sys.stderr, flush=True)
    return True


def main(build, seconds, targets):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return all(list(pool.map(lambda target: run(pathlib.Path(build), seconds, target), targets)))


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    sys.exit(0 if main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]) else 1)
