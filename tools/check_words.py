#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses words that docs/glossary.md has another word for, in code, help, messages and documents.

usage: tools/check_words.py [ROOT]
Prints file:line, the word and what to say; exit code 1 if there is one. The glossary's last column has the words; one that ends in
"_" is the beginning of a name. tools/check_words.allow holds the exceptions, one a line: the word, and a regular expression of what
may stand there, or of the file's path.
"""
import re

import checking

GLOSSARY = "docs/glossary.md"
ALLOWED = "tools/check_words.allow"
LEFT_OUT = re.compile(r"(^|/)(golden|build[^/]*|corpus|\.git)/|^tools/check_words|^docs/glossary\.md$|vmlinux\.h$")
SUFFIXES = {".cpp", ".h", ".c", ".py", ".sh", ".cmake", ".md", ".txt", ".json"}
NAMES = {"CMakeLists.txt", "dev"}


def forbidden(root):
    """word -> what to say in its place"""
    words = {}
    for line in (root / GLOSSARY).read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) != 3 or cells[0] == "word" or set(cells[0]) <= {"-"}:
            continue
        for word in filter(None, (word.strip() for word in cells[2].split(","))):
            words.setdefault(word, []).append(cells[0].split(",")[0])
    return words


def pattern_of(word):
    """It in any spelling of names: a_word, words, aWordThatIs, WORD; not a word that it is only a part of."""
    if word.endswith("_"):
        return re.compile(rf"(?<![A-Za-z]){word}(?=[a-z*])")
    capital = word.capitalize()
    return re.compile(rf"(?<![A-Za-z]){word}s?(?![a-z])|(?<![A-Z]){capital}s?(?![a-z])|(?<![A-Z]){word.upper()}S?(?![A-Z])")


def exceptions(root):
    """word -> (what may stand in a line, the files in which it may)"""
    allowed = {}
    for line in (root / ALLOWED).read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        word, kind, expression = line.split(None, 2)
        allowed.setdefault(word, {"text": [], "file": []})[kind].append(expression)
    return {word: tuple(re.compile("|".join(kinds[kind]) or r"(?!)") for kind in ("text", "file")) for word, kinds in allowed.items()}


def files(root):
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and (path.suffix in SUFFIXES or path.name in NAMES) and not LEFT_OUT.search(name):
            yield name, path


def complaints(root):
    words = {word: (pattern_of(word), say) for word, say in forbidden(root).items()}
    allowed = exceptions(root)
    for name, path in files(root):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for word, (pattern, say) in words.items():
                text, file = allowed.get(word, (None, None))
                if file and file.search(name):
                    continue
                if match := pattern.search(text.sub("", line) if text else line):
                    yield f"{name}:{number}: \"{match[0]}\": {' or '.join(say)} ({GLOSSARY})"


if __name__ == "__main__":
    checking.start(__doc__, complaints)
