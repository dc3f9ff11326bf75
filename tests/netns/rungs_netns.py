# SPDX-License-Identifier: Apache-2.0
"""Which rungs a kernel takes, by doctor, against what is written down of the kernels that tests/vm/ boots."""
import json
import os
import pathlib

import netns

ALONE = "counts what is loaded on the machine"
WRITTEN_DOWN = pathlib.Path(__file__).parents[1] / "vm/rungs.json"


def test_as_written_down(net):
    kernels = json.loads(WRITTEN_DOWN.read_text(encoding="ascii"))
    machine = os.environ.get("SOCKEYE_MACHINE", "")  # 6.12, or 6.12-... where something was taken from it
    expected = kernels.get(machine.split("-")[0])
    if expected is None:
        netns.skip("this is none of the kernels in tests/vm/rungs.json")
    told = json.loads(net.host.run([netns.program_of("SOCKEYE"), "doctor", "--json"]).stdout)
    for collector in told["collectors"]:
        taken = {moment["moment"]: moment["rung"] for moment in collector["moments"]}
        assert taken == expected[collector["name"]], (collector["name"], taken)
        assert collector["tried"] and collector["verdict"].startswith("works"), collector
        for moment in collector["moments"]:
            assert all(refusal["why"] for refusal in moment["refused"]), moment
            assert moment["refused"] or not moment["loses"], moment
    assert told["machine"]["lockdown"] == ("confidentiality" if "confidentiality" in machine else "none"), told["machine"]
    assert (told["machine"]["tracefs"] is None) == ("notracefs" in machine), told["machine"]
