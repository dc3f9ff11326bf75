# SPDX-License-Identifier: Apache-2.0
"""What is read of tools, of the workload and of the kernel: lines as they write them."""
import pathlib
import unittest

import kernel_statistics
import process_figures
import session
import tools
import workload
from tables import collectors

BUILD = pathlib.Path("/b")
SMAPS = """\
7f0000000000-7f0000001000 r--p 00000000 00:00 0 /usr/bin/x
Rss:                 100 kB
7f0000001000-7f0000002000 rw-s 00000000 00:0e 1060 anon_inode:bpf-map
Size:              16384 kB
Rss:                2048 kB
Pss:                1024 kB
7f0000002000-7f0000003000 rw-s 00000000 00:0e 1061 anon_inode:[perf_event]
Rss:                  24 kB
7f0000003000-7f0000004000 rw-p 00000000 00:00 0 [heap]
Rss:                  52 kB
"""


class Reading(unittest.TestCase):
    def count(self, tool, text):
        return tools.count_events(tool, [line + b"\n" for line in text.split(b"\n")])

    def test_a_line_with_the_port_is_one_event(self):
        self.assertEqual(self.count(tools.TCPSTATES, b"ffff 1 x 127.0.0.1 18000 127.0.0.2 18000 A -> B 0.1"), 1)
        self.assertEqual(self.count(tools.TCPSTATES, b"127.0.0.1:18000 > 127.0.0.2:999\n127.0.0.2:9 > 127.0.0.1:18000"), 2)

    def test_other_numbers_are_no_ports(self):
        self.assertEqual(self.count(tools.TCPSTATES, b"ffff888118000a00 1 x 1.1.1.1 180001 2.2.2.2 1180 0.18000\nPID PORT"), 0)

    def test_sums_of_a_map(self):
        self.assertEqual(self.count(tools.BPFTRACE_COUNT, b"Attaching 1 probe...\n\n@[4, 5]: 100\n@[5, 7]: 20"), 120)

    def test_losses_as_each_tool_says_them(self):
        for tool, said, lost in (
                (tools.TCPSTATES, b"lost 7 events on CPU #1\nlost 3 events on CPU #0\n", 10),
                (tools.BPFTRACE_PRINT, b"Lost 12 events\n", 12),
                (tools.TCPSTATES_BCC, b"Possibly lost 5 samples\n", 5),
                (tools.limit(BUILD), b"limit: 100 events, 4 lost\n", 4),
                (tools.sockeye_states(BUILD), b"1,000,000 events, 12,345 lost, 12,345 kernel/ring_full\n", 12345)):
            with self.subTest(tool=tool.name):
                self.assertEqual(tools.count_lost(tool, said), lost)
                self.assertEqual(tools.count_lost(tool, b""), 0)

    def test_numbers_of_the_workload(self):
        self.assertEqual(workload.numbers("connections=3 seconds=0.500000 p99_us=12.5\n"),
                         {"connections": 3.0, "seconds": 0.5, "p99_us": 12.5})

    def test_buffers_are_not_the_tool_s_own_memory(self):
        found = process_figures.parse_memory("Name:\tx\nVmHWM:\t    4096 kB\nVmRSS:\t    3072 kB\n", SMAPS)
        self.assertEqual(found, {"resident": 3.0, "buffers": (2048 + 24) / 1024, "beside": (3072 - 2072) / 1024,
                                 "peak": 4.0})

    def test_programs_that_ran(self):
        before = {"a": (10, 1000), "b": (5, 50)}
        after = {"a": (30, 4000), "b": (5, 50), "c": (2, 100)}
        self.assertEqual(kernel_statistics.difference(before, after), {"a": (20, 3000), "c": (2, 100)})

    def test_streams_among_the_collectors(self):
        listed = ("Collectors (sockeye NAME, ...):\n"
                  "  rtt            round trips (at received)\n"
                  "  states         changes (of state) (at set_state, syn_sent)\n"
                  "Collectors with a command of their own, not in trace (sockeye NAME):\n"
                  "  counts         how many (at set_state)\n")
        self.assertEqual(collectors.stream_collectors(listed), ["rtt", "states"])
        self.assertEqual(collectors.sets_of(["states"]), [("states",)])
        self.assertEqual(collectors.sets_of(["a", "b", "c"]), [("a",), ("b",), ("c",), ("a", "b", "c"), ("b", "c"),
                                                              ("a", "c"), ("a", "b")])

    def test_reason_of_a_tool_that_ends(self):
        class Process:
            stdout = "Tracing...\n"
            stderr = "libbpf: loading\nlibbpf: failed to add legacy kprobe event for 'x': No such file\nfailed to attach\n"
        self.assertEqual(session.last_words(Process), "libbpf: failed to add legacy kprobe event for 'x': No such file")


class LeftOut(unittest.TestCase):
    def test_what_does_not_run_is_remembered(self):
        made = session.Session.__new__(session.Session)
        one, other, third = (tools.Tool(name, (name,)) for name in ("one", "other", "third"))
        made.reasons, made.left_out, made.last_failures = {"one": None, "other": "no tracefs"}, {}, {"one": "it ended"}
        self.assertEqual(made.usable([one, other]), [one])
        self.assertEqual(made.left_out, {"other": "no tracefs"})
        self.assertEqual(made.that_count({one: [], third: [1]}), {third: [1]})
        self.assertEqual(made.left_out, {"other": "no tracefs", "one": "it ended"})


class Turns(unittest.TestCase):
    def test_each_round_begins_with_another_tool(self):
        self.assertEqual(list(session.turns(["a", "b"], 3)), [["a", "b"], ["b", "a"], ["a", "b"]])

    def test_seldom_tools_take_part_as_often_as_asked(self):
        for rounds, seldom in ((15, 5), (3, 1), (7, 7), (5, 0)):
            found = [sorted(here) for here in session.turns(["a", "b"], rounds, ["x"], seldom)]
            self.assertEqual(len(found), rounds)
            self.assertEqual(found.count(["a", "b", "x"]), seldom)
            self.assertEqual(found.count(["a", "b"]), rounds - seldom)


if __name__ == "__main__":
    unittest.main()
