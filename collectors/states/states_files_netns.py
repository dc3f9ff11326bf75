# SPDX-License-Identifier: Apache-2.0
"""The files of --log-file and --record: what is opened and what is refused, at the start and at SIGHUP; closed
descriptors; files that two outputs, or two runs, want. Witnesses: the files themselves, exit codes."""
import os
import pathlib
import shutil
import signal

import netns
from puppet import Puppet
from ready import start_ready
from states_tools import ROOM, events_of, small_disk
from workload import run_load

PORT = 7000
USAGE, NOT_PERMITTED = 2, 3
NOBODY = 65534


def run_sockeye(net, *words, place=None):
    return (place or net.host).run([netns.program_of("SOCKEYE"), *words], check=False)


# ---- what somebody else put there ----

def a_link(path, treasure):
    path.symlink_to(treasure)


def a_link_to_nothing(path, treasure):
    path.symlink_to(treasure.parent / "new")


def a_hard_link(path, treasure):
    path.hardlink_to(treasure)


def a_file_of_nobody(path, _):
    path.write_text("")
    os.chown(path, NOBODY, NOBODY)


def a_file_for_all(path, _):
    path.write_text("")
    path.chmod(0o606)


def a_fifo(path, _):
    os.mkfifo(path)


def a_fifo_of_nobody(path, _):
    os.mkfifo(path)
    os.chown(path, NOBODY, NOBODY)


TRAPS = {a_link: "a symbolic link", a_link_to_nothing: "a symbolic link", a_hard_link: "2 names", a_file_of_nobody: "another user",
         a_file_for_all: "everybody may write", a_fifo: "nobody reads this pipe", a_fifo_of_nobody: "nobody reads this pipe"}


class Place:
    """A directory that nobody owns, with root's treasure beside it, at which nothing may change."""

    def __init__(self, net):
        folder = net.folder()
        folder.chmod(0o755)
        self.treasure = folder / "treasure"
        self.treasure.write_text("root's")
        self.theirs = folder / "theirs"
        self.theirs.mkdir()
        os.chown(self.theirs, NOBODY, NOBODY)
        self.path = self.theirs / "output"
        self._before = self._look()

    def _look(self):
        look = self.treasure.stat()
        return self.treasure.read_text(), look.st_mode, look.st_uid, look.st_mtime_ns

    def check(self):
        assert self._look() == self._before
        assert not (self.treasure.parent / "new").exists(), "made behind a link"

    def content(self):
        return self.path.read_bytes() if self.path.is_file() else b""


def test_traps_at_the_start(net):
    """One clear line, nothing of root's is touched, and nobody is waited for."""
    for make, why in TRAPS.items():
        for option in ("--log-file", "--record"):
            place = Place(net)
            make(place.path, place.treasure)
            done = run_sockeye(net, "states", option, place.path)
            assert done.code == USAGE and done.stdout == "", (make, done)
            lines = done.stderr.splitlines()
            assert len(lines) == 2 and f"{option} {place.path}: " in lines[0] and why in lines[0], done.stderr
            place.check()


def test_a_fifo_of_somebody_else_that_is_read(net):
    """A reader does not make it root's."""
    place = Place(net)
    a_fifo_of_nobody(place.path, None)
    reading = os.open(place.path, os.O_RDONLY | os.O_NONBLOCK)
    net.on_exit(lambda: os.close(reading))
    done = run_sockeye(net, "states", "--log-file", place.path)
    assert done.code == USAGE and "another user" in done.stderr, done


def test_traps_at_a_rotation(net):
    """The old file is kept and written to, it is said once, and SIGTERM ends the run."""
    one = net.namespace("one")
    for make, why in TRAPS.items():
        place = Place(net)
        sockeye = net.sockeye("states", "--netns", one.inode, "--log-file", place.path)
        old = place.path.rename(f"{place.path}.1")
        make(place.path, place.treasure)
        before = place.content()
        sockeye.process.popen.send_signal(signal.SIGHUP)
        netns.wait_until(lambda sockeye=sockeye: "the old file is kept" in sockeye.process.stderr, "a complaint")
        assert why in sockeye.process.stderr, (make, sockeye.process.stderr)
        Puppet(one).do(f"listen('::1', {PORT}).close()")
        sockeye.wait_for(lambda event: event["event"] == "states")
        run = sockeye.stop()
        assert old.read_text().count("State Change") == len(run.events) == 2, run.events
        assert place.content() == before
        place.check()


# ---- what two want ----

def test_one_file_for_two_outputs(net):
    one = net.namespace("one")
    folder = net.folder()
    done = run_sockeye(net, "states", "--log-file", folder / "both", "--record", folder / "both")
    assert done.code == USAGE and "both" in done.stderr and not (folder / "both").exists(), done
    for option in ("--log-file", "--record"):
        into = netns.Place(net, ["sh", "-c", f'exec "$@" >> {folder}/shown', "sh"])
        done = run_sockeye(net, "states", option, folder / "shown", place=into)
        assert done.code == USAGE and "same file" in done.stderr, done
    net.sockeye("states", "--netns", one.inode, "--log-file", "/dev/null", "--record", "/dev/null").stop()


