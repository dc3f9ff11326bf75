# SPDX-License-Identifier: Apache-2.0
"""What the tests of check_*.py share: what a check says of a tree that is made for it."""
import contextlib
import io
import pathlib
import tempfile

import checking


def said_of(complaints, files):
    """The lines that complaints() yields for a tree of these files (path -> text); the exit code has to fit."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            file = pathlib.Path(root) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = checking.report(complaints, root)
        said = out.getvalue().splitlines()
        assert code == (1 if said else 0), (code, said)
        return said
