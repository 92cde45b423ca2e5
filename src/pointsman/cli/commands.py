"""Every command and its options, in one list. Each is loaded when it is called: a server that starts should not
wait for what it does not use."""

# ruff: noqa: PLC0415 - see above
import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from pointsman.core.errors import ConfigError, PointsmanError

app = typer.Typer(
    name="pointsman",
    help="An LLM router: sends each request to the cheapest model that can handle it, and keeps the books.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
config_app = typer.Typer(help="Look at the configuration.", rich_markup_mode=None, no_args_is_help=True)
app.add_typer(config_app, name="config")

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="PATH",
        help="The configuration file. Default: $POINTSMAN_CONFIG, else pointsman.yaml here, else none.",
        show_default=False,
    ),
]
Host = Annotated[
    str | None,
    typer.Option(
        "--host",
        metavar="ADDRESS",
        help="Address to listen on. Default: server.host, 127.0.0.1.",
        show_default=False,
    ),
]
Port = Annotated[
    int | None,
    typer.Option(
        "--port", metavar="NUMBER", help="Port to listen on. Default: server.port, 4000.", show_default=False
    ),
]
LogLevel = Annotated[
    str | None,
    typer.Option(
        "--log-level",
        metavar="LEVEL",
        help="debug, info, warning or error. Default: server.log_level, info.",
        show_default=False,
    ),
]
Profile = Annotated[
    str, typer.Option("--profile", "-p", metavar="NAME", help="auto, eco, premium, agentic or free.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

LabelledFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="Prompts with scores of models, one JSON object per line; may be gzipped."
    ),
]
Weak = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL", help="The cheap model of the file. Default: its weakest.", show_default=False
    ),
]
Strong = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL", help="The strong model. Default: the file's strongest.", show_default=False
    ),
]

EXIT_UNUSABLE = 2
"""The user can fix this: a bad configuration, option or file."""


@app.callback(invoke_without_command=True)
def bare(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        print_version()
        raise typer.Exit
    if context.invoked_subcommand is None:
        serve()


@app.command()
def serve(config: Config = None, host: Host = None, port: Port = None, log_level: LogLevel = None) -> None:
    """Serve, as `pointsman` alone does."""

    def run() -> int:
        _collect_nothing_yet()
        from pointsman.cli.serve import run

        return run(config, _flags(host, port, log_level), os.environ)

    _end(run)


@app.command()
def init(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH", help="The file to write. Default: pointsman.yaml.", show_default=False
        ),
    ] = Path("pointsman.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
) -> None:
    """Write a commented configuration file for what is found here."""

    def run() -> int:
        from pointsman.cli.init import run

        return run(path, os.environ, force=force)

    _end(run)


@app.command()
def check(config: Config = None, host: Host = None, port: Port = None, log_level: LogLevel = None) -> None:
    """Do what a start does, without serving, and list every problem."""

    def run() -> int:
        from pointsman.cli.check import run

        return run(config, _flags(host, port, log_level), os.environ)

    _end(run)


@config_app.command("show")
def config_show(
    config: Config = None, host: Host = None, port: Port = None, log_level: LogLevel = None
) -> None:
    """Print every value in force and where it comes from. Secrets are masked."""

    def run() -> int:
        from pointsman.cli.show import run

        return run(config, _flags(host, port, log_level), os.environ)

    _end(run)


@config_app.command("schema")
def config_schema() -> None:
    """Print the JSON Schema of the configuration file, for editors."""

    def run() -> int:
        from pointsman.cli.show import schema

        return schema()

    _end(run)


@config_app.command("routes")
def config_routes() -> None:
    """Print the table of tasks and tiers that a judge is told by default, to be edited."""

    def run() -> int:
        from pointsman.config.opinions import default_routes

        typer.echo(default_routes(), nl=False)
        return 0

    _end(run)


@app.command()
def models(config: Config = None, profile: Profile = "auto") -> None:
    """Print the models and the order in which a profile would use them."""

    def run() -> int:
        from pointsman.cli.models import run

        return run(config, profile, os.environ)

    _end(run)


