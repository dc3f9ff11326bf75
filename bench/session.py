# SPDX-License-Identifier: Apache-2.0
"""Runs of the workload with and without a tool, in turn."""
import contextlib
import dataclasses
import os
import signal
import subprocess
import tempfile
import time

import kernel_statistics
import netns
import process_figures
import tools
import workload

READY_S = 30
STEP_S = 0.05
QUIET_STEPS = 5          # so many in a row with next to no CPU: nothing is left to do
QUIET_S = 0.001          # of CPU in a step
ROOM_S = 60
STOPS = 3
END_S = 10


class NotUsable(Exception):
    """A tool does not run here; the text says why."""


@dataclasses.dataclass(frozen=True)
class Pair:
    """A run with a tool, and those without before and after it. Each is a dict of figures."""
    before: dict
    run: dict
    after: dict


REASON_WORDS = ("unable", "failed", "cannot", "error", "not ")  # the best first


def last_words(process):
    """Why a tool ended: the line it said that looks most like a reason."""
    said = [line.strip() for line in (process.stderr + "\n" + process.stdout).splitlines() if line.strip()]
    for word in REASON_WORDS:
        for line in said:
            if word in line.lower():
                return line
    return said[-1] if said else "it says nothing"


class Running:
    """A tool that has started: ready when this is made, ended when the context is left."""

    def __init__(self, tool):
        self.tool = tool
        program = tools.path_of(tool.program)
        if not program:
            raise NotUsable("not installed")
        read_end, write_end = os.pipe()
        try:
            ready = ["--ready-fd", write_end] if tool.ready_fd else []
            self.process = netns.Process([program, *tool.argv[1:], *ready], pass_fds=[write_end])
        finally:
            os.close(write_end)
        try:
            self._wait_ready(read_end)
        except BaseException:
            self.process.end()
            raise
        finally:
            os.close(read_end)
        self.ready_cpu = self.cpu()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.end()

    def cpu(self):
        return process_figures.cpu_seconds(self.process.pid)

    def _wait_ready(self, fd):
        if self.tool.ready_fd:
            if not workload.read_byte(fd, READY_S):
                raise NotUsable(last_words(self.process))
            return
        deadline = time.monotonic() + READY_S
        while not (self._is_alive() and kernel_statistics.programs_of(self.process.pid)):
            if time.monotonic() > deadline:
                raise NotUsable(f"no program of it after {READY_S} s")
            time.sleep(STEP_S)
        self.wait_quiet()  # what it still does at its start
        self._is_alive()

    def _is_alive(self):
        if self.process.popen.poll() is not None:
            raise NotUsable(last_words(self.process))
        return True

    def wait_quiet(self):
        """Until it has caught up: it needs next to no CPU any more."""
        deadline = time.monotonic() + ROOM_S
        quiet, last = 0, self.cpu()
        while quiet < QUIET_STEPS and time.monotonic() < deadline and self.process.popen.poll() is None:
            time.sleep(STEP_S)
            now = self.cpu() if self.process.popen.poll() is None else last
            quiet = quiet + 1 if now - last < QUIET_S else 0
            last = now

    def measure(self, work):
        """Figures of the run `work` of the workload under this tool, and of the tool during it."""
        programs = kernel_statistics.programs_of(self.process.pid)
        figures = work()
        self.wait_quiet()
        self._is_alive()
        figures["tool_cpu"] = self.cpu() - self.ready_cpu
        figures["memory"] = process_figures.memory(self.process.pid)
        figures["programs"] = kernel_statistics.difference(programs, kernel_statistics.programs_of(self.process.pid))
        self.finish(figures)
        return figures

    def finish(self, figures):
        """Ends it and adds what it delivered, lost and wrote."""
        self._stop()
        output = self.process.stdout_file
        figures["bytes"] = os.fstat(output.fileno()).st_size
        output.seek(0)
        figures["delivered"] = (self._replayed(output) if self.tool.recording
                                else tools.count_events(self.tool, output))
        output.seek(0)
        said = self.process.stderr.encode()
        if not self.tool.ready_fd:  # peers say it among their output as well
            said += b"".join(line for line in output if b"ost " in line)
        figures["lost"] = tools.count_lost(self.tool, said)
        figures["truth"] = figures.get("connections", 0) * self.tool.per_connection

    def _stop(self):
        for _ in range(STOPS):
            if self.process.popen.poll() is None:
                self.process.popen.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.popen.wait(END_S)
                return
        raise NotUsable(f"it does not end at SIGINT, sent {STOPS} times within {STOPS * END_S} s")

    def _replayed(self, recording):
        """Events in a recording: what replaying it shows."""
        with tempfile.NamedTemporaryFile() as copy, tempfile.TemporaryFile() as shown:
            while chunk := recording.read(1 << 20):
                copy.write(chunk)
            copy.flush()
            subprocess.run([self.tool.program, "replay", copy.name, "--format", "line"], stdout=shown,
                           stderr=subprocess.DEVNULL, check=True, timeout=ROOM_S)
            shown.seek(0)
            return tools.count_events(self.tool, shown)


