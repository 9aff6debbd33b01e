"""Who moves what: config file, secrets, addresses, and the session that ties both sides together."""
