# SPDX-License-Identifier: Apache-2.0
"""Containers of a real Podman, made of busybox alone: no registry is asked. With what machines ask for that have no systemd
and little room: runc, cgroups without systemd, limits that are given."""
import os
import pathlib
import shutil

import netns

IMAGE = "localhost/sockeye-test"
LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")
TIMEOUT_S = 60


class Podman:
    """Images and containers where Podman usually keeps them, or below `folder`."""

    def __init__(self, net, folder=None):
        self.net = net
        podman, runc, _, busybox = netns.require("podman", "runc", "conmon", "busybox")
        netns.require_root()
        self.command = [podman, "--runtime", runc, "--cgroup-manager=cgroupfs", "--events-backend=none"]
        if folder:
            self.command += ["--root", f"{folder}/root", "--runroot", f"{folder}/run"]
        self.image = f"{IMAGE}:{os.getpid()}"
        self._number = 0
        tree = net.folder()
        (tree / "bin").mkdir()
        shutil.copy(busybox, tree / "bin/busybox")
        for applet in ("sh", "nc", "usleep"):
            (tree / "bin" / applet).symlink_to("busybox")
        archive = net.folder() / "image.tar"
        net.host.run(["tar", "-C", tree, "-cf", archive, "."])
        made = self.run("import", archive, self.image, check=False)
        if made.code != 0:
            netns.skip(f"podman makes no image here: {made.stderr.strip()}")
        net.on_exit(lambda: self.run("rmi", "--force", self.image, check=False))

    def run(self, *words, check=True):
        return self.net.host.run([*self.command, *map(str, words)], check=check, timeout=TIMEOUT_S)

    def new_name(self):
        self._number += 1
        return f"sockeye-{os.getpid()}-{self._number}"

    def container(self, place, script, *options, name=None):
        """Runs a script of sh in the network namespace of `place`, in a container of its own: (id, name)."""
        name = name or self.new_name()
        ids = self.net.folder() / "id"
        self.net.on_exit(lambda: self.run("rm", "--force", "--ignore", "--time", "0", name, check=False))
        done = self.run("run", "--name", name, "--cidfile", ids, f"--network=ns:{netns.NETNS_DIR}/{place.name}",
                        "--log-driver=none", *LIMITS, *options, self.image, "/bin/sh", "-c", script, check=False)
        if done.code != 0:
            raise AssertionError(f"podman run: {done.stderr}")
        return pathlib.Path(ids).read_text(encoding="ascii"), name
