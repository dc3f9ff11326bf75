# SPDX-License-Identifier: Apache-2.0
"""summary.py on results as ctest writes them."""
import contextlib
import io
import pathlib
import tempfile
import unittest

import summary

PASSED = '<testcase name="a.Passes" status="run"><system-out>SKIP: not really</system-out></testcase>'
FAILED = '<testcase name="a.Fails" status="fail"><failure message=""/><system-out>no</system-out></testcase>'
KILLED = '<testcase name="a.Hangs" status="fail"><failure message="Timeout"/></testcase>'
NOT_BUILT = '<testcase name="a.NotThere" status="notrun"><skipped message="Unable to find executable"/></testcase>'
SKIPPED_SCRIPT = ('<testcase name="n.script" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/>'
                  "<system-out>one line\nSKIP: not installed: ncat\n</system-out></testcase>")
SKIPPED_GTEST = ('<testcase name="n.gtest" status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>'
                 "<system-out>[ RUN      ] N.G\n/x/n_test.cpp:19: Skipped\nneeds root:\n  programs\n"
                 "[  SKIPPED ] N.G (0 ms)\n[----------] 1 test from N (0 ms total)\n\n</system-out></testcase>")


def summed_up(*cases):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "results.xml"
        file.write_text(f'<?xml version="1.0"?><testsuite name="x">{"".join(cases)}</testsuite>')
        return run(str(file))


def run(*files):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = summary.main(files)
    return code, out.getvalue().splitlines()


class Summary(unittest.TestCase):
    def test_counts_and_ends_with_one_line(self):
        self.assertEqual(summed_up(PASSED, PASSED), (0, ["", "2 passed, 0 failed, 0 skipped"]))
        code, lines = summed_up(PASSED, FAILED, KILLED, SKIPPED_SCRIPT)
        self.assertEqual(code, 1)
        self.assertEqual(lines[-1], "1 passed, 2 failed, 1 skipped")
        self.assertIn("failed a.Fails", lines)
        self.assertIn("failed a.Hangs: Timeout", lines)

    def test_says_why_each_was_skipped(self):
        code, lines = summed_up(PASSED, SKIPPED_SCRIPT, SKIPPED_GTEST)
        self.assertEqual(code, 0)
        self.assertEqual(lines[1:], ["skipped n.script: not installed: ncat", "skipped n.gtest: needs root: programs",
                                     "1 passed, 0 failed, 2 skipped"])

    def test_a_test_that_could_not_start_has_failed(self):
        self.assertEqual(summed_up(PASSED, NOT_BUILT)[0], 1)

    def test_nothing_run_is_a_failure(self):
        self.assertEqual(summed_up(), (1, ["", "0 passed, 0 failed, 0 skipped"]))
        self.assertEqual(summed_up(SKIPPED_SCRIPT)[0], 1)

    def test_missing_results_are_a_failure(self):
        code, lines = run("/no/such/results.xml")
        self.assertEqual((code, lines[-1]), (1, "0 passed, 1 failed, 0 skipped"))


if __name__ == "__main__":
    unittest.main()
