"""This PC: one file for each format, one that detects them. Read-only."""
