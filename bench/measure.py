#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures sockeye against the least that is possible and against its peers, and writes docs/performance.md.

usage: bench/measure.py [--quick] [--build FOLDER] [TABLE...]
./dev bench builds what is needed and starts this. Without names it makes all tables: peers, throughput, kernel, latency,
start, delay, loss, outputs, collectors, connections, work. What was measured is kept in FOLDER/bench/TABLE.json (build/); a table that is not
named stays as it is in the document. Exit code: 0, or 1 if a table could not be made.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import resource
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests/netns")]
import document  # pylint: disable=wrong-import-position
import mounts  # pylint: disable=wrong-import-position
import netns  # pylint: disable=wrong-import-position
import session as sessions  # pylint: disable=wrong-import-position

MEMORY_FILES = "/dev/shm"  # output goes to memory: no disk is measured
PACKAGES = ("bpftrace", "libbpf-tools", "bpfcc-tools")
FILES = 65536


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def output_of(*argv):
    """Of a command, or "unknown"."""
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip() or "unknown"
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def commit():
    git = ("git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT))
    changed = output_of(*git, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/performance.md")
    return output_of(*git, "rev-parse", "--short", "HEAD") + ("" if changed == "unknown" else " with changes")


def this_machine(options):
    cpu = re.search(r"^model name\s*:\s*(.*)$", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    versions = {name: output_of("dpkg-query", "-W", "-f", "${Version}", name) for name in PACKAGES}
    return {"command": " ".join(["./dev bench", *(["--quick"] if options.quick else []), *options.tables]),
            "quick": options.quick, "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "commit": commit(), "kernel": platform.release(), "machine": platform.machine(), "cpus": os.cpu_count(),
            "model": cpu[1] if cpu else "unknown", "versions": versions, "load": os.getloadavg()[0],
            "memory_gib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)}


def raise_limits():
    """Files for the workload, locked memory for maps on kernels before 5.11; as far as that is allowed."""
    for limit, wanted in ((resource.RLIMIT_NOFILE, FILES), (resource.RLIMIT_MEMLOCK, resource.RLIM_INFINITY)):
        _, hard = resource.getrlimit(limit)
        try:
            resource.setrlimit(limit, (wanted, wanted))
        except (ValueError, OSError):
            resource.setrlimit(limit, (hard, hard))


def make(name, session, options):
    """Measures one table, keeps what was measured and writes the table into the document."""
    say(f"{name}: {document.table(name).TITLE}")
    made = this_machine(options)
    session.left_out.clear()
    data = document.table(name).measure(session)
    result = {"made": made, "left_out": dict(session.left_out), "data": data}
    folder = options.build / "bench"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    file = ROOT / "docs/performance.md"
    file.write_text(document.replaced(file.read_text(encoding="utf-8"), name, json.loads(json.dumps(result))),
                    encoding="utf-8")
    print("\n" + document.section(name, result), flush=True)


def measure_all(options):
    """The names of the tables that could not be made."""
    failed = []
    net = netns.Net()
    try:
        session = sessions.Session(net, options.build, options.quick, say)
        for name in options.tables or document.TABLES:
            try:
                make(name, session, options)
            except (AssertionError, OSError, sessions.NotUsable, subprocess.SubprocessError) as error:
                say(f"{name} could not be made: {error}")
                failed.append(name)
    finally:
        net.close()
    return failed


def parse(words):
    parser = argparse.ArgumentParser(prog="./dev bench", description="Measures sockeye and its peers; docs/performance.md.")
    parser.add_argument("--quick", action="store_true", help="few and short runs: minutes, and no figures to go by")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help=argparse.SUPPRESS)
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=", ".join(document.TABLES))
    options = parser.parse_args(words)
    for name in options.tables:
        if name not in document.TABLES:
            parser.error(f"there is no table {name}: {', '.join(document.TABLES)}")
    return options


def main(words):
    options = parse(words)
    if os.geteuid() != 0:
        sys.exit("bench: needs root: sudo ./dev bench")
    os.environ["SOCKEYE_LOAD"] = str(options.build / "sockeye_load")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # where it was ignored, tools would ignore it as well
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: ended by a signal"))
    raise_limits()
    mounts.mount_missing(say)
    netns.remove_leftovers()
    if os.access(MEMORY_FILES, os.W_OK):
        tempfile.tempdir = MEMORY_FILES
    try:
        failed = measure_all(options)
    except KeyboardInterrupt:
        sys.exit("bench: ended by a signal")
    if failed:
        sys.exit("bench: not made: " + ", ".join(failed))


if __name__ == "__main__":
    main(sys.argv[1:])
