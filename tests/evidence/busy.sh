#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The netns tier, ten times (or as often as the first argument says) in a row, beside a busy loop on one CPU.
# What fails then is a fault of the test or of the program, not of the machine.
set -euo pipefail
cd "$(dirname "$0")/../.."
times=${1:-10}
taskset -c 0 bash -c 'while :; do :; done' &
busy=$!
trap 'kill "$busy"' EXIT
failed=0
for ((run = 1; run <= times; run++)); do
  echo "run $run of $times"
  ./dev test --tier netns >"build/busy-$run.log" 2>&1 || failed=$((failed + 1))
  tail -n 1 "build/busy-$run.log"
  grep -E '\(Failed\)|\(Timeout\)' "build/busy-$run.log" || true
done
echo "$times runs, $failed with failures (build/busy-*.log)"
[[ $failed = 0 ]]
