"""The nouns: immutable values that every other room speaks in. Imports nothing of ours and does no I/O."""
