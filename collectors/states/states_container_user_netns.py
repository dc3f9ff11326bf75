# SPDX-License-Identifier: Apache-2.0
"""Users who make cgroups that are called as root's containers are. Witnesses: who made the cgroup, a run without filters
beside it, the daemon's own socket, where a process waits in the kernel."""
import os
import pathlib

import netns
from netns import Place
from own_mounts import PRIVATE, mounted
from puppet import Puppet
from states_container_netns import HIERARCHIES, NEW, OLD, OTHER, hierarchy, make_container, puppet_in, remove, work
from states_filter_netns import Beside

ALONE = "makes containers that others would see"
USER = 12345
TO_USER = f"os.setgroups([]); os.setgid({USER}); os.setuid({USER})"
CLONE_NEWNS, MS_BIND = 0x20000, 1 << 12  # <linux/sched.h>, <linux/mount.h>
FUSE_ANSWER = "struct.pack('=IiQIIIIHHIIHHI28x', 80, 0, unique, 7, 31, 0, 0, 0, 0, 4096, 1, 0, 0, 0)"  # <linux/fuse.h>


def give(cgroup):
    """A user may make cgroups in it, and move processes about."""
    for path in (cgroup, cgroup / "cgroup.procs"):
        os.chown(path, USER, USER)


def delegated(net, kind="cgroup2"):
    """As systemd does it for a user who has logged in."""
    cgroup = hierarchy(net, kind) / f"sockeye-{os.getpid()}" / f"user-{USER}.slice"
    for folder in (cgroup.parent, cgroup):
        folder.mkdir()
        net.on_exit(lambda folder=folder: remove(folder))
    give(cgroup)
    return cgroup


def user_in(net, place, cgroup):
    """A puppet that root puts into a cgroup of the user's, and that then is the user, who makes a cgroup and goes into it."""
    net.on_exit(lambda: remove(cgroup))
    puppet = Puppet(place)
    cgroup.parent.joinpath("cgroup.procs").write_text(str(puppet.pid), encoding="ascii")
    puppet.do(TO_USER)
    puppet.do(f"os.mkdir('{cgroup}')")
    puppet.do(f"open('{cgroup}/cgroup.procs', 'w').write('{puppet.pid}')")
    assert cgroup.stat().st_uid == USER
    return puppet


def hides(net, kind):
    place = net.namespace("one")
    theirs = delegated(net, kind)
    names = [theirs / HIERARCHIES[kind].format(name) for name in (OLD, NEW)]
    for parent in {name.parent for name in names} - {theirs}:  # docker/ of the cgroupfs driver
        parent.mkdir()
        net.on_exit(lambda parent=parent: remove(parent))
        give(parent)
    root, before = puppet_in(make_container(net, OLD, kind), place), user_in(net, place, names[0])
    beside = Beside(net, {
        ("--container", "!" + OLD): lambda event: event["pid"] != root.pid,
        ("--container", "!" + OLD + ",!" + NEW): lambda event: event["pid"] != root.pid,
        ("--container", OLD): lambda event: event["pid"] in (root.pid, before.pid),
    })
    after = user_in(net, place, names[1])
    for puppet in (root, before, after):
        work(puppet, 20)
    events = beside.compare(place)
    told = {puppet.pid: {(event.get("container"), event.get("container_user")) for event in events if event["pid"] == puppet.pid}
            for puppet in (root, before, after)}
    assert told == {root.pid: {(OLD, None)}, before.pid: {(OLD, str(USER))}, after.pid: {(NEW, str(USER))}}, told


def test_a_user_does_not_hide_in_a_cgroup_of_v2(net):
    hides(net, "cgroup2")


def test_a_user_does_not_hide_in_a_cgroup_of_v1(net):
    hides(net, "cgroup")


def test_what_is_in_a_container_does_not_get_out_of_it(net):
    """A container that may make cgroups of its own, as those with a user namespace may."""
    place = net.namespace("one")
    container = make_container(net, OLD)
    give(container)
    puppet = user_in(net, place, container / HIERARCHIES["cgroup2"].format(OTHER))
    beside = Beside(net, {("--container", OLD): lambda event: event["pid"] == puppet.pid,
                          ("--container", "!" + OLD): lambda event: event["pid"] != puppet.pid})
    work(puppet)
    work(Puppet(place))
    events = [event for event in beside.compare(place) if event["pid"] == puppet.pid]
    assert {(event["container"], event.get("container_user")) for event in events} == {(OLD, None)}, events


