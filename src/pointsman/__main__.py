"""`pointsman` and `python -m pointsman`. It only hands over to the command line."""


def main() -> None:
    from pointsman.cli.commands import app  # noqa: PLC0415 - so that importing this module costs nothing

    app(prog_name="pointsman")


if __name__ == "__main__":
    main()
