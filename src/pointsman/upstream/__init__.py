"""I/O towards providers: our own HTTP/1.1 client, and who the providers are."""
