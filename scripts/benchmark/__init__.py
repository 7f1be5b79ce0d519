"""The benchmark: events of any size, the steps on them, and other engines that compute the same."""
