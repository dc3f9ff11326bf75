# SPDX-License-Identifier: Apache-2.0
"""Which scenarios a test machine may skip, and why. What is not here has to run there."""
import re

# (names of scenarios, names of machines, why): regular expressions of whole names.
ALLOWED = (
    (r"netns\.states_mptcp\..*", r"5\.10", "Debian builds 5.10 without MPTCP"),
)


def allowed(scenario, machine):
    return any(re.fullmatch(names, scenario) and re.fullmatch(machines, machine) for names, machines, _ in ALLOWED)
