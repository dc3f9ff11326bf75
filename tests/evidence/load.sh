#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The scenarios under load with all their connections: four times as many as `./dev test` makes.
SOCKEYE_EVIDENCE=1 exec "$(dirname "$0")/../../dev" test --tier netns -R "${1:-load|nginx}"
