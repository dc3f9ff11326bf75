# SPDX-License-Identifier: Apache-2.0
"""Which scenarios a test machine may skip, and why. What is not here has to run there."""
import re

# (names of scenarios, names of machines, why): regular expressions of whole names.
ALLOWED = (
    (r"netns\.states_loss\.events_inside_events", r".*", "it needs programs that the kernel skips, which is chance"),
    (r"netns\.counts_by\.comm_of_what_ends_while_it_watches|netns\.states_load\.packets_handled_by_threads_.*", r"5\.10",
     "the kernel is too old: no cookies for tracing programs, no threads for the packets of a device"),
    (r"netns\.states_container\.by_container_of_v1", r"(?!5\.10).*", "there is cgroup v2 alone, as on a later Debian"),
    (r"netns\.counts\.a_namespace_that_may_not_be_entered", r"6\.1(-rt)?", "before 6.2 counts needs CAP_SYS_ADMIN for libbpf 1.1"),
    (r"netns\.doctor\.without_btf", r"6\.12-btf", "there is none to hide"),
    (r"netns\.btf\.types_of_another_kernel", r"5\.10|6\.1",
     "its last part: before 6.2 libbpf 1.1 needs CAP_SYS_ADMIN, and with that the kernel tells its types"),
    (r"netns\..*mptcp.*", r"5\.10", "Debian builds 5.10 without MPTCP"),
    (r"netns\.connections_asked\.filters", r"5\.10", "the kernel is too old: no bpf_task_pt_regs (5.15)"),
    (r"netns\.connections_failures\.ended_by_another_thread", r"5\.10",
     "its tcp_disconnect() refuses while another thread waits in connect()"),
    (r"netns\.podman\..*", r".*", "Podman makes no image where its storage lies above the host's files"),
)


def allowed(scenario, machine):
    return any(re.fullmatch(names, scenario) and re.fullmatch(machines, machine) for names, machines, _ in ALLOWED)
