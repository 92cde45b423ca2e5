"""The endpoints that look at the running gateway and change it. Who may use them is decided before (access.py), what
they do elsewhere (control.py)."""

import dataclasses
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pointsman.core.errors import ConfigError, Problem
from pointsman.server.control import Control, DiscoveryStatus, FailedReload, Reloaded, ReloadStatus


class AdminEndpoints:
    """The functions behind the admin routes."""

    def __init__(self, control: Control) -> None:
        self._control = control

    async def reload(self, request: Request) -> Response:
        try:
            reloaded = await self._control.reload()
        except ConfigError as error:
            return refused(error, "nothing was changed")
        return JSONResponse({"status": "reloaded", **_reloaded(reloaded)})

    async def show_reload(self, request: Request) -> Response:
        return JSONResponse(reload_status(self._control.reload_status()))

    async def show_discovery(self, request: Request) -> Response:
        return JSONResponse({"providers": [_discovery(one) for one in self._control.discovery_status()]})

    async def refresh_discovery(self, request: Request) -> Response:
        self._control.refresh_discovery()
        return JSONResponse({"status": "asking"}, status_code=202)


def refused(error: ConfigError, consequence: str) -> Response:
    """422 with every problem, in the shape of OpenAI's errors."""
    count = len(error.problems)
    what = "a problem" if count == 1 else f"{count} problems"
    message = f"the configuration has {what}, and {consequence}: {error.message}"
    return JSONResponse(
        {
            "error": {
                "message": message,
                "type": "invalid_request_error",
                "param": error.problems[0].path if error.problems else None,
                "code": "invalid_configuration",
                "problems": _problems(error.problems),
            }
        },
        status_code=422,
    )


def reload_status(status: ReloadStatus) -> dict[str, Any]:
    """As JSON."""
    return {
        "running_since": _time(status.running_since_s),
        "reloads": status.reloads,
        "last_reload": None if status.last is None else _reloaded(status.last),
        "last_error": None if status.last_error is None else _failed(status.last_error),
        "needs_restart": [dataclasses.asdict(waiting) for waiting in status.needs_restart],
        "watched_files": list(status.watched),
        "poll_s": status.poll_s,
    }


def _reloaded(reloaded: Reloaded) -> dict[str, Any]:
    by_tier = {tier: list(names) for tier, names in reloaded.models_by_tier.items()}
    return {
        "trigger": reloaded.trigger,
        "at": _time(reloaded.at_s),
        "models_by_tier": by_tier,
        "added_models": list(reloaded.added),
        "removed_models": list(reloaded.removed),
        "changed_models": list(reloaded.changed),
        "needs_restart": [dataclasses.asdict(waiting) for waiting in reloaded.needs_restart],
        "warnings": list(reloaded.warnings),
    }


def _failed(failed: FailedReload) -> dict[str, Any]:
    return {
        "trigger": failed.trigger,
        "at": _time(failed.at_s),
        "problems": _problems(failed.problems),
    }


def _discovery(status: DiscoveryStatus) -> dict[str, Any]:
    return {
        "provider": status.provider,
        "listed_models": status.listed,
        "answered_at": None if status.answered_at_s is None else _time(status.answered_at_s),
        "error": status.error,
    }


def _problems(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    return [{**dataclasses.asdict(problem), "message": str(problem)} for problem in problems]


def _time(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds")
