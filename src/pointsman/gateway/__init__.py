"""The straight line of a request. Read pipeline.py first."""
