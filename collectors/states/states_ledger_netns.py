# SPDX-License-Identifier: Apache-2.0
"""Two of standard output, --log-file and --record fail at once, each in its way: what was delivered and what was lost
is all there was. Witnesses: what the workload did, and the events that are in all three."""
import collections
import os
import pathlib
import re
import signal

import netns
from ready import start_ready
from states_tools import ROOM, events_of, small_disk
from workload import run_load

PORT = 7000
TOTALS = re.compile(r"sockeye: ([\d,]+) events, ([\d,]+) lost")
FEW, MANY = netns.scaled(50), netns.scaled(600)


def events_in(text):
    return collections.Counter(line for line in text.splitlines() if "State Change" in line and line.endswith(")"))


class Outputs:
    """A run in the line format whose files are on a small disk, or wherever its words say; `disk` is what is on it."""

    def __init__(self, net, *words, onto_disk="", **popen):
        self.net = net
        self.place = net.namespace("one")
        folder = net.folder()
        mounted = small_disk(net, folder, out=onto_disk)
        argv = [netns.program_of("SOCKEYE"), "states", "--format", "line", "--netns", self.place.inode, *ROOM,
                *(str(word).replace("DISK", str(folder)) for word in words), "--ready-fd"]
        self.process = start_ready(lambda fd: mounted.popen([*argv, fd], pass_fds=[fd], **popen))
        self.disk = pathlib.Path(f"/proc/{self.process.pid}/root{folder}")
        self._connections = self._loads = 0

    def load(self, connections):
        for address in ("127.0.0.1", "::1"):
            run_load(self.place, self.place, address, connections)
            self._connections += connections
            self._loads += 1

    def file(self, name):
        """Opened while the disk is there, which is as long as the run."""
        return open(self.disk / name, "rb")

    def replayed(self, recording):
        copy = self.net.folder() / "recording"
        copy.write_bytes(recording.read())
        return self.net.host.run([netns.program_of("SOCKEYE"), "replay", copy, "--format", "line"], check=False).stdout

    def stop_and_check(self, read):
        """read(): the texts of all outputs, whole."""
        assert self.process.stop(signal.SIGINT) == 0, self.process.stderr
        texts = read()
        delivered, lost = (int(number.replace(",", "")) for number in TOTALS.search(self.process.stderr).groups())
        in_all = events_in(texts[0])
        for text in texts[1:]:
            in_all &= events_in(text)
        in_each = [sum(events_in(text).values()) for text in texts]
        truth = events_of(self.place, self._connections, 2 * self._loads)
        print(f"{truth} events, {delivered} delivered, {lost} lost; in the outputs {in_each}, in all {in_all.total()}")
        assert delivered + lost == truth, self.process.stderr
        assert delivered == in_all.total() and 0 < lost, self.process.stderr
        assert sum(events < truth for events in in_each) >= 2, "two did not fail"


def test_the_log_and_the_recording_on_a_full_disk(net):
    run = Outputs(net, "--log-file", "DISK/log", "--record", "DISK/recording")
    run.load(FEW)
    run.load(MANY)
    netns.wait_until(lambda: run.process.stderr.count("No space left on device") == 2, "two full outputs")
    (run.disk / "ballast").unlink()
    run.load(FEW)
    with run.file("log") as log, run.file("recording") as recording:
        run.stop_and_check(lambda: [run.process.stdout, log.read().decode(), run.replayed(recording)])


def test_standard_output_on_a_full_disk_and_a_log_without_a_reader(net):
    fifo = net.folder() / "fifo"
    os.mkfifo(fifo)
    first = os.fdopen(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK), "rb")
    run = Outputs(net, "--log-file", fifo, onto_disk="out")
    run.load(3)
    netns.wait_until(lambda: (run.disk / "out").read_text().count("State Change") >= 60, "events")
    text = first.read().decode()
    first.close()
    run.load(MANY)
    netns.wait_until(lambda: "No space left on device" in run.process.stderr and
                     "nobody reads it any more" in run.process.stderr, "two that fail")
    (run.disk / "ballast").unlink()
    with os.fdopen(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK), "rb") as second, run.file("out") as out:
        run.load(3)
        run.stop_and_check(lambda: [out.read().decode(), text + second.read().decode()])


def test_standard_output_that_is_not_read_and_a_recording_on_a_full_disk(net):
    reading, writing = os.pipe()
    run = Outputs(net, "--record", "DISK/recording", stdout=writing)
    os.close(writing)
    run.load(FEW)
    run.load(MANY * 4)
    with run.file("recording") as recording, os.fdopen(reading, "rb") as out:
        run.stop_and_check(lambda: [out.read().decode(), run.replayed(recording)])
