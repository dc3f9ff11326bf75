# SPDX-License-Identifier: Apache-2.0
"""What the kernel itself counts in a namespace."""
import netns


def nstat(place, *names):
    """The namespace's own counters, since it was made."""
    lines = place.run([netns.require("nstat"), "-asz", *names]).stdout.splitlines()
    counts = {words[0]: int(words[1]) for words in map(str.split, lines) if len(words) > 1 and words[0] in names}
    return [counts[name] for name in names]
