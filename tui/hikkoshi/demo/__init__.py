"""Sample mail and an IMAP server in memory, for the demo and for fault injection only."""
