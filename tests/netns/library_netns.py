# SPDX-License-Identifier: Apache-2.0
"""The library of the scenarios, by itself: no sockeye runs here."""
import netns


def answered_by(client, server, family, *words):
    where = ("--addr", server.addresses[family], "--port", 7000)
    listener = server.load("server", *where)
    server.wait_listen(7000)
    made = client.load("client", *where, "--connections", 50, *words)
    assert made.wait() == 0, made.stderr
    assert listener.stop() == 0, listener.stderr
    return made.stdout, listener.stdout


def test_namespaces_reach_each_other(net):
    client, server = net.client_and_server()
    for family in (4, 6):
        made, accepted = answered_by(client, server, family)
        assert made == "connections=50 closed=50 errors=0\n", made
        assert accepted == "accepted=50 closed=50 errors=0\n", accepted


def test_many_sources(net):
    client, server = net.client_and_server()
    for family, first in net.many_sources(client, server).items():
        made, _ = answered_by(client, server, family, "--first-source", first, "--source-addresses", 7)
        assert made == "connections=50 closed=50 errors=0\n", made


def test_packets_go_to_another_cpu(net):
    client, server = net.client_and_server()
    for namespace in (client, server):
        namespace.receive_on("veth0", "2")
    made, _ = answered_by(client, server, 4)
    assert made == "connections=50 closed=50 errors=0\n", made


def test_everything_is_undone(net):
    inner = netns.Net()
    client, _ = inner.client_and_server()
    sleeper = client.popen(["sleep", "1000"])
    inner.on_exit(lambda: 1 / 0)
    inner.close()
    assert sleeper.popen.poll() is not None
    names = net.host.run([netns.require("ip"), "netns", "list"]).stdout
    assert client.name not in names, names


def test_a_program_that_is_missing_is_a_skip(_net):
    try:
        netns.require("sh", "no-such-program")
    except netns.Skip as reason:
        assert str(reason) == "not installed: no-such-program", reason
    else:
        raise AssertionError("it was found")