def test_one_recording_for_two_runs(net):
    """The second is refused, whatever it wants to write there; the first is whole."""
    one = net.namespace("one")
    recording = net.folder() / "recording"
    sockeye = net.sockeye("states", "--netns", one.inode, "--record", recording)
    for option in ("--record", "--log-file"):
        done = run_sockeye(net, "states", option, recording)
        assert done.code == USAGE and "another run of sockeye" in done.stderr, done
    run_load(one, one, "::1", 5)
    sockeye.stop()
    done = run_sockeye(net, "replay", recording, "--json")
    assert done.code == 0 and len(done.stdout.splitlines()) == events_of(one, 5), done.stderr


def test_two_runs_share_a_log_on_a_full_disk(net):
    """Each takes back what it wrote in part, and nothing of the other's: every line is whole."""
    one, two = net.namespace("one"), net.namespace("two")
    folder = net.folder()
    mounted = small_disk(net, folder)
    holder = Puppet(mounted)
    inside = netns.Place(net, [netns.require("nsenter"), f"--mount=/proc/{holder.pid}/ns/mnt", f"--root=/proc/{holder.pid}/root", "--"])
    runs = [net.sockeye("states", "--netns", place.inode, "--log-file", folder / "log", *ROOM, place=inside, lossy=True)
            for place in (one, two)]
    disk = pathlib.Path(f"/proc/{holder.pid}/root{folder}")
    for _ in range(3):
        for place in (one, two):
            run_load(place, place, "127.0.0.1", 100)
    for run in runs:
        run.wait_for(lambda event: event["event"] == "gap")
    (disk / "ballast").unlink()
    for place in (one, two):
        run_load(place, place, "::1", 20)
    with open(disk / "log", encoding="ascii") as log:
        done = [run.stop() for run in runs]
        lines = log.read().split("\n")
    assert lines.pop() == ""
    for line in lines:
        assert line.count("State Change") + line.count(" Gap: ") + line.count(" End: ") == 1, line
        assert line.endswith(")") or " End: " in line, line
    lost = sum(gap["lost"] for run in done for gap in run.gaps)
    events = sum("State Change" in line for line in lines)
    assert lost > 0 and events + lost == sum(len(run.events) for run in done), (events, lost)


# ---- what stays ----

def test_a_run_that_is_refused_leaves_no_files(net):
    folder = net.folder()
    folder.chmod(0o777)
    program = shutil.copy(netns.program_of("SOCKEYE"), folder)
    nobody = netns.Place(net, [netns.require("setpriv"), "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", "--"])
    words = [program, "states", "--log-file", folder / "log", "--record", folder / "recording"]
    assert nobody.run(words, check=False).code == NOT_PERMITTED
    assert os.listdir(folder) == ["sockeye"], os.listdir(folder)
    done = run_sockeye(net, "states", "--log-file", folder / "log", "--record", "/nowhere/recording")
    assert done.code == USAGE and os.listdir(folder) == ["sockeye"], (done, os.listdir(folder))


def test_what_a_file_system_says_at_the_end(net):
    """As NFS does where there is no room left: it is said, and --strict fails."""
    one = net.namespace("one")
    folder = net.folder()
    net.sockeye("states", "--netns", one.inode, "--record", folder / "recording").stop()
    for strict in ([], ["--strict"]):
        argv = [netns.require("strace"), "-f", "-o", "/dev/null", "-P", folder / "log", "-e", "inject=close:error=EDQUOT",
                netns.program_of("SOCKEYE"), "replay", folder / "recording", "--log-file", folder / "log", *strict]
        done = net.host.run(argv, check=False)
        assert done.code == len(strict) and f"{folder}/log: Disk quota exceeded when it was closed" in done.stderr, done


# ---- descriptors that are closed ----

def test_descriptors_that_are_closed(net):
    """What goes to a file is what always goes there, whichever descriptors the run was started without."""
    for number, closed in enumerate(("<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-")):
        one, folder = net.namespace(f"one{number}"), net.folder()
        argv = ["sh", "-c", f'exec "$@" {closed}', "sh", netns.program_of("SOCKEYE"), "states", "--netns", one.inode,
                "--log-file", folder / "log", "--record", folder / "recording", "--ready-fd"]
        sockeye = start_ready(lambda fd, argv=argv: net.host.popen([*argv, fd], pass_fds=[fd]))
        run_load(one, one, "127.0.0.1", 3)
        run_load(one, one, "::1", 3)
        assert sockeye.stop() == 0, (closed, sockeye.stderr)
        lines = (folder / "log").read_text().splitlines()
        assert len(lines) == events_of(one, 6, 4) and all("State Change" in line for line in lines), (closed, lines)
        done = run_sockeye(net, "replay", folder / "recording", "--format", "line")
        assert done.code == 0 and done.stdout.splitlines() == lines, (closed, done.stderr)
