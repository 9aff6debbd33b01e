"""Carrying mail over: plan, upload, verify, and what an interrupted move left behind."""