def turns(wanted, rounds, seldom=(), seldom_rounds=0):
    """The tools of each round, in their order. Each round begins with another one. Those in `seldom` take part in some
    rounds only, evenly spread."""
    for number in range(rounds):
        here = [*wanted, *(seldom if (number * seldom_rounds) % rounds < seldom_rounds else ())]
        turn = number % len(here) if here else 0
        yield here[turn:] + here[:turn]


class Session:
    """The workload and the tools, for all tables of one call."""

    def __init__(self, net, build, quick, say):
        self.net = net
        self.build = build
        self.quick = quick
        self.say = say
        self.workload = workload.Workload(net)
        self.reasons = {}   # by the name of a tool: why it is not usable, or None
        self.left_out = {}  # of the table that is made: why a tool that belongs there is not, by its name
        self.last_failures = {}

    def pick(self, full, quick):
        return quick if self.quick else full

    def why_not(self, tool):
        """Why a tool cannot be used here; None: it can."""
        if tool.name not in self.reasons:
            try:
                with Running(tool):
                    self.reasons[tool.name] = None
            except NotUsable as reason:
                self.reasons[tool.name] = str(reason)
                self.say(f"{tool.name}: {reason}")
        return self.reasons[tool.name]

    def usable(self, wanted):
        for tool in wanted:
            if reason := self.why_not(tool):
                self.left_out[tool.name] = reason
        return [tool for tool in wanted if self.why_not(tool) is None]

    def once(self, tool, work, statistics=False):
        """Figures of one run with a tool."""
        with kernel_statistics.run_times() if statistics else contextlib.nullcontext():
            with Running(tool) as running:
                return running.measure(work)

    def attempt(self, tool, work, statistics=False):
        """The same, or None: a tool that fails once in many runs does not end the others' comparison."""
        try:
            return self.once(tool, work, statistics)
        except NotUsable as reason:
            self.say(f"a run of {tool.name} does not count: {reason}")
            self.last_failures[tool.name] = str(reason)
            return None

    def that_count(self, found):
        """Of {tool: runs}, the tools with any. Of the others the last failure says why."""
        for tool, runs in found.items():
            if not runs:
                self.left_out[tool.name] = self.last_failures.get(tool.name, "none of its runs counts")
        return {tool: runs for tool, runs in found.items() if runs}

    def in_turn(self, wanted, work, rounds, statistics=False):
        """{tool: figures of its runs that count}, one run of each tool a round."""
        found = {tool: [] for tool in wanted}
        for number, here in enumerate(turns(list(wanted), rounds)):
            for tool in here:
                if run := self.attempt(tool, work, statistics):
                    found[tool].append(run)
            self.say(f"round {number + 1} of {rounds}")
        return self.that_count(found)

    def pairs(self, wanted, work, rounds, seldom=(), seldom_rounds=0):
        """{tool: [Pair]}: without, with the first tool, without, with the second, ... as turns() has them."""
        found = {tool: [] for tool in [*wanted, *seldom]}
        work()  # not counted: the first one fills tables and caches
        before = work()
        for number, here in enumerate(turns(list(wanted), rounds, list(seldom), seldom_rounds)):
            for tool in here:
                run = self.attempt(tool, work)
                after = work()
                if run:
                    found[tool].append(Pair(before, run, after))
                before = after
            self.say(f"round {number + 1} of {rounds}")
        return self.that_count(found)
