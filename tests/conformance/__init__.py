"""Judges the dialects as a stranger would: by recorded traffic, by the official SDKs, and by a reading of both that
shares nothing with the dialects it judges."""
