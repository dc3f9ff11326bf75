#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs one scenario.

usage: tests/netns/run_one.py FILE test_CASE
Environment: SOCKEYE (the program), SOCKEYE_LOAD, SOCKEYE_URING (the workload programs). Exit code: 0 passed, 1 failed,
77 skipped (the reason is on a line that begins with "SKIP: ").
"""
import importlib.util
import pathlib
import signal
import sys
import time
import traceback

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
# What scenarios import: the kit, tests/support, and what those of a collector share, <collector>_tools.
sys.path[:0] = map(str, [HERE, HERE.parent / "support", *sorted(HERE.parents[1].glob("collectors/*/"))])
import netns  # pylint: disable=wrong-import-position
import scenario  # pylint: disable=wrong-import-position

# How often a scenario is run that fails each time while the kernel hides events from every tracing program (guarded.py): such a
# failure need not be sockeye's.
TRIES = 3

ENDINGS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM)

# Less than the TIMEOUT in cmake/tests.cmake: ctest would kill without cleaning up.
LIMIT_S = int(netns.patience(150))


class Ended(BaseException):
    """A signal or the time limit: not an Exception, so that no scenario catches it."""


def on_signal(number, _frame):
    raise Ended(f"no end after {LIMIT_S} s" if number == signal.SIGALRM else f"ended by signal {number}")


def report_failure(net):
    told = traceback.format_exc()
    print(told, file=sys.stderr)
    for process in net.processes:
        if process.stderr not in told:
            print(f"---- {process}: exit code {process.popen.poll()}\n{process.stderr[-4000:]}", file=sys.stderr)


def run(module, case, until):
    """The exit code; None: it failed while events were hidden from it."""
    for number in ENDINGS:
        signal.signal(number, on_signal)
    signal.alarm(max(1, int(until - time.monotonic())))
    net = scenario.Net()
    try:
        netns.remove_leftovers()
        getattr(module, case)(net)
        return 0
    except netns.Skip as reason:
        print(f"SKIP: {reason}")
        return 77
    except Ended:
        report_failure(net)
        return 1
    except Exception:
        report_failure(net)
        hidden = net.hidden.count()
        if not hidden:
            return 1
        print(f"{hidden} events came on top of process 1, where the kernel runs no tracing program", file=sys.stderr)
        return None
    finally:
        signal.alarm(0)
        for number in ENDINGS:
            signal.signal(number, signal.SIG_IGN)
        net.close()


def load(file):
    spec = importlib.util.spec_from_file_location(pathlib.Path(file).stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(file, case):
    try:
        netns.require_root()
        module = load(file)
    except netns.Skip as reason:
        print(f"SKIP: {reason}")
        return 77
    until = time.monotonic() + LIMIT_S
    for _ in range(TRIES):
        code = run(module, case, until)
        if code is not None:
            return code
    return 1


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2]))
