# SPDX-License-Identifier: Apache-2.0
"""check_counters.py on files that are made for it."""
import unittest

import check_counters
from checking_for_tests import said_of

HEADER = "struct sent { SOCKEYE_COUNTER unsigned long packets; unsigned sequence; };\nSOCKEYE_COUNTER int lines() const;\n"


def complaints(text, path="src/a/a.cpp"):
    """The lines that are refused of a file at `path`."""
    said = said_of(check_counters.complaints, {path: text, "src/a/a.h": HEADER, "bpf/vmlinux.counters": "# words\nstruct x: segs\n"})
    return [int(line.split(":")[1]) for line in said]


class Counters(unittest.TestCase):
    def test_refuses_each_way_to_subtract(self):
        for text in ("x = a.packets - b;", "x = b - a.packets;", "x = now->packets - y;", "x = y - (long)t->packets;",
                     "x = y - now[i].packets;", "x = a.packets[i] - 1;", "a.packets -= 3;", "x -= a.packets;",
                     "a.packets--;", "x = tp->segs - y;", "x = y - std::min(z, a.packets);", "x = out.lines() - y;",
                     "x = (a.packets) - y;", "x = y -\n  a.packets;", "x = (u32)a.packets - (u32)y;"):
            self.assertEqual(complaints(text), [1], text)

    def test_takes_what_is_none(self):
        for text in ("x = a.sequence - y;", "x = counted_between(a.packets, b.packets);", "x = a.packets + b.packets;",
                     "x = p->packets;", "// a.packets - b", "/* a.packets - b */", 'say("packets - lost");',
                     "x = a.packets > b - c;", "x = packets_left - 1;", "return -1; packets = 2;"):
            self.assertEqual(complaints(text), [], text)

    def test_names_the_line(self):
        self.assertEqual(complaints("/* one\n two */\nint a;\nx = a.packets - b;\n"), [4])

    def test_is_about_both_sides(self):
        for path in ("bpf/a.h", "bpf/hooks/a.bpf.c", "collectors/a/a.bpf.h", "sinks/a/a.cpp"):
            self.assertEqual(complaints("x = a.packets - y;", path), [1], path)
        for path in ("bpf/counter.h", "src/base/counter.cpp", "src/a/a_test.cpp", "tests/a.cpp"):
            self.assertEqual(complaints("x = a.packets - y;", path), [], path)


if __name__ == "__main__":
    unittest.main()
