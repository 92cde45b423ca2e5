"""Hostile input for everything that reads bytes from outside: what may be sent, what must hold whatever is sent, and
what grows with it. `make test` runs a fixed part of it, `make fuzz` goes on as long as it is told to."""
