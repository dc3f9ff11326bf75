# SPDX-License-Identifier: Apache-2.0
"""Which methods a kernel takes, by doctor, against what is written down of the kernels that tests/vm/ boots."""
import json
import os
import pathlib

import netns

ALONE = "counts what is loaded on the machine"
WRITTEN_DOWN = pathlib.Path(__file__).parents[1] / "vm/attach_methods.json"


def test_as_written_down(net):
    kernels = json.loads(WRITTEN_DOWN.read_text(encoding="ascii"))
    machine = os.environ.get("SOCKEYE_MACHINE", "")  # 6.12, or 6.12-... where something was taken from it
    expected = kernels.get(machine.split("-")[0])
    if expected is None:
        netns.skip("this is none of the kernels in tests/vm/attach_methods.json")
    told = json.loads(net.host.run([netns.program_of("SOCKEYE"), "doctor", "--json"]).stdout)
    for collector in told["collectors"]:
        taken = {hook["hook"]: hook["method"] for hook in collector["hooks"]}
        assert taken == expected[collector["name"]], (collector["name"], taken)
        assert collector["tried"] and collector["verdict"] in ("works", "degraded"), collector
        for hook in collector["hooks"]:
            assert all(refusal["why"] for refusal in hook["refused"]), hook
            assert hook["refused"] or not hook["loses"], hook
    assert told["machine"]["lockdown"] == ("confidentiality" if "confidentiality" in machine else "none"), told["machine"]
    assert (told["machine"]["tracefs"] is None) == ("notracefs" in machine), told["machine"]
