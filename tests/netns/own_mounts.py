# SPDX-License-Identifier: Apache-2.0
"""Mounts that only one process sees, also where the root is no mount point (in a chroot), whose propagation unshare cannot change."""
from pace import require

# What is mounted then stays there: every mount is private, one by one where the root is none.
PRIVATE = """mount --make-rprivate / 2>/dev/null || while read -r _ _ _ _ point _; do
mount --make-private "$(printf %b "$point")"; done < /proc/self/mountinfo
true
"""


def own_mounts(script, *unshared):
    """The beginning of a command: in mounts of its own, `script` runs there, with the command as its arguments. `unshared`: what
    else is its own, as options of unshare."""
    return [require("unshare"), "--mount", "--propagation", "unchanged", *unshared, "sh", "-c", PRIVATE + script, "sh"]


def mounted(script, *unshared):
    """The same, where the command is run after it."""
    return own_mounts(script + ' && exec "$@"', *unshared)
