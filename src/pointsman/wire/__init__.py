"""Dialects: bytes <-> core, one file each. No I/O, and no dialect knows another."""
