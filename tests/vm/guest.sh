#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC3045 # variables come from the kernel; ulimit is dash's
# What a test machine does once its root is there: guest.py, then it switches itself off. It stays the first process, which
# takes on those whose parents are gone.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
cd /
ulimit -n 524288 && ulimit -S -n 1024 # as systemd has it
ip link set lo up
hostname vm
stty raw -echo < /dev/ttyS1
python3 -B "$vm_root/tests/vm/guest.py" "$vm_root/job.json" > /dev/ttyS1
stty -echo < /dev/ttyS1 # waits until all of it is out
/bin/busybox poweroff -f
