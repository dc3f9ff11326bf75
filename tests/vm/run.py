#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the privileged scenarios on other kernels, in test machines.

usage: tests/vm/run.py [--short] [--list] [MACHINE] [REGEX]
MACHINE is a kernel (5.10, 6.1, 6.1-rt, 6.12) or one with something taken from it (6.12-confidentiality, ...; --list names them);
without one all of them run, one after the other. REGEX: only scenarios whose names match. --short: the few that tell most,
on one kernel.

The scenarios are those that ctest has for this host. What came back is compared with them: one without an exit code has
failed, and so has one that skipped, unless skips.py says that this machine cannot run it. The last line is

    N passed, N failed, N skipped
"""
import argparse
import collections
import json
import pathlib
import re
import shutil
import signal
import sys

import kernels
import machine
import skips

# How much slower than the host: it has no KVM. Time limits of scenarios are multiplied with it (tests/netns/netns.py).
SLOW = 10
COLUMNS = 1000  # of a line that is shown; the whole is in build-vm/run-<machine>/
LIMIT_S = 1600  # a scenario; more than run_one.py gives it

Variant = collections.namedtuple("Variant", "series arguments hide options scenarios")

# What the product is for, where a whole list would say nothing more.
MAIN = (r"netns\.(states\.|states_owner\.|states_idle\.|states_replay\.|states_sharing\.|states_delay\.|counts|who\.|doctor\.|attach_methods\.)")
# Where spinlocks are mutexes.
REALTIME = MAIN.removesuffix(")") + r"|connections\.|states_parent\.|states_load\.|attach\.|budget\.all)"
# What the kernel says when something was done where it must not be. That it made no headway is said of slow machines, too.
COMPLAINT = re.compile(r"BUG: (?!soft lockup|workqueue lockup).*|sleeping function called from invalid context.*|"
                       r"scheduling while atomic.*")
MACHINES = {
    "5.10": Variant("5.10", "", ("cgroup2-alone",), "", ""),
    "6.1": Variant("6.1", "", (), "", ""),
    "6.1-rt": Variant("6.1-rt", "", (), "", REALTIME),
    "6.12": Variant("6.12", "", (), "", ""),
    "6.12-confidentiality": Variant("6.12", "lockdown=confidentiality", (), "", MAIN),
    "6.12-notracefs": Variant("6.12", "", ("tracefs",), "", MAIN),
    "6.12-btf": Variant("6.12", "", ("btf",), "--btf /run/kernel.btf", MAIN),
}
SHORT = "6.1", (r"netns\.attach_methods\.as_written_down", r"netns\.states\.curl_and_nginx", r"netns\.states\.reset",
                r"netns\.states_delay\.owners_ipv4", r"netns\.states_idle\..*", r"netns\.states_replay\.a_snapshot",
                r"netns\.counts\.fin_wait2_without_a_socket", r"netns\.who\.listen_and_filters",
                r"netns\.budget\.all_with_full_filters")

Result = collections.namedtuple("Result", "name what why seconds output")


def scenarios(regex):
    """What ctest would run on this host: a list of {"name", "command", "environment"}."""
    told = kernels.run(["ctest", "--test-dir", kernels.ROOT / "build", "-N", "-L", "^netns$", "--show-only=json-v1"])
    found = []
    for test in json.loads(told)["tests"]:
        properties = {entry["name"]: entry["value"] for entry in test["properties"]}
        command = ["python3", *test["command"][1:]]  # the machine's own, wherever this host has it
        environment = dict(word.split("=", 1) for word in properties.get("ENVIRONMENT", ()))
        if re.search(regex, test["name"]):
            found.append({"name": test["name"], "command": command, "environment": environment})
    return found


def judge(name, told, machine_name):
    """The Result of a scenario from what the machine told of it, which is None if it told nothing."""
    if told is None:
        return Result(name, "failed", "no exit code: the machine ended first", 0, "")
    code, seconds, output = told["code"], told["seconds"], told["output"]
    if code == 0:
        return Result(name, "passed", "", seconds, output)
    if code == 77:
        reason = re.search(r"^SKIP: (.*)$", output, re.MULTILINE)
        reason = reason[1] if reason else "it gave no reason"
        if skips.allowed(name, machine_name):
            return Result(name, "skipped", reason, seconds, output)
        return Result(name, "failed", f"skipped, which it must not here: {reason}", seconds, output)
    return Result(name, "failed", "it did not end" if code is None else f"exit code {code}", seconds, output)


def snapshot(folder, wanted):
    """What the scenarios read of the project, as it is now: they run for a while."""
    for part in ("tests", "collectors", "docs"):
        shutil.copytree(kernels.ROOT / part, folder / part)
    for program in {value for scenario in wanted for value in scenario["environment"].values()}:
        copy = folder / pathlib.Path(program).relative_to(kernels.ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(program, copy)


def run_once(name, wanted, folder):
    """What one machine told of these scenarios, by name; shown as it comes."""
    variant = MACHINES[name]
    environment = {"SOCKEYE_SLOW": str(SLOW), "SOCKEYE_OPTIONS": variant.options, "SOCKEYE_MACHINE": name}
    job = {"environment": environment, "limit": LIMIT_S, "scenarios": wanted}
    told = {}
    for entry in machine.boot(kernels.kernel(variant.series), job, folder, variant.arguments, variant.hide):
        if not entry:
            continue
        told[entry["name"]] = entry
        result = judge(entry["name"], entry, name)
        print(f"{name} {result.what} {result.name} {result.seconds} s", flush=True)
        (folder / f"{result.name}.txt").write_text(result.output, encoding="utf-8")
        if result.what == "failed":
            print("\n".join(line[:COLUMNS] for line in result.output.splitlines()), flush=True)
    return told


def complaints(console):
    """What its kernel found fault with, by what a machine printed."""
    return [line for line in console.splitlines() if COMPLAINT.search(line)]


def run_machine(name, wanted):
    """The Results of one kind of machine, in the order of `wanted`. One that ends early has failed the scenario that ran;
    another takes on what is left. What the kernel itself complains of is a failure."""
    option = MACHINES[name].options.split(" ")[0]
    if option not in kernels.run([kernels.ROOT / "build/sockeye", "states", "--help"]):
        raise kernels.Missing(f"this sockeye has no option {option}")
    kernel = kernels.kernel(MACHINES[name].series)
    print(f"---- {name}: {kernel.package}, {len(wanted)} scenarios", flush=True)
    folder = kernels.HOME / f"run-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    snapshot(folder / "project", wanted)
    told, left, faults = {}, list(wanted), []
    while left:
        some = run_once(name, left, folder)
        faults += complaints((folder / "console").read_text(encoding="utf-8", errors="replace"))
        left = [scenario for scenario in left if scenario["name"] not in some]
        told |= some
        if left:
            with open(folder / "console", encoding="utf-8", errors="replace") as console:
                print(f"{name}: the machine ended in {left[0]['name']}. The end of its console:\n" + "".join(console.readlines()[-40:]))
            if not some:
                break
            left.pop(0)
    words = f"{len(faults)} times: {faults[0][:COLUMNS]}" if faults else ""
    return [judge(scenario["name"], told.get(scenario["name"]), name) for scenario in wanted] + [
        Result("the kernel's own words", "failed" if faults else "passed", words, 0, "\n".join(faults))]


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that machines are ended
    parser = argparse.ArgumentParser(usage="./dev vm-test [--short] [--list] [MACHINE] [REGEX]")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    names, regex = list(MACHINES), ""
    if options.short:
        names, regex = [SHORT[0]], f"^({'|'.join(SHORT[1])})$"
    if options.words and options.words[0] in MACHINES:
        names = [options.words.pop(0)]
    if options.words:
        regex = options.words.pop(0)
    if options.words or (regex and not options.short and regex[0].isdigit()):
        parser.error(f"there are the machines {' '.join(MACHINES)}")
    if options.list:
        print("\n".join(names))
        return 0

    counted = collections.Counter()
    told = []
    for name in names:
        wanted = [scenario for scenario in scenarios(regex) if re.search(MACHINES[name].scenarios, scenario["name"])]
        try:
            results = run_machine(name, wanted)
        except kernels.Missing as problem:
            results = [Result("all scenarios", "skipped", str(problem), 0, "")]
        counted.update(result.what for result in results)
        told += [f"{result.what} {name} {result.name}: {result.why}" for result in results if result.why]
    print()
    for line in sorted(told, reverse=True):
        print(line)
    print(", ".join(f"{counted[what]} {what}" for what in ("passed", "failed", "skipped")))
    return 1 if counted["failed"] or not counted["passed"] + counted["skipped"] else 0


if __name__ == "__main__":
    sys.exit(main())
