# SPDX-License-Identifier: Apache-2.0
"""The tools that are measured: how each is started, what of its output is an event, and what it says of losses."""
import dataclasses
import pathlib
import re
import shutil

HERE = pathlib.Path(__file__).parent
SBIN = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
PORT = 18000
# The port as a number of its own, after a space or the colon of an address.
LINE = re.compile(rb"[ :]%d(?!\d)" % PORT)
LOST_EVENTS = re.compile(rb"[Ll]ost (\d+) events")        # libbpf-tools, bpftrace
POSSIBLY_LOST = re.compile(rb"Possibly lost (\d+) samples")  # bcc
SUMMARY = re.compile(rb"[\d,]+ events, ([\d,]+) lost")    # sockeye, and the minimal program
SUM = re.compile(rb"^@\[.*\]: (\d+)$")                    # bpftrace: one entry of a map
TRANSITIONS = 10  # of a connection, both sides


@dataclasses.dataclass(frozen=True)
class Tool:
    name: str
    argv: tuple
    line: re.Pattern = LINE           # an output line that stands for an event...
    sums: bool = False                # ... or for as many as its first group says
    lost: re.Pattern = LOST_EVENTS    # each match in what it says adds its first group
    per_connection: int = TRANSITIONS  # events of one connection
    ready_fd: bool = False            # has --ready-fd; the others are ready when their programs are there
    recording: bool = False           # its output is a recording

    @property
    def program(self):
        return self.argv[0]


def path_of(program):
    return shutil.which(program, path=SBIN)


def count_events(tool, lines):
    """Events in lines of output (bytes)."""
    found = 0
    for line in lines:
        if match := tool.line.search(line.rstrip(b"\n")):
            found += int(match[1]) if tool.sums else 1
    return found


def count_lost(tool, said):
    """What a tool itself says it has lost, in all it said (bytes)."""
    return sum(int(match[1].replace(b",", b"")) for match in tool.lost.finditer(said))


def own(name, program, *words, **rest):
    return Tool(name, (str(program), *words), lost=SUMMARY, ready_fd=True, **rest)


def sockeye(build, *words, name=None, **rest):
    return own(name or "sockeye " + " ".join(words), build / "sockeye", *words, **rest)


def sockeye_states(build, output="line"):
    return sockeye(build, "states", "--format", output, recording=output == "recording")


def limit(build):
    return own("the minimal program", build / "sockeye_limit")


def empty(build):
    return own("an empty program", build / "sockeye_limit", "--empty")


def bpftrace(name, script, **rest):
    return Tool(name, ("bpftrace", str(HERE / script)), **rest)


TCPSTATES = Tool("tcpstates (libbpf-tools)", ("tcpstates",))
TCPLIFE = Tool("tcplife (libbpf-tools)", ("tcplife",), per_connection=2)  # a line for each socket at its end
TCPSTATES_BCC = Tool("tcpstates-bpfcc", ("tcpstates-bpfcc",), lost=POSSIBLY_LOST)
BPFTRACE_PRINT = bpftrace("bpftrace, printf each", "transitions.bt")
BPFTRACE_COUNT = bpftrace("bpftrace, counting", "transition_counts.bt", line=SUM, sums=True)

# All that Debian has for TCP: which of them run at all is a table of its own.
PEERS = (TCPSTATES, TCPLIFE, BPFTRACE_PRINT, BPFTRACE_COUNT, TCPSTATES_BCC) + tuple(
    Tool(f"{program} (libbpf-tools)", (program,))
    for program in ("tcpconnect", "tcpconnlat", "tcprtt", "tcptop", "tcptracer")) + tuple(
        Tool(program, (program,), lost=POSSIBLY_LOST)
        for program in ("tcplife-bpfcc", "tcpconnlat-bpfcc", "tcptracer-bpfcc", "tcpconnect-bpfcc", "tcpretrans-bpfcc"))

# Those that tell of whole connections, or of what is sent again.
CONNECTION_PEERS = tuple(tool for tool in PEERS if tool.name.split(" ")[0].removesuffix("-bpfcc") in (
    "tcplife", "tcpconnect", "tcptracer", "tcpretrans"))
