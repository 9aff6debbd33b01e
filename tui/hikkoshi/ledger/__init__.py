"""The SQLite file that must never be lost: plans, what was sent, what arrived, receipts."""
