# SPDX-License-Identifier: Apache-2.0
"""docs/schema.json against what the program writes (the golden files), and against docs/output.md."""
import copy
import json
import sys
import unittest

try:
    import schema
except ImportError as missing:
    print(f"SKIP: not installed: python3-{missing.name}")
    sys.exit(77)

FILES = ("collectors/*/golden/*.json", "sinks/*/golden/*.json", "src/cli/golden/counts*.json")
WRONG = {str: 7, int: "7", bool: "yes", type(None): [[]], dict: [], list: {}}


def golden_events():
    for pattern in FILES:
        for file in sorted(schema.ROOT.glob(pattern)):
            for line in file.read_text(encoding="utf-8").splitlines():
                yield json.loads(line)


class Schema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.checker = schema.validator()
        cls.events = list(golden_events())
        cls.rules = schema.load()["$defs"]

    def refuse(self, event, why):
        self.assertTrue(schema.complaints(self.checker, event), f"{why} was taken: {json.dumps(event)}")

    def test_takes_what_is_written(self):
        for event in self.events:
            self.assertEqual(schema.complaints(self.checker, event), [], json.dumps(event))

    def test_there_is_a_golden_event_of_every_event(self):
        self.assertEqual({event["event"] for event in self.events}, set(schema.keys_in_schema()))

    def test_says_what_the_page_says(self):
        self.assertEqual(schema.keys_in_schema(), schema.keys_in_page())

    def test_refuses_another_key(self):
        for event in self.events:
            self.refuse({**event, "more": 1}, "another key")
        counts = next(event for event in self.events if event.get("groups"))
        for change in (lambda r: r["groups"][0].update(more=1), lambda r: r["sockets"].update(MORE=1),
                       lambda r: r["drift"].update(MORE=1), lambda r: r["groups"][0]["sockets"].update(MORE=1)):
            changed = copy.deepcopy(counts)
            change(changed)
            self.refuse(changed, "another key inside")

    def test_refuses_a_missing_key(self):
        for event in self.events:
            for key in self.rules[event["event"]]["required"]:
                self.refuse({k: v for k, v in event.items() if k != key}, f"no {key}")

    def test_refuses_another_type(self):
        for event in self.events:
            for key, value in event.items():
                self.refuse({**event, key: WRONG[type(value)]}, f"a wrong {key}")

    def test_refuses_an_unknown_word(self):
        for key in ("owner_source", "family", "role", "old_state", "new_state", "outcome", "state", "stage", "reason",
                    "by", "event"):
            used = [event for event in self.events
                    if key in event and (event["event"], key) != ("drops", "reason")]  # each kernel has its own
            self.assertTrue(used, key)
            for event in used:
                self.refuse({**event, key: "ESTAB"}, f"a word of {key}")
                self.refuse({**event, key: ""}, f"no word of {key}")

    def test_refuses_what_is_no_number_time_or_address(self):
        event = next(event for event in self.events if event["event"] == "states")
        for key, value in (("lport", 65536), ("lport", -1), ("pid", 1.5), ("time", "2026-03-21 14:23:25"),
                           ("time", "2026-03-21T14:23:25.454Z"), ("laddr", "10.0.0.256"), ("raddr", "localhost"),
                           ("raddr", "::g"), ("v", 1), ("cookie", 4711), ("cookie", "0x1"), ("late", False), ("derived", None)):
            self.refuse({**event, key: value}, f"{key} {value}")

    def test_a_group_has_one_key(self):
        event = next(event for event in self.events if event.get("by") == "port")
        for change in (lambda group: group.update(comm="nginx"), lambda group: group.pop("port")):
            changed = copy.deepcopy(event)
            change(changed["groups"][0])
            self.refuse(changed, "a group with more or fewer keys than one")


if __name__ == "__main__":
    unittest.main()
