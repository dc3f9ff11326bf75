# SPDX-License-Identifier: Apache-2.0
"""new_collector.py on a copy of what it looks at."""
import contextlib
import io
import pathlib
import shutil
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parent
import check_files
import check_layers
import checking
import new_collector


class NewCollector(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for name in ("bpf", "collectors", "src", "tests/support"):
            shutil.copytree(TOOLS.parent / name, self.root / name)
        (self.root / "tools").mkdir()
        shutil.copy(TOOLS / "check_files.allow", self.root / "tools")
        for name in ("check_files.py", "check_files_test.py"):
            shutil.copy(TOOLS / name, self.root / "tools")

    def run_tool(self, name):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = new_collector.main(name, self.root)
        return code, out.getvalue(), err.getvalue()

    def files(self):
        return {str(file.relative_to(self.root)): file.read_bytes() for file in self.root.rglob("*") if file.is_file()}

    def test_writes_one_folder_that_passes_the_checks(self):
        before = self.files()
        code, out, _ = self.run_tool("sample_one")
        self.assertEqual(code, 0)
        added = {name for name in self.files() if name not in before}
        self.assertEqual(added, set(out.split()))
        self.assertTrue(all(name.startswith("collectors/sample_one/") for name in added), added)
        self.assertEqual({name: text for name, text in self.files().items() if name in before}, before)
        for check in (check_layers, check_files):
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                checking.report(check.complaints, self.root)
            self.assertNotIn("collectors/sample_one/", said.getvalue())
        self.assertNotIn("@", "".join((self.root / name).read_text() for name in added))

    def test_takes_the_next_free_kind(self):
        for name in ("sample_one", "sample_two"):
            self.assertEqual(self.run_tool(name)[0], 0)
        kinds = [int(new_collector.re.search(r"_KIND (\d+)", file.read_text())[1])
                 for file in sorted((self.root / "collectors").glob("*/*.event.h"))]
        self.assertEqual(len(kinds), len(set(kinds)))
        self.assertGreaterEqual(min(kinds), new_collector.MIN_KIND)

    def test_refuses_names_that_cannot_be(self):
        for name in ("", "Demo", "4u", "a-b", "a__b", "_a", "a_", "../x", "x" * 25, "int", "trace", "states",
                     "states_more", "record", "ring", "listener", "settings", "counters", "filters", "set_state", "set",
                     "sent", "sent_bytes", "socket", "tcp", "owner", "gap", "end"):
            with self.subTest(name=name):
                before = self.files()
                code, out, err = self.run_tool(name)
                self.assertEqual((code, out), (2, ""), err)
                self.assertTrue(err.startswith(f"new collector {name}: "), err)
                self.assertEqual(self.files(), before)


if __name__ == "__main__":
    unittest.main()