@app.command()
def route(
    prompt: Annotated[str, typer.Argument(metavar="PROMPT", help="What a user would say.")],
    config: Config = None,
    system: Annotated[str, typer.Option(metavar="TEXT", help="A system prompt.", show_default=False)] = "",
    profile: Profile = "auto",
    tools: Annotated[int, typer.Option(metavar="N", min=0, help="How many tools the request offers.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Print which model a prompt would get, and why. Nothing is sent to anyone."""

    def run() -> int:
        from pointsman.cli.route import run

        return run(prompt, config, os.environ, system=system, profile=profile, tools=tools, as_json=as_json)

    _end(run)


@app.command()
def stats(
    config: Config = None,
    days: Annotated[int, typer.Option(metavar="N", min=1, help="How many days back to count.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Print requests, tokens, cost and savings by model and by day, from the ledger."""

    def run() -> int:
        from pointsman.cli.stats import run

        return run(config, os.environ, days=days, as_json=as_json)

    _end(run)


@app.command()
def lab(
    config: Config = None,
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", metavar="NAME", help="Only this fault; may be repeated.", show_default=False),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every fault there is, not only the common ones.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fail on purpose, in place of every provider, and show whether each fallback works. No key is needed, and none
    is sent."""

    def run() -> int:
        from pointsman.cli.lab import run

        return run(config, os.environ, names=fault or (), every=every, as_json=as_json)

    _end(run)


@app.command("eval")
def evaluate(
    file: LabelledFile,
    config: Config = None,
    weak: Weak = None,
    strong: Strong = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Also draw quality over cost, as SVG.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print how well the configured router ranks labelled prompts, beside everything it has to beat."""

    def run() -> int:
        from pointsman.cli.evaluate import run

        return run(file, config, os.environ, weak=weak, strong=strong, plot_to=plot, as_json=as_json)

    _end(run)


@app.command()
def calibrate(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="Labelled prompts (for --keep-quality), or any log with a prompt or a score per line."
            " Default: the scores in the ledger.",
            show_default=False,
        ),
    ] = None,
    config: Config = None,
    strong_share: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE", min=0, max=1, help="Send this share to strong tiers.", show_default=False
        ),
    ] = None,
    keep_quality: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            min=0,
            max=1,
            help="Keep this much of the strong model's quality.",
            show_default=False,
        ),
    ] = None,
    weak: Weak = None,
    strong: Strong = None,
    days: Annotated[int, typer.Option(metavar="N", min=1, help="How many days of the ledger to read.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Print the boundaries that send a share to strong tiers, or keep a quality. Nothing is changed."""

    def run() -> int:
        from pointsman.cli.calibrate import run

        return run(
            file,
            config,
            os.environ,
            strong_share=strong_share,
            keep_quality=keep_quality,
            weak=weak,
            strong=strong,
            days=days,
            as_json=as_json,
        )

    _end(run)


@app.command()
def train(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            show_default=False,
            help="Prompts with scores of models, one JSON object per line; may be gzipped. Default: what callers"
            " reported of the ledger's answers.",
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="PATH", help="The file of weights to write.")
    ] = Path("learned.bin"),
    config: Config = None,
    weak: Weak = None,
    strong: Strong = None,
    from_nothing: Annotated[
        bool, typer.Option("--from-nothing", help="Learn everything anew, not a correction of what ships.")
    ] = False,
    days: Annotated[
        int, typer.Option(metavar="N", min=1, help="How many days of the ledger's reports to read.")
    ] = 90,
) -> None:
    """Fit the score to reports on your own answers, or to labelled prompts; 200 at least."""

    def run() -> int:
        from pointsman.cli.train import run

        return run(
            file,
            output,
            config,
            os.environ,
            weak=weak,
            strong=strong,
            from_nothing=from_nothing,
            days=days,
        )

    _end(run)


@app.command()
def version() -> None:
    """Print the version."""
    print_version()


def print_version() -> None:
    from pointsman import __version__

    typer.echo(f"pointsman {__version__}")


def _flags(host: str | None, port: int | None, log_level: str | None) -> dict[str, object]:
    return {"host": host, "port": port, "log_level": log_level}


def _collect_nothing_yet() -> None:
    """While the program is put together nothing of it is garbage, and looking for some takes a twentieth of a start. The
    collector is switched on before the first request (app.py)."""
    gc.disable()


def _end(run: Callable[[], int]) -> NoReturn:
    """Runs a command to its exit code. What a user did wrong is said in words, never as a traceback."""
    try:
        code = run()
    except ConfigError as error:
        count = len(error.problems)
        typer.echo(
            f"pointsman: the configuration has {'a problem' if count == 1 else f'{count} problems'}:",
            err=True,
        )
        for problem in error.problems:
            typer.echo(f"  {problem}", err=True)
        code = EXIT_UNUSABLE
    except PointsmanError as error:
        typer.echo(f"pointsman: {error.message}", err=True)
        code = EXIT_UNUSABLE
    sys.stdout.flush()
    raise typer.Exit(code)
