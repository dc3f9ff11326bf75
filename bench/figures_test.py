# SPDX-License-Identifier: Apache-2.0
"""figures.py: medians, intervals, pairs."""
import collections
import unittest

import figures


class Figures(unittest.TestCase):
    def test_interval_of_the_median_is_that_of_the_sign_test(self):
        # Published tables of the sign test (e.g. Conover, Practical Nonparametric Statistics), ranks from 1 there.
        known = {6: (1, 6), 9: (2, 8), 10: (2, 9), 15: (4, 12), 20: (6, 15)}
        for count, (low, high) in known.items():
            self.assertEqual(figures.interval_ranks(count), (low - 1, high - 1), count)

    def test_too_few_values_have_no_interval(self):
        for count in range(6):
            self.assertIsNone(figures.interval_ranks(count), count)

    def test_spread_does_not_depend_on_the_order(self):
        forward = figures.spread(range(15))
        self.assertEqual(forward, figures.spread(reversed(range(15))))
        self.assertEqual((forward.median, forward.low, forward.high), (7, 0, 14))
        self.assertEqual((forward.sure_low, forward.sure_high, forward.count), (3, 11, 15))

    def test_text(self):
        self.assertEqual(figures.text([1, 2, 4], 1), "2.0 [1.0..4.0]")
        self.assertEqual(figures.text([5, 1, 2, 3, 4, 6], 0), "4 (1-6) [1..6]")
        self.assertEqual(figures.text([12345.6], 0), "12,346")
        self.assertEqual(figures.text([0.5, 0.5001], 2), "0.50")

    def test_what_is_not_known_is_no_number(self):
        self.assertEqual(figures.text([], 2), "-")
        self.assertEqual(figures.text([None, 2.0], 1), "2.0")

    def test_a_pair_is_compared_with_both_neighbours(self):
        pair = collections.namedtuple("Pair", "before run after")
        pairs = [pair({"x": 100}, {"x": 90}, {"x": 80}), pair({"x": 10}, {"x": 5}, {"x": 10})]
        self.assertEqual(figures.paired(pairs, lambda run: run["x"]), [1.0, 0.5])


if __name__ == "__main__":
    unittest.main()
