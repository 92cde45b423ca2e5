"""Clients as they are: the official SDKs and the agents, and the scripted vendors that they reach through a gateway."""

import pytest

pytest.register_assert_rewrite("clients.conversations")
