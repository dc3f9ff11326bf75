# SPDX-License-Identifier: Apache-2.0
"""A test machine: one of Debian's kernels in qemu, without KVM, with the files of this host below it.

Its root is the host's, read-only through virtiofs, so that the scenarios find the programs that they find here; what it
writes is in its memory. It has no network and no disk.
"""
import contextlib
import ctypes
import json
import lzma
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

import kernels

VIRTIOFSD = ("/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd")
MODULES = ("virtio_pci", "virtiofs", "overlay")
MEMORY = "2G"
PR_SET_PDEATHSIG = 1
SILENCE_S = 180  # without a word it is not alive
# With cmpxchg16b, 6.12 crashes in a third of boots under qemu 7.2 (a wrong carry flag out of it, in the slab allocator).
CPU = "max,cx16=off"


def programs():
    """(qemu, virtiofsd, busybox), or Missing."""
    found = [shutil.which("qemu-system-x86_64"), next(filter(os.path.exists, VIRTIOFSD), None), shutil.which("busybox")]
    for name, where in zip(("qemu-system-x86_64", "virtiofsd", "busybox"), found):
        if not where:
            raise kernels.Missing(f"not installed: {name}")
    if os.uname().machine != "x86_64":
        raise kernels.Missing("the kernels are those of x86_64")
    if os.geteuid() != 0:
        raise kernels.Missing("the test machine reads this host's files as root: needs root")
    return found


def make_initramfs(kernel, busybox, file):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for part in ("bin", "dev", "proc", "host", "memory", "root", "m"):
            (folder / part).mkdir()
        shutil.copy(busybox, folder / "bin/busybox")
        for applet in ("sh", "mount", "umount", "insmod", "mkdir", "cat", "ln", "switch_root", "poweroff"):
            (folder / "bin" / applet).symlink_to("busybox")
        shutil.copy(pathlib.Path(__file__).with_name("init.sh"), folder / "init")
        (folder / "init").chmod(0o755)
        names = []
        for module in kernel.module_files(*MODULES):
            data = module.read_bytes()
            names.append(f"/m/{module.name.removesuffix('.xz')}")
            (folder / names[-1][1:]).write_bytes(lzma.decompress(data) if module.suffix == ".xz" else data)
        (folder / "modules").write_text("".join(name + "\n" for name in names), encoding="ascii")
        members = "".join(f"{path.relative_to(folder)}\n" for path in sorted(folder.rglob("*")))
        with open(file, "wb") as archive:
            subprocess.run(["cpio", "--create", "--format=newc", "--quiet"], cwd=folder, input=members.encode(), stdout=archive,
                           check=True)


@contextlib.contextmanager
def shared_root(virtiofsd, log):
    """Serves / of this host, which cannot be written to there; gives the socket's path."""
    with tempfile.TemporaryDirectory(prefix="sockeye-vm-") as folder, socket.socket(socket.AF_UNIX) as listener:
        path = f"{folder}/root.sock"
        listener.bind(path)
        listener.listen(1)
        script = 'mount --make-rprivate / && mount -o remount,bind,ro / && exec "$@"'
        words = ["unshare", "--mount", "sh", "-c", script, "sh", virtiofsd, f"--fd={listener.fileno()}", "-f", "-o", "source=/",
                 "-o", "cache=always", "-o", "sandbox=chroot", "-o", "log_level=err"]
        server = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[listener.fileno()],
                                  preexec_fn=die_with_parent)
        try:
            yield path
        finally:
            server.terminate()
            server.wait()


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def lines_of(connection, patience):
    """Whole lines, until the other side is gone or says nothing for `patience` seconds."""
    connection.settimeout(patience)
    rest = b""
    with contextlib.suppress(TimeoutError, ConnectionError):
        while chunk := connection.recv(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines


def boot(kernel, job, folder, arguments="", hide=()):
    """Runs a job (guest.py) and yields what the guest tells, a dict at a time, until it is off or says nothing any more.

    folder/project is what the guest finds where the project is. What it printed on its console, and what qemu said, are left
    in folder/console and folder/log."""
    qemu, virtiofsd, busybox = programs()
    make_initramfs(kernel, busybox, folder / "initramfs")
    (folder / "project/job.json").write_text(json.dumps(job), encoding="utf-8")
    variables = {"vm_root": kernels.ROOT, "vm_copy": folder / "project", "vm_tree": kernel.tree, "vm_hide": ",".join(hide)}
    command_line = " ".join(["console=ttyS0 panic=-1 quiet", arguments, *(f"{key}={value}" for key, value in variables.items())])
    ours, theirs = socket.socketpair()
    with contextlib.ExitStack() as undo:
        log = undo.enter_context(open(folder / "log", "wb"))
        undo.enter_context(ours)
        root = undo.enter_context(shared_root(virtiofsd, log))
        with theirs:
            words = [qemu, "-accel", "tcg,thread=multi", "-machine", "q35", "-cpu", CPU, "-smp", "2", "-m", MEMORY, "-nodefaults",
                     "-display", "none", "-no-reboot", "-nic", "none", "-kernel", str(kernel.image),
                     "-initrd", str(folder / "initramfs"), "-append", command_line,
                     "-object", f"memory-backend-memfd,id=memory,size={MEMORY},share=on", "-numa", "node,memdev=memory",
                     "-chardev", f"socket,id=root,path={root}", "-device", "vhost-user-fs-pci,chardev=root,tag=host",
                     "-serial", f"file:{folder / 'console'}",
                     "-chardev", f"socket,id=results,fd={theirs.fileno()}", "-serial", "chardev:results"]
            machine = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[theirs.fileno()],
                                       preexec_fn=die_with_parent)
        try:
            for line in lines_of(ours, SILENCE_S):
                yield json.loads(line)
        finally:
            machine.terminate()
            machine.wait()
