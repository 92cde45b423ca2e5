"""How the ledger's file gets from each version to the next. What is released here is never changed again."""
