# SPDX-License-Identifier: Apache-2.0
"""What is said of a number of measurements: the median, how sure it is, and how far they lie apart."""
import dataclasses
import math
import statistics

CONFIDENCE = 0.95


@dataclasses.dataclass(frozen=True)
class Spread:
    median: float
    low: float  # the smallest and the largest value
    high: float
    sure_low: float | None  # the confidence interval of the median; None: too few values for one
    sure_high: float | None
    count: int


def interval_ranks(count):
    """The ranks (from 0) of the order statistics between which the median lies with 95 % confidence or more, whatever
    the distribution is (the sign test's interval: the number of values below the median is binomial with 1/2); None
    for fewer than 6 values."""
    below = 0.0
    rank = None
    for k in range(count // 2):
        below += math.comb(count, k) / 2 ** count
        if 2 * below > 1 - CONFIDENCE:
            break
        rank = k
    return None if rank is None else (rank, count - 1 - rank)


def spread(values):
    """Of at least one value."""
    ordered = sorted(values)
    ranks = interval_ranks(len(ordered))
    return Spread(statistics.median(ordered), ordered[0], ordered[-1], ordered[ranks[0]] if ranks else None,
                  ordered[ranks[1]] if ranks else None, len(ordered))


def text(values, digits):
    """"0.91 (0.90-0.92) [0.86..0.95]": median, its confidence interval where there is one, smallest and largest. The
    same value everywhere is written once; no value is "-"."""
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    result = spread(known)
    middle, low, high = (f"{value:,.{digits}f}" for value in (result.median, result.low, result.high))
    if low == high:
        return middle
    sure = "" if result.sure_low is None else f" ({result.sure_low:,.{digits}f}-{result.sure_high:,.{digits}f})"
    return f"{middle}{sure} [{low}..{high}]"


def paired(pairs, figure):
    """With / without, for each pair of runs: the run without is the mean of the one before and the one after, so that
    a machine that becomes faster or slower steadily changes nothing."""
    return [figure(one.run) / statistics.fmean((figure(one.before), figure(one.after))) for one in pairs]
