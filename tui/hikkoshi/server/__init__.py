"""The conversations with the server: connect, log in, list, quota, append, read back."""
