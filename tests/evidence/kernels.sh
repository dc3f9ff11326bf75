#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# All scenarios of the netns tier on every test machine: hours.
exec "$(dirname "$0")/../../dev" vm-test "$@"
