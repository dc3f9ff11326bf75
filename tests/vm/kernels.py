# SPDX-License-Identifier: Apache-2.0
"""Debian's kernels: fetched from the mirrors that apt is configured with, kept below build-vm/.

A series is the beginning of a kernel's version: 5.10, 6.1, 6.12; with `-rt` it is the one built with PREEMPT_RT, else the
one for clouds. Of each the newest package is taken that those mirrors have for this release of Debian or for OLDER, which 5.10 comes from. apt does it, with lists and sources of its own, and
checks the archive's signatures as always.
"""
import functools
import os
import pathlib
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOME = ROOT / "build-vm"
OLDER = "bullseye"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SBIN = {"PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}


class Missing(Exception):
    """What cannot be had here, and why."""


class Kernel:
    """An unpacked package: `image` is what boots, `tree` a root with its modules (tree/usr/lib/modules/<release>)."""

    def __init__(self, series):
        self.folder = HOME / series
        self.tree = self.folder / "tree"
        self.package = (self.folder / "package").read_text(encoding="ascii").strip()
        self.release, = os.listdir(self.tree / "usr/lib/modules")
        self.image = self.tree / f"boot/vmlinuz-{self.release}"

    def module_files(self, *names):
        """Files of these modules and of what they need, in the order of loading."""
        files = []
        for name in names:
            told = run(["modprobe", "-d", self.tree, "-S", self.release, "--show-depends", name])
            files += [line.split()[1] for line in told.splitlines() if line.startswith("insmod ")]
        return [pathlib.Path(file) for file in dict.fromkeys(files)]


def run(argv, **options):
    """What a program wrote to stdout; Missing with its last words if it fails."""
    done = subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          env={**os.environ, **SBIN, "LC_ALL": "C"}, **options)
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip() or "no words").splitlines()[-1]
        raise Missing(f"{pathlib.Path(argv[0]).name} exited with {done.returncode}: {words}")
    return done.stdout


def sources():
    """Lines of sources.list: the suites of this Debian release that apt is configured with, and the same of OLDER."""
    with open("/etc/os-release", encoding="utf-8") as file:
        release = re.search(r"^VERSION_CODENAME=(\S+)$", file.read(), re.MULTILINE)[1]
    lines = []
    for target in run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Identifier: Packages"]).splitlines():
        address, suite = target.split()
        if suite == release or suite.startswith(release + "-"):
            lines += [f"deb [signed-by={KEYRING}] {address} {name} main" for name in (suite, suite.replace(release, OLDER))]
    if not lines:
        raise Missing(f"apt is configured with no mirror of {release}")
    return list(dict.fromkeys(lines))


@functools.lru_cache
def apt():
    """The options of an apt with lists of its own, which are fetched."""
    folder = HOME / "apt"
    for part in ("lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "sources.list").write_text("\n".join(sources()) + "\n", encoding="ascii")
    # Of a suite that gets no more updates the lists are past their date; and not every mirror has each suite.
    settings = {"Dir::State::lists": folder / "lists", "Dir::Cache": folder / "cache", "Dir::Etc::sourceparts": "-",
                "Dir::Etc::sourcelist": folder / "sources.list", "APT::Sandbox::User": "", "Acquire::Languages": "none",
                "Acquire::Check-Valid-Until": "false"}
    options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    try:
        run(["apt-get", *options, "update"])
    except Missing as problem:
        print(f"vm-test: {problem}")
    return options


def newest(series):
    """Name and version of the newest kernel of a series."""
    number, _, flavour = series.partition("-")
    pattern = rf"^linux-image-{re.escape(number)}\.[0-9].*-{flavour or 'cloud'}-amd64$"
    names = [line.split()[0] for line in run(["apt-cache", *apt(), "search", "--names-only", pattern]).splitlines()]
    best = None
    for line in run(["apt-cache", *apt(), "madison", *names]).splitlines() if names else ():
        name, version = (word.strip() for word in line.split("|")[:2])
        if best is None or subprocess.run(["dpkg", "--compare-versions", version, "gt", best[1]], check=False).returncode == 0:
            best = name, version
    if best is None:
        raise Missing(f"the configured mirrors have no kernel {series}")
    return best


def kernel(series):
    """The kernel of a series, which is fetched if it is not there yet. Missing if it cannot be had."""
    folder = HOME / series
    if (folder / "package").exists():
        return Kernel(series)
    shutil.rmtree(folder, ignore_errors=True)
    name, version = newest(series)
    print(f"vm-test: fetching {name} {version}", flush=True)
    tree = folder / "tree"
    (tree / "usr/lib").mkdir(parents=True)
    (tree / "lib").symlink_to("usr/lib")  # packages of before the merge of / and /usr fall into place
    run(["apt-get", *apt(), "download", f"{name}={version}"], cwd=folder)
    package, = folder.glob("*.deb")
    archive = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE)
    run(["tar", "-x", "--keep-directory-symlink", "-C", tree, "-f", f"/dev/fd/{archive.stdout.fileno()}"],
        pass_fds=[archive.stdout.fileno()])
    archive.stdout.close()
    if archive.wait() != 0:
        raise Missing(f"{package.name} cannot be unpacked")
    package.unlink()
    release, = os.listdir(tree / "usr/lib/modules")
    run(["depmod", "-b", tree, release])
    (folder / "package").write_text(f"{name} {version}\n", encoding="ascii")
    return Kernel(series)
