#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What this program and another, as of an earlier commit, leave of the throughput of connections, in interleaved runs.
They are opened, used and closed flat out over loopback. Both programs are built before.

usage: tests/evidence/cost.py OTHER_PROGRAM [PAIRS] [COLLECTORS]
Prints what each keeps of the throughput without any, and the ratio of the two, as bench/figures.py writes figures: median, its
confidence interval, smallest and largest. OTHER_PROGRAM may be a copy of build/sockeye: that shows what the machine's noise is.
"""
import os
import pathlib
import random
import signal
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/netns"), str(ROOT / "bench")]
import figures  # pylint: disable=wrong-import-position
import netns  # pylint: disable=wrong-import-position
from ready import start_ready  # pylint: disable=wrong-import-position
from workload import set_sysctl, start_load  # pylint: disable=wrong-import-position

CONNECTIONS = 25_000
ADDRESS, PORT = "127.0.0.1", 7777


def rate(net, place, program, collectors):
    """Connections per second beside this program; None: beside none."""
    sockeye = None
    if program:
        words = [program, "trace", collectors, "--format", "line"]
        with open(os.devnull, "w", encoding="ascii") as nowhere:
            sockeye = start_ready(lambda fd: net.host.popen([*words, "--ready-fd", fd], pass_fds=[fd], stdout=nowhere))
    server = start_load(place, "server", "--addr", ADDRESS, "--port", PORT)
    began = time.monotonic()
    client = place.load("client", "--addr", ADDRESS, "--port", PORT, "--connections", CONNECTIONS)
    assert client.wait(100) == 0, client.stderr
    took = time.monotonic() - began
    server.stop()
    if sockeye:
        sockeye.stop(signal.SIGINT)
    return CONNECTIONS / took


def main(other, pairs, collectors):
    os.environ.setdefault("SOCKEYE_LOAD", str(ROOT / "build/sockeye_load"))
    programs = {"none": None, "other": other, "this": str(ROOT / "build/sockeye")}
    net = netns.Net()
    ratios = {"other kept": [], "this kept": [], "this/other": []}
    try:
        place = net.namespace("cost")
        for name, value in (("ip_local_port_range", "1024 65535"), ("tcp_max_tw_buckets", 8192), ("tcp_tw_reuse", 1)):
            set_sysctl(place, f"net/ipv4/{name}", value)
        for pair in range(pairs):
            order = list(programs)
            random.shuffle(order)
            rates = {name: rate(net, place, programs[name], collectors) for name in order}
            ratios["other kept"].append(rates["other"] / rates["none"])
            ratios["this kept"].append(rates["this"] / rates["none"])
            ratios["this/other"].append(rates["this"] / rates["other"])
            print(f"pair {pair + 1}: " + ", ".join(f"{name} {rates[name]:.0f}/s" for name in programs), flush=True)
    finally:
        net.close()
    for name, values in ratios.items():
        print(f"{name}: {figures.text(values, 3)}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 15, sys.argv[3] if len(sys.argv) > 3 else "states")
    sys.exit(0)
