# SPDX-License-Identifier: Apache-2.0
"""`execs`: what the process table and the parents of processes say of programs that were started."""
import os
import shutil
import subprocess
import sys

import netns

NAME = "sockeye-exec"


def installed(net, name):
    """`true` under a name of the scenario's own."""
    return shutil.copy(netns.require("true"), net.folder() / name)


def start(argv, **options):
    """The number of a process that ran this to its end."""
    with subprocess.Popen([str(word) for word in argv], **options) as process:
        assert process.wait(netns.patience(10)) == 0
    return process.pid


def of_path(run, program):
    return [event for event in run.events if event["path"] == str(program)]


def test_each_program(net):
    program = installed(net, NAME)
    sockeye = net.sockeye("execs", "--comm", NAME[:15])
    pids = [start([program, "a", "secret"]) for _ in range(50)]
    mine = of_path(sockeye.stop(), program)
    assert [event["pid"] for event in mine] == pids, mine
    for event in mine:
        assert (event["comm"], event["ppid"], event["uid"]) == (NAME, os.getpid(), 0), event
        assert event["owner_source"] == "itself" and "laddr" not in event and "task_pid" not in event, event
        assert "secret" not in str(event), event


def test_a_script_and_who_runs_it(net):
    """The path is the script's, and each program that one process runs after the other is an event of the same process."""
    program = installed(net, NAME)
    script = net.folder() / "script"
    script.write_text(f"#!/bin/sh\nexec {program}\n", encoding="ascii")
    script.chmod(0o755)
    sockeye = net.sockeye("execs")
    pid = start([script])
    run = sockeye.stop()
    mine = [event for event in run.events if event["pid"] == pid]
    assert [event["path"] for event in mine] == [str(script), str(program)], mine
    assert [event["comm"] for event in mine] == ["script", NAME], mine


def test_filters_about_processes(net):
    program = installed(net, NAME)
    nobody = [netns.require("setpriv"), "--reuid", "65534", "--clear-groups", "--"]
    os.chmod(os.path.dirname(program), 0o755)
    runs = {words: net.sockeye("execs", *words) for words in (("--uid", "65534"), ("--uid", "!65534"), ("--comm", NAME))}
    as_root, as_nobody = start([program]), start([*nobody, program])
    told = {words: [event["pid"] for event in of_path(run.stop(), program)] for words, run in runs.items()}
    assert list(told.values()) == [[as_nobody], [as_root], [as_root, as_nobody]], told


def test_filters_about_sockets(net):
    """They are refused where nothing could match, and leave out these events among those of sockets."""
    sockeye = netns.program_of("SOCKEYE")
    for words in (("--port", "80"), ("--netns", "1"), ("-4",), ("--direction", "in"), ("--ip", "::1")):
        done = net.host.run([sockeye, "execs", *words], check=False)
        assert done.code == 2 and "socket" in done.stderr, (words, done)
    program = installed(net, NAME)
    both = net.sockeye("trace", "execs,states", "--port", "7")
    excluding = net.sockeye("trace", "execs,states", "--port", "!7", "--comm", NAME)
    pid = start([program])
    assert of_path(both.stop(), program) == []
    assert [event["pid"] for event in of_path(excluding.stop(), program)] == [pid]


def test_among_connections(net):
    """In one run, in order of time: a program runs before it connects."""
    place = net.namespace("one")
    code = "import socket; l = socket.create_server(('127.0.0.1', 9000)); socket.create_connection(l.getsockname())"
    sockeye = net.sockeye("trace", "execs,connections")
    process = place.popen([sys.executable, "-c", code])
    assert process.wait() == 0, process.stderr
    run = sockeye.stop()
    mine = [event["event"] for event in run.events if event["pid"] == process.pid]
    assert set(mine) == {"execs", "connections"} and mine == sorted(mine, reverse=True), mine


def test_recorded_and_replayed(net):
    """In every format byte for byte, and by filters about processes."""
    program = installed(net, NAME)
    sockeye = netns.program_of("SOCKEYE")
    for shown in ("line", "json", "table"):
        recording = net.folder() / shown
        run = net.sockeye("execs", "--comm", NAME, "--format", shown, "--record", recording)
        pids = [start([program]) for _ in range(3)]
        run.stop()
        file = run.process.stdout_file.fileno()
        live = os.pread(file, os.fstat(file).st_size, 0)
        replayed = net.host.run([sockeye, "replay", recording, "--format", shown, "--end-record"]).stdout
        assert replayed.encode() == live and str(program) in replayed, (replayed, live)
        one = net.host.run([sockeye, "replay", recording, "--format", "json", "--pid", str(pids[1])]).stdout
        assert [event["pid"] for event in netns.parse_lines(one.splitlines())] == [pids[1]], one
        none = net.host.run([sockeye, "replay", recording, "--format", "json", "--port", "80"]).stdout
        assert none == "", none
