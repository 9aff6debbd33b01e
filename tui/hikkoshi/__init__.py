"""hikkoshi: move a POP client's mail to IMAP, and see both sides while it happens."""

__version__ = "0.1.0"
