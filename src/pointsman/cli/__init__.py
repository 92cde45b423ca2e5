"""The command line: one module for each command. It prints; what it prints is decided elsewhere."""
