# SPDX-License-Identifier: Apache-2.0
"""What a running sockeye writes as JSON, line by line, against docs/schema.json."""
import json
import signal
import subprocess

import netns

try:
    import schema
except ImportError as missing:
    schema = None
    MISSING = missing.name

PORT = 7200


def check(events):
    """Each against the schema, and each changed a little, which it has to refuse."""
    checker = schema.validator()
    assert events, "nothing was written"
    for event in events:
        wrong = schema.complaints(checker, event)
        assert not wrong, f"{wrong} in {json.dumps(event)}"
    for event in events[:20] + events[-20:]:
        assert schema.complaints(checker, {**event, "more": 1}), event
        assert schema.complaints(checker, {key: value for key, value in event.items() if key != "time"}), event


def need_schema():
    if schema is None:
        netns.skip(f"not installed: python3-{MISSING}")


def written(text):
    return [json.loads(line) for line in text.splitlines()]


def connect_both_ways(client, server):
    """40 connections, half of them IPv6; two servers go on listening."""
    for family in (4, 6):
        server.load("server", "--addr", server.addresses[family], "--port", PORT + family)
        server.wait_listen(PORT + family)
    for family in (4, 6):
        load = client.load("client", "--addr", server.addresses[family], "--port", PORT + family, "--connections", 20)
        assert load.wait() == 0, load.stderr


def test_a_stream(net):
    need_schema()
    client, server = net.client_and_server()
    sockeye = net.sockeye("states", "--netns", f"{client.inode},{server.inode}")
    connect_both_ways(client, server)
    for place in (client, server):
        sockeye.wait_for(lambda event, place=place: event["netns"] == place.inode and event["new_state"] in
                         ("TIME_WAIT", "CLOSE"))
    run = sockeye.stop()
    assert {event["family"] for event in run.events} == {"ipv4", "ipv6"}, len(run.events)
    assert {event["role"] for event in run.events} == {"client", "server", "listener"}, len(run.events)
    assert any("container" not in event for event in run.events), "all are in containers"
    check(run.events + [run.end])


def test_a_stream_with_gaps(net):
    """A ring that is too small for a reader that is stopped."""
    need_schema()
    sockeye = net.sockeye("states", "--ring-size", "64K", lossy=True)
    sockeye.process.popen.send_signal(signal.SIGSTOP)
    try:
        place = net.namespace("one")
        place.load("server", "--addr", "127.0.0.1", "--port", PORT)
        place.wait_listen(PORT)
        load = place.load("client", "--addr", "127.0.0.1", "--port", PORT, "--connections", 1000)
        assert load.wait(60) == 0, load.stderr
    finally:
        sockeye.process.popen.send_signal(signal.SIGCONT)
    sockeye.wait_for(lambda event: event["event"] == "gap")
    run = sockeye.stop()
    assert any(gap["reason"] == "ring_full" for gap in run.gaps), run.gaps
    check(run.gaps + [run.end])


def test_who(net):
    need_schema()
    client, server = net.client_and_server()
    connect_both_ways(client, server)
    done = net.host.run([netns.program_of("SOCKEYE"), "who", "--json", "--end-record"])
    events = written(done.stdout)
    assert {client.inode, server.inode} <= {event.get("netns") for event in events}, len(events)
    assert any(event.get("state") == "TIME_WAIT" for event in events), "no TIME_WAIT"
    check(events)


def test_counts(net):
    need_schema()
    connect_both_ways(*net.client_and_server())
    for words in ([], *(["--by", by] for by in ("comm", "container", "netns", "port"))):
        done = net.host.run([netns.program_of("SOCKEYE"), "counts", "--json", *words])
        event, = written(done.stdout)
        assert bool(words) == bool(event.get("groups")), event
        check([event])


def test_the_pages_are_those_of_this_program(net):
    need_schema()
    for words, file in (("--schema", "docs/schema.json"), ("--markdown", "docs/output.md")):
        made = net.host.run([netns.program_of("SOCKEYE"), "list", words]).stdout
        assert made == (schema.ROOT / file).read_text(encoding="utf-8"), f"{file} is another: ./dev test --update"
    both = subprocess.run([netns.program_of("SOCKEYE"), "list", "--schema", "--markdown"], capture_output=True, check=False)
    assert both.returncode == 2, both
