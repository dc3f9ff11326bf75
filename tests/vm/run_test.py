# SPDX-License-Identifier: Apache-2.0
"""Unit tests of tests/vm: what counts as passed, failed and skipped."""
import pathlib
import re
import unittest

import run  # pylint: disable=wrong-import-position
import skips  # pylint: disable=wrong-import-position

ROOT = pathlib.Path(__file__).resolve().parents[2]


def told(code, output=""):
    return {"name": "netns.x.y", "code": code, "seconds": 1.5, "output": output}


def names_of_scenarios():
    for file in [*ROOT.glob("collectors/*/*_netns.py"), *ROOT.glob("tests/netns/*_netns.py")]:
        for case in re.findall(r"^def test_(\w+)\(", file.read_text(encoding="utf-8"), re.MULTILINE):
            yield f"netns.{file.name.removesuffix('_netns.py')}.{case}"


class Judge(unittest.TestCase):
    def test_an_exit_code_of_0_has_passed(self):
        self.assertEqual(run.judge("netns.x.y", told(0), "6.1").what, "passed")

    def test_no_word_of_it_is_a_failure(self):
        self.assertEqual(run.judge("netns.x.y", None, "6.1").what, "failed")

    def test_no_end_is_a_failure(self):
        self.assertEqual(run.judge("netns.x.y", told(None), "6.1").what, "failed")

    def test_another_exit_code_is_a_failure(self):
        self.assertEqual(run.judge("netns.x.y", told(1), "6.1").what, "failed")
        self.assertEqual(run.judge("netns.x.y", told(-9), "6.1").what, "failed")

    def test_a_skip_counts_where_the_kernel_cannot(self):
        output = "words\nSKIP: this kernel has no MPTCP\n"
        result = run.judge("netns.states_mptcp.who_accepts", told(77, output), "5.10")
        self.assertEqual((result.what, result.why), ("skipped", "this kernel has no MPTCP"))

    def test_a_skip_where_the_kernel_can_is_a_failure(self):
        for machine in ("6.1", "6.12", "6.12-confidentiality"):
            self.assertEqual(run.judge("netns.states_mptcp.who_accepts", told(77), machine).what, "failed")


class Complaints(unittest.TestCase):
    def test_what_the_kernel_finds_fault_with_is_found(self):
        for line in ("[   12.3] BUG: sleeping function called from invalid context at kernel/locking/spinlock_rt.c:46",
                     "[   12.3] BUG: scheduling while atomic: curl/77/0x00000002",
                     "[   12.3] BUG: kernel NULL pointer dereference, address: 0000000000000010"):
            self.assertEqual(run.complaints(f"[    1.0] Linux version 6.1\n{line}\n[   13.0] more\n"), [line])

    def test_a_slow_machine_is_no_fault(self):
        self.assertEqual(run.complaints("watchdog: BUG: soft lockup - CPU#1 stuck for 23s!\nrcu: INFO: rcu_preempt stall\n"), [])


class Tables(unittest.TestCase):
    def test_what_may_be_skipped_is_there(self):
        names = list(names_of_scenarios())
        for scenarios, machines, why in skips.ALLOWED:
            self.assertTrue(why)
            self.assertTrue(any(re.fullmatch(scenarios, name) for name in names), scenarios)
            self.assertTrue(any(re.fullmatch(machines, name) for name in run.MACHINES), machines)

    def test_what_the_short_form_runs_is_there(self):
        names = list(names_of_scenarios())
        for part in run.SHORT[1]:
            self.assertTrue(any(re.fullmatch(part, name) for name in names), part)


if __name__ == "__main__":
    unittest.main()
