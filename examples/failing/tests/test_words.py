"""The counts must not depend on the order in which Python keeps a set."""

import unittest

from words import most_frequent


class MostFrequent(unittest.TestCase):
    def test_the_most_frequent_word_comes_first(self):
        self.assertEqual(most_frequent("b a b", 1), [("b", 2)])

    def test_ties_are_in_the_order_of_the_alphabet(self):
        self.assertEqual(most_frequent("c b a", 3), [("a", 1), ("b", 1), ("c", 1)])


if __name__ == "__main__":
    unittest.main()
