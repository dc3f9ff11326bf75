# SPDX-License-Identifier: Apache-2.0
"""docs/schema.json against what the program writes (the golden files), and against docs/output.md."""
import copy
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
try:
    import schema
except ImportError as missing:
    print(f"SKIP: not installed: python3-{missing.name}")
    sys.exit(77)

FILES = ("collectors/*/golden/*.json", "sinks/*/golden/*.json", "src/cli/golden/counts*.json")
WRONG = {str: 7, int: "7", bool: "yes", type(None): [[]], dict: [], list: {}}


def golden_records():
    for pattern in FILES:
        for file in sorted(schema.ROOT.glob(pattern)):
            for line in file.read_text(encoding="utf-8").splitlines():
                yield json.loads(line)


class Schema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.checker = schema.validator()
        cls.records = list(golden_records())
        cls.rules = schema.load()["$defs"]

    def refuse(self, record, why):
        self.assertTrue(schema.complaints(self.checker, record), f"{why} was taken: {json.dumps(record)}")

    def test_takes_what_is_written(self):
        for record in self.records:
            self.assertEqual(schema.complaints(self.checker, record), [], json.dumps(record))

    def test_there_is_a_golden_record_of_every_event(self):
        self.assertEqual({record["event"] for record in self.records}, set(schema.keys_in_schema()))

    def test_says_what_the_page_says(self):
        self.assertEqual(schema.keys_in_schema(), schema.keys_in_page())

    def test_refuses_another_key(self):
        for record in self.records:
            self.refuse({**record, "more": 1}, "another key")
        counts = next(record for record in self.records if record.get("groups"))
        for change in (lambda r: r["groups"][0].update(more=1), lambda r: r["sockets"].update(MORE=1),
                       lambda r: r["drift"].update(MORE=1), lambda r: r["groups"][0]["sockets"].update(MORE=1)):
            changed = copy.deepcopy(counts)
            change(changed)
            self.refuse(changed, "another key inside")

    def test_refuses_a_missing_key(self):
        for record in self.records:
            for key in self.rules[record["event"]]["required"]:
                self.refuse({k: v for k, v in record.items() if k != key}, f"no {key}")

    def test_refuses_another_type(self):
        for record in self.records:
            for key, value in record.items():
                self.refuse({**record, key: WRONG[type(value)]}, f"a wrong {key}")

    def test_refuses_an_unknown_word(self):
        for key in ("owner_source", "family", "role", "old_state", "new_state", "outcome", "state", "stage", "reason",
                    "by", "event"):
            used = [record for record in self.records
                    if key in record and (record["event"], key) != ("drops", "reason")]  # each kernel has its own
            self.assertTrue(used, key)
            for record in used:
                self.refuse({**record, key: "ESTAB"}, f"a word of {key}")
                self.refuse({**record, key: ""}, f"no word of {key}")

    def test_refuses_what_is_no_number_time_or_address(self):
        record = next(record for record in self.records if record["event"] == "states")
        for key, value in (("lport", 65536), ("lport", -1), ("pid", 1.5), ("time", "2026-03-21 14:23:25"),
                           ("time", "2026-03-21T14:23:25.454Z"), ("laddr", "10.0.0.256"), ("raddr", "localhost"),
                           ("raddr", "::g"), ("v", 1), ("cookie", 4711), ("cookie", "0x1"), ("late", False), ("derived", None)):
            self.refuse({**record, key: value}, f"{key} {value}")

    def test_a_group_has_one_key(self):
        record = next(record for record in self.records if record.get("by") == "port")
        for change in (lambda group: group.update(comm="nginx"), lambda group: group.pop("port")):
            changed = copy.deepcopy(record)
            change(changed["groups"][0])
            self.refuse(changed, "a group with more or fewer keys than one")


if __name__ == "__main__":
    unittest.main()
