"""What the figures mean: hazards of a plan, the report of a check."""
