"""One file for each command. A command that needs no screen never loads Textual."""
