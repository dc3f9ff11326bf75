# SPDX-License-Identifier: Apache-2.0
"""Tables and their places in docs/performance.md."""
import pathlib
import unittest

import document
import measure
import mounts
from tables import collectors, common, kernel, peers, throughput

MADE = {"command": "./dev bench --quick x", "quick": True, "date": "2026-01-02 03:04 UTC", "commit": "abc", "kernel": "6.1",
        "machine": "x86_64", "cpus": 2, "model": "A CPU", "memory_gib": 3.9, "versions": {"bpftrace": "0.17"}, "load": 0.25}
MEMORY = {"resident": 10.0, "buffers": 8.0, "beside": 2.0, "peak": 12.0}
THROUGHPUT = {"connections": 100, "bare": [1000.0], "less_than_limit": [0.05, 0.07], "rows": [
    {"tool": "x|y", "per_connection": 10, "kept": [0.9, 0.8], "workload_cpu": [1.1], "cpu": [0.2],
     "loss": ["1.0000", "0", "0"], "memory": [MEMORY]}]}


class Document(unittest.TestCase):
    def test_every_table_has_one_place(self):
        text = (pathlib.Path(__file__).resolve().parents[1] / "docs/performance.md").read_text(encoding="utf-8")
        for name in document.TABLES:
            begin, end = document.marks(name)
            self.assertEqual((text.count(begin), text.count(end)), (1, 1), name)
            self.assertIn(f" {name}", measure.__doc__)

    def test_only_the_table_that_was_made_changes(self):
        places = "".join("\n".join(("", *document.marks(name), "")) for name in ("throughput", "peers"))
        result = {"made": MADE, "data": {"missing": [], "rows": [{"tool": "x", "reason": None}]}}
        once = document.replaced(f"head{places}tail", "peers", result)
        self.assertEqual(once.count("| x | runs |"), 1)
        self.assertIn("\n".join(document.marks("throughput")), once)
        self.assertTrue(once.startswith("head\n") and once.endswith("\ntail"))
        self.assertEqual(document.replaced(once, "peers", result), once)

    def test_a_document_without_the_place_is_refused(self):
        with self.assertRaises(ValueError):
            document.replaced("nothing", "peers", {"made": MADE, "data": {"rows": []}})

    def test_says_how_it_was_made(self):
        said = document.provenance(MADE)
        for word in ("`./dev bench --quick x`", "2026-01-02", "abc", "6.1", "2 CPUs", "bpftrace 0.17", "Quick form"):
            self.assertIn(word, said)
        self.assertNotIn("Quick", document.provenance({**MADE, "quick": False}))

    def test_cells_cannot_break_a_table(self):
        self.assertEqual(common.markdown(["a", "b"], [["x|y", "1"]]), ["| a | b |", "| :-- | --: |", "| x\\|y | 1 |"])

    def test_throughput(self):
        lines = throughput.render(THROUGHPUT)
        self.assertIn("| x\\|y | 2 | 0.85 [0.80..0.90] | 0.20 | 1.10 | 1.0000 | 0 | 0 |", lines)
        self.assertIn("| x\\|y | 2.0 | 8.0 | 10.0 | 12.0 |", lines)
        self.assertTrue(any("0.06 [0.05..0.07]" in line for line in lines))

    def test_kernel_time_without_the_clock(self):
        data = {"connections": 10, "clock": 50.0, "rows": [{"tool": "x", "ns": [400.0], "runs": [2.0]}],
                "programs": [{"command": "c", "program": "p", "ns": [400.0], "runs": [2.0]}]}
        lines = kernel.render(data)
        self.assertIn("| x | 2.00 | 400 | 200 | 300 |", lines)
        self.assertIn("| `c` | `p` | 2.00 | 400 | 200 | 300 |", lines)
        self.assertIn("| x | 2.00 | 400 | 200 | - |", kernel.render({**data, "clock": None}))

    def test_collectors_on_minus_off(self):
        def one(names, ns, cpu):
            return {"collectors": names, "kept": [0.9], "ns": [ns], "cpu": [cpu]}
        data = {"names": ["a", "b"], "sets": [one(["a"], 100, 0.1), one(["b"], 300, 0.3), one(["a", "b"], 350, 0.35)]}
        lines = collectors.render(data)
        self.assertIn("| `a` | 0.90 | 100 | 0.10 | 50 | 0.05 |", lines)
        self.assertIn("| `b` | 0.90 | 300 | 0.30 | 250 | 0.25 |", lines)
        alone = collectors.render({"names": ["a"], "sets": [one(["a"], 100, 0.1)]})
        self.assertIn("| `a` | 0.90 | 100 | 0.10 | - | - |", alone)

    def test_words_of_a_tool_are_shown_as_words(self):
        self.assertEqual(document.shown("a\x1b[31m`<b>`"), "a [31m  b  ")
        self.assertEqual(len(document.shown("x" * 1000)), len("...") + document.REASON_LENGTH)
        lines = peers.render({"missing": [], "rows": [{"tool": "x", "reason": "<b>"}, {"tool": "y", "reason": None}]})
        self.assertIn("| x | no:  b  |", lines)
        self.assertIn("| y | runs |", lines)

    def test_a_table_says_first_what_it_lacks(self):
        result = {"made": MADE, "data": THROUGHPUT, "left_out": {"tcpstates": "no <b>", "bpftrace": "not installed"}}
        lines = document.section("throughput", result).splitlines()
        self.assertEqual(lines[2], "**Without tcpstates: no  b ; bpftrace: not installed.**")
        self.assertNotIn("Without tcpstates", document.section("throughput", {**result, "left_out": {}}))

    def test_loss_adds_up(self):
        runs = [{"delivered": 90, "lost": 8, "truth": 100}, {"delivered": 100, "lost": 0, "truth": 100}]
        self.assertEqual(common.loss_cells(runs), ["0.9500", "8", "2"])

    def test_what_is_mounted_for_peers(self):
        mounted = "proc /proc proc rw 0 0\ntracefs /sys/kernel/tracing tracefs rw,relatime 0 0\n"
        self.assertEqual(mounts.missing(mounted), [("debugfs", "/sys/kernel/debug")])
        self.assertEqual(mounts.missing(mounted + "none /sys/kernel/debug debugfs rw 0 0\n"), [])
        self.assertEqual(mounts.missing(""), list(mounts.WANTED))

    def test_words_of_the_command_line(self):
        options = measure.parse(["--quick", "loss", "start"])
        self.assertEqual((options.quick, options.tables), (True, ["loss", "start"]))


if __name__ == "__main__":
    unittest.main()
