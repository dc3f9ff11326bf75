# SPDX-License-Identifier: Apache-2.0
"""The time of events where sockeye's clock is not the kernel's (a time namespace, as containers have it), and where the
machine gets another time zone while it runs. Witness: the wall clock of this process."""
import datetime
import json
import os
import time

import netns
from own_mounts import mounted
from puppet import Puppet
from scenario import watch

PORT = 7430
AHEAD_S = (0, 864000, -5)  # of the boot clock; more of it than the machine is old cannot be taken away


def in_time_namespace(net, seconds, *fork):
    """A place whose boot clock is so far ahead. Before exec() leads to a time namespace, what is run there is in its
    parent's unless it is forked."""
    unshare = [netns.require("unshare"), "--time", *fork, f"--boottime={seconds}"]
    done = net.host.run([*unshare, "true"], check=False)
    if done.code != 0:
        netns.skip("no time namespaces: " + done.stderr.strip())
    return netns.Place(net, unshare)


def expect_now(told, began, ended):
    """`time` of an event is the wall clock's, between these two; `timestamp_ns` the kernel's own."""
    when = datetime.datetime.fromisoformat(told["time"][:26] + "+00:00").timestamp()
    assert began - 0.01 <= when <= ended + 0.01, (told["time"], began, when, ended)
    age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - told["timestamp_ns"] / 1e9
    assert 0 <= age_s <= time.time() - began + 0.01, (told, age_s)


def test_events_in_a_time_namespace(net):
    place = net.namespace("one")
    puppet = Puppet(place)
    for seconds in AHEAD_S:
        sockeye = watch(net, "states", place, place=in_time_namespace(net, seconds))
        for address in ("127.0.0.1", "::1"):
            began = time.time()
            puppet.do(f"l = listen('{address}', {PORT}); c = connect('{address}', {PORT}); reset(c); l.close()")
            ended = time.time()
            event = sockeye.wait_for(lambda event: event["event"] == "states" and event["new_state"] == "SYN_SENT")
            expect_now(event, began, ended)
        began = time.time()
        expect_now(sockeye.stop().end, began, time.time())


def test_snapshots_in_a_time_namespace(net):
    place = net.namespace("one")
    Puppet(place).do(f"held = [listen('127.0.0.1', {PORT}), listen('::1', {PORT})]")
    for seconds in AHEAD_S:
        for words in (["who", "--netns", place.inode], ["counts"]):
            began = time.time()
            done = in_time_namespace(net, seconds, "--fork").run([netns.program_of("SOCKEYE"), *words, "--json"])
            events = [json.loads(line) for line in done.stdout.splitlines()]
            assert len(events) == (2 if "who" in words else 1), events
            for event in events:
                expect_now(event, began, time.time())


def zone(hours):
    """A file of the tz database for so many hours east of Greenwich (RFC 9636)."""
    head = b"TZif2" + bytes(15) + b"\0\0\0\0" * 3 + b"\0\0\0\0" + b"\0\0\0\1" + b"\0\0\0\4"
    body = (hours * 3600).to_bytes(4, "big", signed=True) + b"\0\0" + b"NOW\0"
    return head + body + head + body + b"\nNOW%+d\n" % -hours


def hours_ahead(line):
    """Of UTC, the local time at which a new line begins."""
    shown = datetime.datetime.strptime(line[:20], "%b %d %Y %H:%M:%S")
    return round((shown - datetime.datetime.utcfromtimestamp(time.time())).total_seconds() / 3600)


def test_another_time_zone(net):
    """/etc/localtime changes while it runs: lines show the local time of now, at most a second later."""
    place = net.namespace("one")
    puppet = Puppet(place)
    folder = net.folder()
    localtime, log = folder / "localtime", folder / "log"
    localtime.write_bytes(zone(3))
    inside = netns.Place(net, mounted(f"unset TZ && mount --bind {localtime} /etc/localtime"))
    sockeye = watch(net, "states", place, words=("--log-file", log), place=inside)

    def new_line():
        before = len(log.read_text(encoding="utf-8").splitlines())
        puppet.do(f"listen('::1', {PORT}).close()")
        return netns.wait_until(lambda: log.read_text(encoding="utf-8").splitlines()[before:], "a line")[-1]

    assert hours_ahead(new_line()) == 3
    localtime.write_bytes(zone(-7))
    os.utime(localtime, (1, 1))  # the C library compares whole seconds
    netns.wait_until(lambda: hours_ahead(new_line()) == -7, "the other zone")
    sockeye.stop()
