"""The planner's mathematics and the grid's signals. Pure but for `grid`: time and chance are arguments."""
