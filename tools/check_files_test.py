# SPDX-License-Identifier: Apache-2.0
"""check_files.py on files that are made for it."""
import unittest

import check_files
from checking_for_tests import said_of

USER = "// SPDX-License-Identifier: Apache-2.0\n"
KERNEL = "/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */\n"
PYTHON = "# SPDX-License-Identifier: Apache-2.0\n"


def complaints(path, text, allow=""):
    """The rules that check_files says are broken by a file `path` with this text: ["line:rule", ...]."""
    said = said_of(check_files.complaints, {path: text, "tools/check_files.allow": allow})
    return [f"{number}:{rule.strip()}" for number, rule in (line.split(":")[1:3] for line in said)]


class Files(unittest.TestCase):
    def test_refuses_a_long_file(self):
        self.assertEqual(complaints("src/a/a.cpp", USER + "\n" * 399), [])
        self.assertEqual(complaints("src/a/a.cpp", USER + "\n" * 400), ["1:lines"])

    def test_refuses_a_missing_or_wrong_licence(self):
        self.assertEqual(complaints("src/a/a.cpp", ""), ["1:licence"])
        self.assertEqual(complaints("src/a/a.cpp", KERNEL), ["1:licence"])
        self.assertEqual(complaints("collectors/a/on_sent.bpf.h", USER), ["1:licence"])
        self.assertEqual(complaints("collectors/a/on_sent.bpf.h", KERNEL), [])
        self.assertEqual(complaints("tools/a.py", "#!/usr/bin/env python3\n" + PYTHON), [])
        self.assertEqual(complaints(".ci/run", "#!/bin/bash\n"), ["1:licence"])

    def test_refuses_marks(self):
        for mark in ("TODO: later", "FIXME", "XXX", "Keep in sync with b.h"):
            self.assertEqual(complaints("src/a/a.cpp", f"{USER}int a;\n// {mark}\n"), ["3:marks"], mark)
        self.assertEqual(complaints("src/a/a.cpp", USER + 'mkdtemp("a-XXXXXX");\n'), [])

    def test_refuses_a_long_function(self):
        body = "  f();\n"
        self.assertEqual(complaints("src/a/a.cpp", USER + "void f() {\n" + body * 58 + "}\n"), [])
        self.assertEqual(complaints("src/a/a.cpp", USER + "\nvoid f() {\n" + body * 59 + "}\n"), ["3:function"])
        self.assertEqual(complaints("bpf/a.h", KERNEL + "\nint f(void)\n{\n" + body * 59 + "}\n"), ["3:function"])
        self.assertEqual(complaints("tools/a.py", PYTHON + "def f():\n" + "    f()\n" * 60), ["2:function"])

    def test_a_long_table_is_no_function(self):
        self.assertEqual(complaints("src/a/a.cpp", USER + "void f() {\n" + "    {1, 2},\n" * 80 + "}\n"), [])
        self.assertEqual(complaints("src/a/a.cpp", USER + "const int a[] = {\n" + "  1,\n" * 80 + "};\n"), [])

    def test_takes_exceptions_with_a_reason(self):
        self.assertEqual(complaints("src/a/a.cpp", USER + "\n" * 400, "src/a/a.cpp lines it is generated\n"), [])
        with self.assertRaises(SystemExit):
            complaints("src/a/a.cpp", USER, "src/a/a.cpp lines\n")


if __name__ == "__main__":
    unittest.main()
