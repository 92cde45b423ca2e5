"""Pointsman: an LLM router. It reads each request and sends it to the cheapest model that can handle it."""

__version__ = "0.1.0"
