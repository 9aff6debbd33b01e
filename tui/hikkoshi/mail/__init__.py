"""What a mail is: flags, dates, header decoding, identity, folder names and roles. No I/O at all."""
