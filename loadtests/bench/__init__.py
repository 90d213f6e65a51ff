"""The benchmark: the real system and two yardsticks, measured with one generator in one run. See docs/benchmark.md."""
