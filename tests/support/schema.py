# SPDX-License-Identifier: Apache-2.0
"""docs/schema.json and docs/output.md, as tests use them."""
import json
import pathlib
import re

import jsonschema

ROOT = pathlib.Path(__file__).parent.parent.parent
SHARED = "Keys of every socket"


def load():
    return json.loads((ROOT / "docs/schema.json").read_text(encoding="utf-8"))


def validator():
    """Refuses what the schema refuses; also text that is no address where it has to be one."""
    schema = load()
    kind = jsonschema.Draft202012Validator
    kind.check_schema(schema)
    return kind(schema, format_checker=jsonschema.FormatChecker(["ipv4", "ipv6"]))


def complaints(checker, event):
    """What is wrong with an event, in words; empty: nothing."""
    return [f"{error.json_path}: {error.message}" for error in checker.iter_errors(event)]


def keys_of(schema, rules, prefix=""):
    """The keys that an object of these rules may have, those of the objects in it as a.b."""
    keys = set()
    for key, inner in rules.get("properties", {}).items():
        if "$ref" in inner:
            inner = schema["$defs"][inner["$ref"].removeprefix("#/$defs/")]
        keys.add(prefix + key)
        keys |= keys_of(schema, inner, f"{prefix}{key}.") | keys_of(schema, inner.get("items", {}), f"{prefix}{key}.")
    return keys


def keys_in_schema():
    """{event: keys}"""
    schema = load()
    events = schema["properties"]["event"]["enum"]
    return {event: keys_of(schema, schema["$defs"][event]) for event in events}


def keys_in_page():
    """The same, as docs/output.md has it: from the rows of its tables and what it says that objects hold."""
    sections = {}
    for section in re.split(r"^## ", (ROOT / "docs/output.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        title, text = section.split("\n", 1)
        keys = set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))
        for key, held in re.findall(r"^- `([^`]+)` holds a number for each of (.*)$", text, re.MULTILINE):
            keys |= {f"{key}.{word}" for word in re.findall(r"`([^`]+)`", held)}
        sections[title] = keys | (sections[SHARED] if f"[{SHARED.lower()}]" in text.lower() else set())
    del sections[SHARED]
    return {event: keys | {"v", "event"} for event, keys in sections.items()}