def mute_daemon(net):
    """A daemon that takes connections and says nothing, and a place where it is Docker's."""
    daemon, socket = Puppet(net.host), net.folder() / "docker.sock"
    daemon.do(f"import select; d = socket.socket(socket.AF_UNIX); d.bind('{socket}'); d.listen(4096)")
    return daemon, Place(net, mounted(f"mount -t tmpfs sockeye /run && ln -s {socket} /run/docker.sock"))


def was_asked(daemon):
    return daemon.do("len(select.select([d], [], [], 0)[0])") == 1


def test_a_mute_daemon_hides_nothing_for_long(net):
    """Forty containers without a name wait for it, and one more."""
    daemon, where = mute_daemon(net)
    place = net.namespace("one")
    sockeye = net.sockeye("states", "--container", "!web", place=where)
    for number in range(40):
        make_container(net, f"{number:064x}")
    puppet = puppet_in(make_container(net, OLD), place)

    def shown():
        work(puppet, 1)
        return OLD in sockeye.process.stdout

    netns.wait_until(shown, "an event of a container that nobody named")
    assert was_asked(daemon)
    sockeye.stop()


def test_a_users_cgroups_do_not_keep_the_daemon_busy(net):
    daemon, where = mute_daemon(net)
    place, theirs = net.namespace("one"), delegated(net)
    sockeye = net.sockeye("states", "--netns", place.inode, place=where)
    user = user_in(net, place, theirs / HIERARCHIES["cgroup2"].format(NEW))
    work(user, 1)
    assert sockeye.wait_for(lambda event: event["pid"] == user.pid)["container"] == NEW
    root = puppet_in(make_container(net, OLD), place)
    work(root, 1)
    assert sockeye.wait_for(lambda event: event["pid"] == root.pid)["container"] == OLD
    assert OLD in daemon.do("d.accept()[0].recv(4096).decode()"), "the first question is for a container of a user's"
    sockeye.stop()


def home_of_nobody(net):
    """A process that a user's home is the file system of, and that does not answer; the home; and a place where it is."""
    nsenter, = [netns.require("nsenter")]
    if not os.path.exists("/dev/fuse"):
        netns.skip("no /dev/fuse: modprobe fuse")
    home, passwd = net.folder(), net.folder() / "passwd"
    passwd.write_text(f"root:x:0:0::/root:/bin/sh\neve:x:{USER}:{USER}::{home}:/bin/sh\n", encoding="ascii")
    daemon = Puppet(net.host)
    daemon.do("libc = ctypes.CDLL(None, use_errno=True)")
    for call in (f"libc.unshare({CLONE_NEWNS})", f"os.system({PRIVATE!r})",
                 f"libc.mount(b'{passwd}', b'/etc/passwd', None, {MS_BIND}, None)"):
        assert daemon.do(call) == 0, call
    daemon.do("fuse = os.open('/dev/fuse', os.O_RDWR)")
    mounted = daemon.do(f"libc.mount(b'x', b'{home}', b'fuse', 0, "
                        "b'fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other' % fuse)")
    if mounted != 0:
        netns.skip("no FUSE can be mounted")
    daemon.do("unique = struct.unpack_from('=Q', os.read(fuse, 65536), 8)[0]")  # FUSE_INIT
    daemon.do(f"os.write(fuse, {FUSE_ANSWER})")
    return daemon, home, Place(net, [nsenter, "--mount", "--root", "--target", str(daemon.pid)])


def test_a_home_that_does_not_answer_stops_nobody(net):
    daemon, home, where = home_of_nobody(net)
    waits = where.popen([netns.require("stat"), home / ".local"])
    stack = pathlib.Path(f"/proc/{waits.pid}/wchan")
    netns.wait_until(lambda: "request_wait_answer" in stack.read_text(encoding="ascii"), "a process that waits for the home")
    place, theirs = net.namespace("one"), delegated(net)
    sockeye = net.sockeye("states", "--netns", place.inode, place=where)
    net.on_exit(daemon.process.end)  # then whoever waits for it goes on
    user = user_in(net, place, theirs / HIERARCHIES["cgroup2"].format(NEW))
    work(user, 1)
    event = sockeye.wait_for(lambda event: event["pid"] == user.pid)
    assert (event["container"], event["container_user"]) == (NEW, str(USER)), event
    sockeye.stop()
