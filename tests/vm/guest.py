# SPDX-License-Identifier: Apache-2.0
"""Runs the scenarios of a job, in the test machine.

usage: guest.py JOB
JOB is a JSON file: {"environment": {...}, "limit": seconds, "scenarios": [{"name", "command", "environment"}...]}.
Writes a line of JSON for each scenario that ended: {"name", "code", "seconds", "output"}; code is null where it had to be
ended. While one runs an empty object says every few seconds that the machine is alive.
"""
import json
import os
import signal
import subprocess
import sys
import time

HEAD, TAIL = 8000, 16000  # of what a scenario wrote: characters
ALIVE_S = 5


def tell(what):
    print(json.dumps(what), flush=True)


def run(scenario, environment, limit):
    began = time.monotonic()
    # A session of its own: what is not told to end with its parent ends with the group.
    process = subprocess.Popen(scenario["command"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               env={**os.environ, **environment, **scenario["environment"]}, start_new_session=True)
    output = b""
    while process.returncode is None and time.monotonic() < began + limit:
        try:
            output, _ = process.communicate(timeout=ALIVE_S)
        except subprocess.TimeoutExpired:
            tell({})
    code = process.returncode
    if code is None:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
    text = output.decode(errors="replace")
    tell({"name": scenario["name"], "code": code, "seconds": round(time.monotonic() - began, 1),
          "output": text if len(text) <= HEAD + TAIL else f"{text[:HEAD]}\n[...]\n{text[-TAIL:]}"})


def main(job):
    with open(job, encoding="utf-8") as file:
        job = json.load(file)
    tell({})
    for scenario in job["scenarios"]:
        run(scenario, job["environment"], job["limit"])


if __name__ == "__main__":
    main(*sys.argv[1:])
