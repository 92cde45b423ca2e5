"""Who may use an endpoint, as the kind of its route: callers (a plain Route), readers or changers. It checks no key:
entrance.py does, before anything of the endpoint runs."""

from starlette.routing import Route


class ReadingRoute(Route):
    """Looks at the gateway: the gateway's key opens it, and so does the admin key."""


class ChangingRoute(Route):
    """Changes the gateway: the admin key opens it, and nothing else does."""
