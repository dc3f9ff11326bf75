# SPDX-License-Identifier: Apache-2.0
"""check_layers.py on trees that are made for it: each wrong include is refused, with its place; each right one is not."""
import unittest

import check_layers
from checking_for_tests import said_of

TREE = (
    "bpf/base.h", "bpf/emit.h", "bpf/filter.h", "collectors/states/states.event.h", "collectors/states/states.sock.h",
    "collectors/states/emit_transition.bpf.h", "collectors/states/own.h", "sinks/text/values.h", "sinks/json/escape.h",
    "src/base/fd.h", "src/event/wire.h", "src/event/field.h", "src/bpf/settings.h", "src/bpf/object.h",
    "src/source/ring_source.h", "src/enrich/process.h", "src/detect/runner.h", "src/explain/pattern.h",
    "src/pipeline/pipeline.h", "src/cli/command_line.h", "src/doctor/machine.h", "src/docs/json_shape.h", "tests/support/golden.h",
)


def complaints(path, include):
    """What check_layers says of a tree in which the file `path` includes `include`."""
    include = include if include[0] in '"<' else f'"{include}"'
    tree = dict.fromkeys(TREE, "")
    return "".join(line + "\n" for line in said_of(check_layers.complaints, {**tree, path: f"// one line before\n#include {include}\n"}))


class Layers(unittest.TestCase):
    def refuse(self, path, include):
        said = complaints(path, include)
        self.assertTrue(said.startswith(f"{path}:2: "), f"{path} includes {include}: {said or 'nothing was said'}")
        self.assertEqual(said.count("\n"), 1)

    def take(self, path, include):
        self.assertEqual(complaints(path, include), "")

    def test_refuses_wrong_include(self):
        for path, include in (
                ("src/base/text.cpp", "event/field.h"),
                ("src/event/field.cpp", "bpf/object.h"),
                ("src/enrich/process.cpp", "detect/runner.h"),
                ("src/detect/runner.cpp", "explain/pattern.h"),
                ("src/pipeline/pipeline.cpp", "cli/command_line.h"),
                ("src/main.cpp", "pipeline/pipeline.h"),
                ("src/aggregate/socket_counts.h", "collectors/states/own.h"),
                ("src/cli/command_line.cpp", "collectors/states/states.event.h"),
                ("src/cli/command_line.cpp", "sinks/text/values.h"),
                ("src/doctor/diagnosis.cpp", "cli/command_line.h"),
                ("src/docs/json_shape.cpp", "cli/command_line.h"),
                ("sinks/text/text.cpp", "enrich/process.h"),
                ("sinks/text/text.cpp", "collectors/states/states.event.h"),
                ("sinks/text/text.cpp", "sinks/json/escape.h"),
                ("collectors/demo/demo.cpp", "bpf/object.h"),
                ("collectors/demo/demo.cpp", "collectors/states/own.h"),
                ("bench/limit/limit.cpp", "event/field.h"),
                ("src/bpf/object.cpp", "limit.skel.h"),
                ("bench/limit/limit.cpp", "sockeye.skel.h"),
                ("detectors/flood/flood.cpp", "enrich/process.h")):
            with self.subTest(path=path, include=include):
                self.refuse(path, include)

    def test_refuses_crossing_between_kernel_side_and_user_space(self):
        for path, include in (
                ("src/bpf/object.cpp", "bpf/base.h"),
                ("collectors/states/states.cpp", "collectors/states/emit_transition.bpf.h"),
                ("src/source/ring_source.cpp", "sockeye.skel.h"),
                ("bpf/owner.h", "event/field.h"),
                ("bpf/owner.h", "collectors/states/states.event.h"),
                ("bpf/owner.h", "<linux/tcp.h>"),
                ("collectors/demo/on_sent.bpf.h", "src/base/fd.h"),
                ("collectors/demo/demo.event.h", "bpf/base.h"),
                ("src/event/wire.h", "event/field.h")):
            with self.subTest(path=path, include=include):
                self.refuse(path, include)

    def test_angle_brackets_do_not_get_around_a_rule(self):
        self.refuse("src/base/text.cpp", "<event/field.h>")

    def test_refuses_what_does_not_exist(self):
        self.refuse("src/base/text.cpp", "base/no_such_file.h")

    def test_takes_right_include(self):
        for path, include in (
                ("src/base/text.cpp", "base/fd.h"),
                ("src/base/text.cpp", "<string>"),
                ("src/source/replay.cpp", "bpf/filter.h"),
                ("src/bpf/ladder_test.cpp", "bpf/emit.h"),
                ("src/source/ring_source.cpp", "bpf/settings.h"),
                ("src/bpf/object.cpp", "sockeye.skel.h"),
                ("src/bpf/object.cpp", "<bpf/libbpf.h>"),
                ("src/cli/commands/stream.cpp", "source/ring_source.h"),
                ("src/cli/commands/doctor.cpp", "doctor/machine.h"),
                ("src/doctor/diagnosis.cpp", "bpf/object.h"),
                ("src/aggregate/socket_counts.h", "collectors/states/states.event.h"),
                ("src/main.cpp", "cli/command_line.h"),
                ("sinks/text/text.cpp", "sinks/text/values.h"),
                ("sinks/text/text_test.cpp", "tests/support/golden.h"),
                ("collectors/demo/demo.cpp", "collectors/states/states.event.h"),
                ("collectors/demo/on_sent.bpf.h", "bpf/emit.h"),
                ("collectors/demo/on_sent.bpf.h", "collectors/states/emit_transition.bpf.h"),
                ("collectors/demo/demo.event.h", "event/wire.h"),
                ("src/event/wire.h", "<linux/types.h>"),
                ("bpf/owner.h", "src/bpf/settings.h"),
                ("bpf/owner.h", "gen/sock_parts.h"),
                ("bpf/owner.h", "<bpf/bpf_helpers.h>"),
                ("bench/limit/limit.cpp", "base/fd.h"),
                ("bench/limit/limit.cpp", "limit.skel.h"),
                ("bench/limit/limit.bpf.c", "bpf/base.h"),
                ("tests/load/object_test.cpp", "bpf/object.h")):
            with self.subTest(path=path, include=include):
                self.take(path, include)


if __name__ == "__main__":
    unittest.main()
