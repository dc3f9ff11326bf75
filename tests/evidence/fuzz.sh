#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Each fuzz target, for an hour (or for as many seconds as the first argument says).
exec "$(dirname "$0")/../../dev" fuzz "${1:-3600}"
