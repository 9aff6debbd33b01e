"""The Textual application. A face: no SQL, no sockets, no parsing of mail."""
