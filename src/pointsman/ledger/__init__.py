"""The books: one row per request and per attempt, and sums over them. It decides nothing and no request waits
for it."""
