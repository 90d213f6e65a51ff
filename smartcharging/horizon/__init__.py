"""The horizon layer: one linear program per site over the hours to come. See docs/allocators.md.

It takes a `Problem` and gives a plan; it knows no OCPP, no network and no clock but the one that bounds its solver.
"""

from smartcharging.horizon.allocator import Horizon

__all__ = ["Horizon"]
