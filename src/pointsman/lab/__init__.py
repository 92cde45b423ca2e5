"""The lab: a provider that speaks every dialect and fails on request, and what drives a configuration through it."""
