"""Real sessions played again: what an allocator would have done with them, on the network that they stood at.

Simulated time only: nothing here reads a clock, but for the seconds that an allocator takes. See docs/smart-bench.md.
"""
