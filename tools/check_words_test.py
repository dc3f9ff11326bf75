# SPDX-License-Identifier: Apache-2.0
"""check_words.py on files that are made for it."""
import unittest

import check_words
from checking_for_tests import said_of

GLOSSARY = """# Glossary

| word | means | not |
|---|---|---|
| hook | a place | moment |
| event | it happened | record |
| entry, socket entry | remembered | record |
| visit | passing by | tick_ |
"""
ALLOW = "# words\nrecord text --record\\b\nmoment file ^docs/old\\.md$\n"


def complaints(text, path="src/a.cpp"):
    return said_of(check_words.complaints, {path: text, "docs/glossary.md": GLOSSARY, "tools/check_words.allow": ALLOW})


class Words(unittest.TestCase):
    def test_refuses_a_word_in_every_spelling(self):
        for text in ("a moment", "moments", "the_moment", "moment_of", "kMoment", "MomentOf", "aMoments()", "MOMENT_KIND", "tick_socket",
                     "on_tick_file", "`tick_*`"):
            self.assertEqual(len(complaints(text)), 1, text)

    def test_takes_words_that_only_contain_it(self):
        for text in ("momentary", "recording", "Recorded", "ticks", "tick", "hook"):
            self.assertEqual(complaints(text), [], text)

    def test_says_where_and_what_to_say(self):
        self.assertEqual(complaints("\nx = record;"), ['src/a.cpp:2: "record": event or entry (docs/glossary.md)'])

    def test_exceptions(self):
        self.assertEqual(complaints("say --record FILE"), [])
        self.assertEqual(len(complaints("--record a record")), 1)
        self.assertEqual(complaints("a moment", "docs/old.md"), [])
        self.assertEqual(len(complaints("a moment", "docs/new.md")), 1)

    def test_looks_into_documents_and_scripts_alone(self):
        for path in ("README.md", "dev", "a/b.py", "a/b.bpf.c"):
            self.assertEqual(len(complaints("a moment", path)), 1, path)
        for path in ("a/golden/x.json", "build/x.cpp", "a.rec"):
            self.assertEqual(complaints("a moment", path), [], path)


if __name__ == "__main__":
    unittest.main()
