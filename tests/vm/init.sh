#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # variables come from the kernel
# The first process of a test machine, in its initramfs (busybox). Makes a root of the host's files, which it cannot write
# to, with memory above them and the kernel's modules among them, and goes on there with guest.sh.
# The kernel's command line gives it, as variables: vm_root (the project), vm_copy (what is to be found there), vm_tree (the
# kernel's files), vm_hide (what it goes without: tracefs, btf, cgroup2-alone).
export PATH=/bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
while read -r file; do insmod "$file"; done < /modules
mount -t virtiofs -o ro host /host || exec poweroff -f
mount -t tmpfs memory /memory
mkdir /memory/upper /memory/work
mount -t overlay -o "lowerdir=/host,upperdir=/memory/upper,workdir=/memory/work" root /root || exec poweroff -f

cd /root || exec poweroff -f
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t devtmpfs dev dev
mkdir -p dev/pts dev/shm
mount -t devpts devpts dev/pts
for folder in dev/shm run tmp var/tmp; do mount -t tmpfs -o mode=1777 tmpfs "$folder"; done
mkdir -p run/netns run/lock
for link in fd: stdin:/0 stdout:/1 stderr:/2; do ln -s "/proc/self/fd${link#*:}" "dev/${link%:*}"; done
mount -t bpf bpf sys/fs/bpf
mount -t securityfs securityfs sys/kernel/security
case ",$vm_hide," in
  *,cgroup2-alone,*) # both versions, as machines of that time have them
    mount -t tmpfs tmpfs sys/fs/cgroup
    mkdir sys/fs/cgroup/unified sys/fs/cgroup/memory
    mount -t cgroup2 cgroup2 sys/fs/cgroup/unified
    mount -t cgroup -o memory cgroup sys/fs/cgroup/memory
    mkdir sys/fs/cgroup/memory/session && echo 1 > sys/fs/cgroup/memory/session/cgroup.procs # nobody is in both roots
    ;;
  *) mount -t cgroup2 cgroup2 sys/fs/cgroup ;;
esac
case ",$vm_hide," in
  *,tracefs,*) ;;
  *) mount -t tracefs tracefs sys/kernel/tracing ; mount -t debugfs debugfs sys/kernel/debug ;;
esac
case ",$vm_hide," in
  *,btf,*) cat sys/kernel/btf/vmlinux > run/kernel.btf; mount -t tmpfs -o ro tmpfs sys/kernel/btf ;;
esac
mkdir -p usr/lib/modules
mount --bind "/host$vm_tree/usr/lib/modules" usr/lib/modules
mkdir -p ".$vm_root"
mount --bind "/host$vm_copy" ".$vm_root" # it may lie below /tmp
umount /proc
exec switch_root /root /bin/sh "$vm_root/tests/vm/guest.sh"
