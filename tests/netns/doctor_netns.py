# SPDX-License-Identifier: Apache-2.0
"""`doctor` under many rights and mounts, each time compared with what each collector then really does there: exit
codes, methods that are missing, and the sentences that they say on standard error."""
import concurrent.futures
import json
import os
import re
import shutil

import netns
from own_mounts import mounted

ALONE = "looks at what the whole machine allows"
WORKS, FAILED = 0, 3
SHORTLY = ("--duration", "200ms", "--format", "json")
COMMANDS = {"counts": ("counts", "--json"), "who": ("who", "--format", "json"),
            "retransmit_totals": ("retransmits", "--totals", *SHORTLY)}  # all others are streams
CHANGING = re.compile(r"\d+")  # how many processes there are, and which
BTF = "/sys/kernel/btf/vmlinux"


def installed(net):
    """The program where everybody may run it."""
    folder = net.folder()
    folder.chmod(0o755)
    return shutil.copy(netns.program_of("SOCKEYE"), folder)


def nobody_with(*capabilities):
    """setpriv: an ordinary user with these capabilities, in lower case and without cap_, and no others."""
    words = ",".join(["-all"] + ["+" + name for name in capabilities])
    return [netns.require("setpriv"), "--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set", words,
            "--inh-caps", words, "--ambient-caps", words, "--"]


def root_without(*capabilities):
    words = ",".join("-" + name for name in capabilities)
    return [netns.require("setpriv"), "--bounding-set", words, "--"]


def hooks_of(told, name="states"):
    return {hook["hook"]: hook for one in told["collectors"] if one["name"] == name for hook in one["hooks"]}


def why_not(hook, method):
    return " ".join(refusal["why"] for refusal in hook["refused"] if refusal["method"] == method)


def sentence(hook):
    where = f"{hook['hook']} by {hook['method']}" if hook["method"] else f"without {hook['hook']}"
    return f"sockeye: {where}: {hook['loses']}"


def check_sentences(collector, done):
    """Its own sentences are those that doctor has, no more and no fewer."""
    expected = [sentence(hook) for hook in collector["hooks"] if hook["loses"]]
    told = [line for line in done.stderr.splitlines() if re.match(r"sockeye: (without \w+|\w+ by \w+): ", line)]
    assert len(told) == len(expected), (told, expected)
    for line in expected:
        assert any(found.startswith(line) for found in told), (line, told)


def check_limitations(collector, done):
    said = CHANGING.sub("N", done.stderr + done.stdout)
    for limitation in collector["limitations"]:
        what = CHANGING.sub("N", limitation["what"].split(": ", 1)[-1])
        assert what in said, (what, said)


def check_first_screen(told, page):
    """The verdict comes first, then what is missing and what to do, whatever number of collectors it concerns."""
    verdict, missing, _ = page.split("\n\n", 2)
    assert verdict.splitlines()[0] == "Verdict" and missing.startswith("What is missing, and what to do\n"), page
    for collector in told["collectors"]:
        assert re.search(fr"^  \w+ +{collector['name']} +{collector['verdict']}", verdict, re.MULTILINE), page
    hooks = [hook for collector in told["collectors"] for hook in collector["hooks"] if hook["loses"]]
    said = {re.escape(collector["reason"]) for collector in told["collectors"] if collector["reason"]}
    said |= {f"{hook['hook']} +{hook['method'] or 'none'}( .not tried.)?: {re.escape(hook['loses'])}" for hook in hooks}
    for words in said:
        assert len(re.findall(words, missing)) == 1, (words, page)


def command_of(name):
    return COMMANDS.get(name, (name, *SHORTLY))


def look(net, prefix):
    """What doctor says under these rights, after a comparison with the rest."""
    program = installed(net)
    doctor = net.host.run(prefix + [program, "doctor", "--json"], check=False)
    assert doctor.stderr == "" and doctor.stdout.count("\n") == 1, doctor
    told = json.loads(doctor.stdout)
    assert told["v"] == 2 and {one["name"] for one in told["collectors"]} >= set(COMMANDS), told
    assert doctor.code == (WORKS if told["works"] else FAILED), doctor
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = pool.map(lambda one: net.host.run(prefix + [program, *command_of(one["name"])], check=False), told["collectors"])
    for collector, done in zip(told["collectors"], runs):
        if collector["verdict"] == "does not work":
            assert done.code == FAILED, (collector, done)
            assert collector["reason"] in done.stderr and collector["remedy"], (collector, done)
            assert not told["works"], told
            continue
        assert done.code == WORKS, (collector, done)
        assert collector["tried"], collector
        if collector["name"] not in COMMANDS:
            check_sentences(collector, done)
        check_limitations(collector, done)
        if collector["verdict"] == "works":
            assert not collector["limitations"] and not any(one["loses"] for one in collector["hooks"]), collector
            assert not re.search("missing|hidden|incomplete|without", done.stderr), done.stderr
    return told


def types_file():
    """Where this machine has the kernel's types: $SOCKEYE_OPTIONS says so where they are hidden."""
    words = os.environ.get("SOCKEYE_OPTIONS", "").split()
    return words[words.index("--btf") + 1] if "--btf" in words else BTF


def test_as_root(net):
    told = look(net, [])
    assert told["works"], told
    assert told["machine"]["kernel"] == os.uname().release
    assert told["machine"]["btf"]["bytes"] == os.stat(types_file()).st_size
    assert hooks_of(told)["set_state"]["method"] == "tp_btf"


