# SPDX-License-Identifier: Apache-2.0
"""Containers of a real Podman: their connections have the container's id and name from the first packet on. Witnesses: what
`podman run --cidfile` wrote, the names that it was given, the positions of the ring, and the server's own count."""
import json
import pathlib

import netns
from podman import Podman
from ring import Ring

ALONE = "uses the machine's containers"
PORT = 7000
BACKLOG = 64


def server(net, place):
    """Sends a byte to whoever connects, and closes."""
    place.popen([netns.require("ncat"), "-lk", "-m", str(BACKLOG), "127.0.0.1", str(PORT), "-c", "echo x"])
    place.wait_listen(PORT)


def connect(times=1):
    return "; ".join([f"nc 127.0.0.1 {PORT} </dev/null >/dev/null"] * times)


def is_client(event):
    return event["rport"] == PORT


def of_containers(events):
    """The events of clients, by the container that they say they are of."""
    found = {}
    for event in filter(is_client, events):
        found.setdefault(event.get("container"), []).append(event)
    return found


def states(events):
    return [(event["old_state"], event["new_state"]) for event in events]


def expect_named(run, podman, made):
    """Each container that was made has one whole connection in the stream, named in each of its events."""
    found = of_containers(run.events)
    assert set(found) == set(made), (sorted(map(str, found)), made)
    for number, name in made.items():
        events = found[number]
        assert {(event.get("container_name"), event.get("container_image")) for event in events} == {(name, podman.image)}, events
        assert len({event["cookie"] for event in events}) == 1, events
        assert states(events)[0] == ("CLOSE", "SYN_SENT") and states(events)[1] == ("SYN_SENT", "ESTABLISHED"), states(events)
        assert events[-1]["new_state"] in ("CLOSE", "TIME_WAIT"), states(events)
        life_ms = (events[-1]["timestamp_ns"] - events[0]["timestamp_ns"]) / 1e6
        print(f"{name}: {len(events)} events in {life_ms:.1f} ms, each with id, name and image")


def test_short_containers_are_named_from_their_first_packet(net):
    """Containers that connect once, the first thing they do, and are gone."""
    podman, place = Podman(net), net.namespace("one")
    server(net, place)
    recording = net.folder() / "run.rec"
    sockeye = net.sockeye("states", "--netns", place.inode, "--record", recording)
    made = dict(podman.container(place, connect(), "--rm") for _ in range(5))
    run = sockeye.stop()
    expect_named(run, podman, made)
    number, name = next(iter(made.items()))
    replayed = net.host.run([netns.program_of("SOCKEYE"), "replay", recording, "--json", "--container", name]).stdout
    events = [json.loads(line) for line in replayed.splitlines()]
    assert events and {event["container"] for event in events} == {number}, events
    assert events == [event for event in run.events if event.get("container") == number]


def test_a_container_that_lives_half_a_second(net):
    podman, place = Podman(net), net.namespace("one")
    server(net, place)
    sockeye = net.sockeye("states", "--netns", place.inode)
    made = dict([podman.container(place, f"{connect()}; usleep 500000")])
    expect_named(sockeye.stop(), podman, made)


def test_a_container_by_its_name(net):
    """The filter is in place before the container's first process runs: one that is not wanted puts nothing into the
    ring, one that is wanted loses nothing."""
    podman, place = Podman(net), net.namespace("one")
    server(net, place)
    other, wanted = podman.new_name(), podman.new_name()
    sockeye = net.sockeye("states", "--container", wanted)
    ring = Ring(net, sockeye)
    podman.container(place, connect(3), "--rm", name=other)
    assert ring.written == 0, f"{ring.written} bytes of a container that is not wanted"
    number, name = podman.container(place, connect(3), "--rm", name=wanted)
    run = sockeye.stop()
    events = of_containers(run.events)
    assert set(events) == {number} and {event["container_name"] for event in events[number]} == {name}, events
    assert len({event["cookie"] for event in events[number]}) == 3, events
    assert states(events[number]).count(("CLOSE", "SYN_SENT")) == 3, events


def test_names_that_only_the_daemon_tells(net):
    """Podman keeps its files where sockeye does not look: its API is asked, and nobody waits for it."""
    socket = pathlib.Path("/run/podman/podman.sock")
    if socket.exists():
        netns.skip(f"{socket} is somebody else's")
    socket.parent.mkdir(exist_ok=True)
    podman, place = Podman(net, net.folder()), net.namespace("one")
    server(net, place)
    net.on_exit(lambda: socket.unlink(missing_ok=True))
    net.host.popen([*podman.command, "system", "service", "--time", "0", f"unix://{socket}"])
    netns.wait_until(socket.exists, "the API of Podman", 60)
    sockeye = net.sockeye("states", "--netns", place.inode)
    number, name = podman.container(place, f"while :; do {connect()}; usleep 100000; done", "--detach")
    first = sockeye.wait_for(is_client)
    assert first["container"] == number, first
    named = sockeye.wait_for(lambda event: is_client(event) and "container_name" in event, 60)
    assert (named["container"], named["container_name"], named["container_image"]) == (number, name, podman.image), named
    told = json.loads(net.host.run([netns.program_of("SOCKEYE"), "doctor", "--json"], check=False).stdout)
    runtime, = (entry for entry in told["machine"]["container_runtimes"] if entry["api"] == str(socket))
    assert runtime["runtime"].startswith("podman") and runtime["api_problem"] is None, runtime
    podman.run("rm", "--force", "--time", "0", name)
    sockeye.stop()
