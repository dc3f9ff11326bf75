# SPDX-License-Identifier: Apache-2.0
"""Where /proc hides the processes of others (hidepid=, systemd's ProtectProc=), `who` and `counts` say that there may be
more sockets than they see."""
import json

import netns
from own_mounts import own_mounts
from puppet import Puppet

ALONE = "looks into the network namespaces of the whole machine"
PORT = 7420
# Enough for all but to see the processes of others.
RIGHTS = ",".join("+" + name for name in ("bpf", "perfmon", "net_admin", "sys_admin", "dac_read_search"))
HIDDEN = "/proc does not show the processes of other users"


def seen_with(net, hidepid, *words):
    """What sockeye sees as another user behind such a /proc."""
    few = f"-all,{RIGHTS}"
    setpriv = f"{netns.require('setpriv')} --reuid 65534 --regid 65534 --clear-groups --bounding-set {few} --inh-caps {few} " \
              f"--ambient-caps {few}"
    inside = own_mounts(f'mount -t proc -o hidepid={hidepid} proc /proc && exec {setpriv} -- "$@"')
    return net.host.run([*inside, netns.program_of("SOCKEYE"), *words], check=False)


WORDS = ("who", "--json", "--peer-port", f"{PORT}-{PORT + 1}")
CLOSED = f"""
os.system("{netns.require('ip')} link set lo up")
for address, port in (("127.0.0.1", {PORT}), ("::1", {PORT + 1})):
    listener = listen(address, port)
    client = connect(address, port)
    server, _ = listener.accept()
    client.close()
    server.close()
    listener.close()
"""


def left_by_root(net):
    """Two sockets in TIME_WAIT, in a namespace that only a process of root leads to."""
    Puppet(netns.Place(net, [netns.require("unshare"), "--net"])).do(CLOSED)

    def there():
        return len(net.host.run([netns.program_of("SOCKEYE"), *WORDS]).stdout.splitlines()) == 2
    netns.wait_until(there, "two sockets in TIME_WAIT")


def test_who(net):
    left_by_root(net)
    for hidepid in (1, 2):
        for words, code in (([], 0), (["--strict"], 1)):
            done = seen_with(net, hidepid, *WORDS, *words)
            assert done.stdout == "" and done.code == code, (hidepid, words, done)
            assert "there may be more sockets: " in done.stderr, (hidepid, words, done)
            assert (HIDDEN in done.stderr) == (hidepid == 2) and "CAP_SYS_PTRACE" in done.stderr, (hidepid, done)
    done = seen_with(net, 2, *WORDS, "--quiet")
    assert HIDDEN in done.stderr, done


def test_counts(net):
    for words, code in (([], 0), (["--strict"], 1)):
        done = seen_with(net, 2, "counts", "--json", *words)
        reading = json.loads(done.stdout)
        assert done.code == code and reading["drift"] is None and HIDDEN in reading["drift_unknown"], (words, done)
    done = seen_with(net, 2, "counts")
    assert HIDDEN in done.stdout, done


def test_strict_where_all_is_seen(net):
    for words in (["counts", "--strict"], ["counts", "--strict", "--by", "comm"], ["who", "--strict"]):
        done = net.host.run([netns.program_of("SOCKEYE"), *words])
        assert HIDDEN not in done.stdout + done.stderr, done
