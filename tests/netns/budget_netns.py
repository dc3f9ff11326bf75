# SPDX-License-Identifier: Apache-2.0
"""What each program costs the verifier, in instructions and in stack, against tests/load/verifier_budget.txt: every collector
alone, all, all but one, each without filters and with as many values as each filter takes."""
import collections
import concurrent.futures
import os
import pathlib
import re

import netns

ALONE = "keeps the verifier busy"
ROOT = pathlib.Path(__file__).parents[2]
BUDGET = ROOT / "tests/load/verifier_budget.txt"
FULL = 16
STACK = 512  # bytes that a chain of calls has

Cost = collections.namedtuple("Cost", "collectors hook instructions stack")
Budget = collections.namedtuple("Budget", "plain filtered stack")


def budget():
    lines = [line.split("#")[0].split() for line in BUDGET.read_text(encoding="ascii").splitlines()]
    return {line[0]: Budget(*map(int, line[1:])) for line in lines if line}


def names_of_collectors():
    return sorted(path.parent.name for path in ROOT.glob("collectors/*/*.event.h"))


def sets_of_collectors():
    names = names_of_collectors()
    return [*names, ",".join(names), *(",".join(name for name in names if name != left_out) for left_out in names)]


def costs(net, values, sets):
    """What the verifier took, and the names of the programs that it refused, with its words."""
    program = netns.program_of("SOCKEYE_COSTS")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = pool.map(lambda words: net.host.run([program, str(values), words], timeout=netns.PATIENCE_S * 6).stdout, sets)
        told = "".join(runs)
    taken, refused = [], {}
    for line in told.splitlines():
        collectors, program, rest = line.split(" ", 2)
        if rest.startswith("refused: "):
            refused[program] = rest.removeprefix("refused: ")
        else:
            taken.append(Cost(collectors, program.split("__")[0], *map(int, rest.split())))
    return taken, refused


def too_complex(refused):
    """The programs that the verifier gave up, not those that this kernel has no place for."""
    return {program for program, why in refused.items() if re.search("too large|too complex|Argument list too long", why)}


def dearest(taken):
    """The most that each hook takes, in instructions and in stack."""
    return {hook: (max(cost.instructions for cost in taken if cost.hook == hook),
                     max(cost.stack for cost in taken if cost.hook == hook)) for hook in sorted({cost.hook for cost in taken})}


def assert_within(taken, limits, column):
    found = dearest(taken)
    for hook, (instructions, stack) in found.items():
        limit = limits.get(hook, Budget(0, 0, 0))  # a hook that is new needs a line
        most = getattr(limit, column)
        print(f"{hook:<22} {instructions:>7} of {most:>7} instructions, {stack:>3} of {limit.stack:>3} bytes of stack, {column}")
    over = [cost for cost in taken if cost.hook not in limits or cost.instructions > getattr(limits[cost.hook], column)
            or cost.stack > limits[cost.hook].stack]
    assert not over, over
    assert len({collectors for collectors, *_ in taken}) == len(sets_of_collectors())


def test_without_filters(net):
    taken, refused = costs(net, 0, sets_of_collectors())
    assert not too_complex(refused), refused
    assert_within(taken, budget(), "plain")


def test_with_full_filters(net):
    taken, refused = costs(net, FULL, sets_of_collectors())
    assert not too_complex(refused), refused
    assert_within(taken, budget(), "filtered")


def test_all_with_full_filters(net):
    """The dearest of the runs above, for a short look at another kernel."""
    taken, refused = costs(net, FULL, [",".join(names_of_collectors())])
    assert not too_complex(refused), refused
    assert {"dropped", "set_state", "visit_socket"} <= set(dearest(taken)), taken


def test_no_budget_is_beyond_the_stack(_net):
    limits = budget()
    assert limits and all(limit.stack <= STACK for limit in limits.values()), limits
