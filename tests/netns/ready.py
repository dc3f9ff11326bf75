# SPDX-License-Identifier: Apache-2.0
"""Starting a process that says when it is ready: sockeye and the workload programs write a newline to the descriptor
that --ready-fd (or the like) names."""
import os
import select

from pace import patience

READY_S = 30


class NotReady(AssertionError):
    """The process ended, or said nothing in time; `process` is it."""

    def __init__(self, process, text):
        super().__init__(f"{process} {text}\n{process.stderr}")
        self.process = process


def start_ready(launch, timeout=READY_S):
    """The process that launch(fd) started, once it is ready; fd is the descriptor it has to inherit (pass_fds)."""
    read_end, write_end = os.pipe()
    try:
        try:
            process = launch(write_end)
        finally:
            os.close(write_end)
        readable, _, _ = select.select([read_end], [], [], patience(timeout))
        if not readable:
            raise NotReady(process, f"was not ready within {patience(timeout):g} s")
        said = os.read(read_end, 1)
        if not said:
            raise NotReady(process, f"exited with {process.wait()}")
        assert said == b"\n", f"{process} said {said}"
        return process
    finally:
        os.close(read_end)
