"""The fault matrix: every way in which a provider fails, met by callers of every dialect, judged by the official SDKs and
by what was on the wire."""
