"""The shell towards clients: HTTP in, HTTP out, who may call, which path means what."""