def test_as_an_ordinary_user(net):
    told = look(net, nobody_with())
    assert not told["works"] and told["machine"]["programs"]["tracepoint"]["allowed"] is False, told
    for collector in told["collectors"]:
        assert "CAP_BPF and CAP_PERFMON" in collector["remedy"], collector
        assert not collector["tried"] and collector["hooks"], collector
    page = net.host.run(nobody_with() + [installed(net), "doctor"], check=False)
    assert page.code == FAILED and page.stderr == "" and "\x1b" not in page.stdout, page
    check_first_screen(told, page.stdout)


def test_with_cap_bpf(net):
    told = look(net, nobody_with("bpf"))
    assert not told["works"], told
    assert all("give it CAP_PERFMON" in collector["remedy"] for collector in told["collectors"]), told


def test_with_cap_bpf_and_perfmon(net):
    told = look(net, nobody_with("bpf", "perfmon"))
    if told["works"]:
        hook = hooks_of(told)["syn_sent"]
        assert hook["method"] != "sockops" and "Operation not permitted" in why_not(hook, "sockops"), hook
        assert "CAP_NET_ADMIN" in [refusal["remedy"] for refusal in hook["refused"]][0], hook
        assert told["machine"]["network_namespaces"]["why"], told


def test_with_cap_bpf_perfmon_and_net_admin(net):
    told = look(net, nobody_with("bpf", "perfmon", "net_admin"))
    if told["works"] and told["machine"]["cgroup2"]:
        assert hooks_of(told)["syn_sent"]["method"] == "sockops", told


def test_root_without_sys_admin(net):
    net.namespace("other")
    told = look(net, root_without("sys_admin"))
    namespaces = told["machine"]["network_namespaces"]
    assert namespaces["refused"] > 0 and "CAP_SYS_ADMIN enters it" in namespaces["why"], namespaces
    assert look(net, [])["machine"]["network_namespaces"]["refused"] == 0


def test_root_without_sys_ptrace(net):
    assert look(net, root_without("sys_ptrace"))["machine"]["programs"]["tracepoint"]["allowed"]


def test_without_tracefs_and_cgroup2(net):
    lines = [line.split()[1:3] for line in open("/proc/mounts", encoding="utf-8")]
    points = [point for point, kind in lines if kind in ("tracefs", "cgroup2")]
    told = look(net, mounted(" && ".join(f"umount -l {point}" for point in points) or "true"))
    machine = told["machine"]
    assert told["works"] and machine["tracefs"] is None and machine["cgroup2"] is None, machine
    assert why_not(hooks_of(told)["syn_sent"], "sockops") == "no cgroup v2 hierarchy is mounted", told


def test_a_part_of_the_cgroups(net):
    """Programs attached to a part of the hierarchy would see its processes alone, and nobody would be told."""
    lines = [line.split()[1:3] for line in open("/proc/mounts", encoding="utf-8")]
    points = [point for point, kind in lines if kind == "cgroup2"]
    if not points:
        netns.skip("no cgroup v2 hierarchy is mounted")
    part = f"{points[0]}/sockeye-{os.getpid()}"
    os.mkdir(part)
    net.on_exit(lambda: os.rmdir(part))
    enter = [netns.require("sh"), "-c", f'echo $$ > {part}/cgroup.procs && exec "$@"', "sh"]
    told = look(net, enter + mounted(f"umount -l {points[0]} && mount -t cgroup2 none {points[0]}", "--cgroup"))
    why = why_not(hooks_of(told)["syn_sent"], "sockops")
    assert why == "only a part of the cgroup v2 hierarchy is mounted", told


def test_in_a_pid_namespace(net):
    told = look(net, [netns.require("unshare"), "--propagation", "unchanged", "--pid", "--fork", "--mount-proc"])
    assert told["works"] and told["machine"]["initial_pid_namespace"] is False, told
    states = next(one for one in told["collectors"] if one["name"] == "states")
    assert any("pid namespace" in one["what"] for one in states["limitations"]), states


def test_json_is_utf8_whatever_files_are_called(net):
    """A file of types whose name is no UTF-8, and a mount point with a blank in it, which /proc writes in octal digits."""
    if types_file() != BTF:
        netns.skip(f"{BTF} is hidden already, and every command is given a file")
    folder = net.folder()
    types, point = os.fsencode(folder) + b"/b\xff", folder / "tr x"
    shutil.copy(BTF, types)
    point.mkdir()
    points = [line.split()[1] for line in open("/proc/mounts", encoding="utf-8") if line.split()[2] == "tracefs"]
    prefix = mounted(" && ".join([*(f"umount -l {mounted}" for mounted in points), f"mount -t tracefs none '{point}'"]))
    doctor = net.host.popen(prefix + [netns.program_of("SOCKEYE"), "doctor", "--json", "--btf", os.fsdecode(types)])
    assert doctor.wait() == WORKS, doctor.stderr
    written = os.pread(doctor.stdout_file.fileno(), 1 << 20, 0)
    machine = json.loads(written.decode())["machine"]  # strictly
    assert machine["btf"]["path"] == f"{folder}/b\ufffd" and machine["tracefs"] == str(point), machine


def test_without_btf(net):
    if types_file() != BTF:
        netns.skip(f"{BTF} is hidden already, and every command is given a file")
    hide = mounted("mount -t tmpfs none /sys/kernel/btf")
    told = look(net, hide)
    assert not told["works"] and told["machine"]["btf"]["problem"] == "No such file or directory", told
    listed = net.host.run(hide + [installed(net), "list"]).stdout
    assert "states" in listed and "set_state            tp_btf" in listed, listed
