"""One file per version, numbered in order. The newest number is `database.HEAD`."""
