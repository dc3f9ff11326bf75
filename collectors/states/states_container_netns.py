# SPDX-License-Identifier: Apache-2.0
"""`--container`: processes in cgroups that are called as container runtimes call them, made before sockeye starts and
after. Witnesses: a run without filters beside it, the positions of the ring, /proc/PID/cgroup."""
import json
import pathlib
import sys

import netns
from bpf_objects import ids_of, in_kernel
from ring import Ring
from states_filter_netns import Beside
from puppet import Puppet

ALONE = "counts the bytes of all that happens on the machine"
PORT = 7000
OLD, NEW, OTHER, LATE = (letter * 64 for letter in "abcd")
HIERARCHIES = {"cgroup2": "docker-{}.scope", "cgroup": "docker/{}"}  # as Docker's systemd and cgroupfs drivers do


def hierarchy(net, kind):
    """Where v2, or v1 memory, is mounted."""
    for line in pathlib.Path("/proc/self/mounts").read_text(encoding="ascii").splitlines():
        _, point, filesystem, options = line.split()[:4]
        if filesystem == kind and (kind == "cgroup2" or "memory" in options.split(",")):
            return pathlib.Path(point)
    return netns.skip(f"no {kind} hierarchy is mounted")


def remove(cgroup):
    """When the last process has left it, which takes a while."""
    netns.wait_until(lambda: not (cgroup / "cgroup.procs").read_text(encoding="ascii"), f"{cgroup} to be empty")
    cgroup.rmdir()


def make_container(net, name, kind="cgroup2"):
    cgroup = hierarchy(net, kind) / HIERARCHIES[kind].format(name)
    made = [parent for parent in (cgroup.parent, cgroup) if not parent.exists()]
    for folder in made:
        try:
            folder.mkdir()
        except OSError as error:
            netns.skip(f"no cgroup can be made: {error}")
        net.on_exit(lambda folder=folder: remove(folder))
    return cgroup


def puppet_in(cgroup, place):
    puppet = Puppet(place)
    (cgroup / "cgroup.procs").write_text(str(puppet.pid), encoding="ascii")
    assert cgroup.name in pathlib.Path(f"/proc/{puppet.pid}/cgroup").read_text(encoding="ascii")
    return puppet


def work(puppet, times=10):
    """Eight events each time."""
    puppet.do(f"for _ in range({times}): l = listen('127.0.0.1', {PORT}); c = connect('127.0.0.1', {PORT}); "
              "reset(c); l.close()", 30)


def everywhere(net, place, kind):
    """A puppet in each of OLD and OTHER, one in no container, and the cgroups by name."""
    cgroups = {name: make_container(net, name, kind) for name in (OLD, OTHER)}
    return {None: Puppet(place), **{name: puppet_in(cgroup, place) for name, cgroup in cgroups.items()}}


def by_container(net, kind):
    place = net.namespace("one")
    puppets = everywhere(net, place, kind)
    beside = Beside(net, {
        ("--container", OLD[:12]): lambda event: event["pid"] == puppets[OLD].pid,
        ("--container", f"{OLD},{NEW[:5]}"): lambda event: event["pid"] in (puppets[OLD].pid, puppets[NEW].pid),
        ("--container", "!" + OTHER[:12]): lambda event: event["pid"] != puppets[OTHER].pid,
        ("--container", OLD[:3], "--dst-port", str(PORT)):
            lambda event: event["pid"] == puppets[OLD].pid and event["rport"] == PORT,
        ("--container", NEW): lambda event: event["pid"] == puppets[NEW].pid,
        ("--container", "!" + LATE): lambda event: event["pid"] != puppets[LATE].pid,
    })
    for name in (NEW, LATE):
        puppets[name] = puppet_in(make_container(net, name, kind), place)
    for _ in range(3):
        for puppet in puppets.values():
            work(puppet)
    events = beside.compare(place)
    shown = {name: {event.get("container") for event in events if event["pid"] == puppet.pid}
             for name, puppet in puppets.items()}
    assert {name: shown[name] for name in (OLD, OTHER, NEW, LATE)} == {
        name: {name} for name in (OLD, OTHER, NEW, LATE)}, shown


def test_by_container_of_v2(net):
    by_container(net, "cgroup2")


def test_by_container_of_v1(net):
    by_container(net, "cgroup")


def decided(net, sockeye):
    """The ids of the cgroups that the kernel side has a verdict on."""
    maps = in_kernel(net, "map")
    number, = (number for number in ids_of(sockeye.process.pid, "map") if maps[number]["name"].startswith("verdict_by"))
    dump = json.loads(net.host.run([netns.require("bpftool"), "-j", "map", "dump", "id", str(number)]).stdout)
    return {int.from_bytes(bytes(int(byte, 16) for byte in entry["key"][:8]), sys.byteorder) for entry in dump}


def test_a_cgroup_is_decided_before_a_process_is_in_it(net):
    """Nothing of what is not wanted gets into the ring, whether it existed or is new."""
    place = net.namespace("one")
    puppets = everywhere(net, place, "cgroup2")
    sockeye = net.sockeye("states", "--container", OLD)
    ring = Ring(net, sockeye)
    work(puppets[OTHER], 100)
    assert ring.written == 0, "a container that was there at the start"
    late = make_container(net, LATE)
    netns.wait_until(lambda: late.stat().st_ino in decided(net, sockeye), "a verdict on a cgroup that was made")
    puppets[LATE] = puppet_in(late, place)
    work(puppets[LATE], 500)
    assert ring.written == 0, f"{ring.written} bytes of a new container that is not wanted"
    work(puppets[OLD], 1)
    assert ring.written == 8 * 200, ring.written
    run = sockeye.stop()
    assert len(run.events) == 8 and {event["container"] for event in run.events} == {OLD}, run.events


def test_who_in_a_container(net):
    place = net.namespace("one")
    puppets = everywhere(net, place, "cgroup2")
    for number, puppet in enumerate(puppets.values()):
        puppet.do(f"l = listen('127.0.0.1', {PORT + number}); c = connect('127.0.0.1', {PORT + number})")
    for words, expected in (((OLD[:12],), {OLD}), (("!" + OLD,), {OTHER, None}), ((OLD + "," + OTHER,), {OLD, OTHER})):
        done = net.host.run([netns.program_of("SOCKEYE"), "who", "--json", "--netns", place.inode, "--container", *words])
        events = [json.loads(line) for line in done.stdout.splitlines()]
        assert {event["pid"] for event in events if event["pid"]} == {puppets[name].pid for name in expected}, events
        # The accepted half is nobody's yet: it has its listener's owner in `states`, and here none.
        owned = sum(event["pid"] is not None for event in events)
        assert owned == 2 * len(expected), (words, events)
