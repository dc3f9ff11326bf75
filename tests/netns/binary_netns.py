# SPDX-License-Identifier: Apache-2.0
"""The program as a file: what is installed. Witness: a listener that the installed program shows."""
import pathlib

import netns
from puppet import Puppet

PORT = 7000


def test_what_is_installed_runs(net):
    prefix = net.folder() / "usr"
    build = pathlib.Path(netns.program_of("SOCKEYE")).parent
    net.host.run([netns.require("cmake"), "--install", build, "--prefix", prefix])
    program = prefix / "bin/sockeye"
    assert (prefix / "share/doc/sockeye/docs/output.md").is_file()
    assert net.host.run([program, "--version"]).stdout.startswith("sockeye ")
    place = net.namespace("one")
    puppet = Puppet(place)
    puppet.do(f"l = listen('127.0.0.1', {PORT})")
    done = net.host.run([program, "who", "--json", "--netns", place.inode])
    assert f'"lport":{PORT}' in done.stdout and f'"pid":{puppet.pid}' in done.stdout, done.stdout
