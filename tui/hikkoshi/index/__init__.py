"""The SQLite memory of both sides that can always be rebuilt, and the comparison of the two."""
