"""Posts by the plan: recurring ones, many at once from a table, and the calendar of all of them."""
