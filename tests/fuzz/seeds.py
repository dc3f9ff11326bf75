#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a fuzz target begins with: the golden recordings, as the target takes them.

usage: tests/fuzz/seeds.py TARGET FOLDER
"""
import pathlib
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent.parent
FILE_HEADER = 16
BLOCK_HEADER = struct.Struct("<IIIIQQ")  # src/record/format.h


def blocks(recording):
    """What each block holds."""
    at = FILE_HEADER
    while at < len(recording):
        size = BLOCK_HEADER.unpack_from(recording, at)[1]
        at += BLOCK_HEADER.size
        yield subprocess.run(["zstd", "-dcq"], input=recording[at:at + size], stdout=subprocess.PIPE, check=True).stdout
        at += size


def seeds(target, recording):
    if target == "record_entries_fuzz":
        for number, block in enumerate(blocks(recording)):
            yield bytes([number == 0]) + bytes(7) + block
    else:
        yield recording


def main(target, folder):
    for file in sorted(ROOT.glob("collectors/*/golden/*.v[0-9]*")):
        for number, seed in enumerate(seeds(target, file.read_bytes())):
            pathlib.Path(folder, f"seed-{file.name}-{number}").write_bytes(seed)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
