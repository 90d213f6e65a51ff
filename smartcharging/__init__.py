"""The planner's mathematics and the grid's signals. Empty until its issue (see CHANGELOG)."""
