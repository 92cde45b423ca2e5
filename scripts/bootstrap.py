"""Makes a virtual environment with pip in it, with the standard library alone; installs nothing else.

Debian's python3 comes without ensurepip. Where it is missing, pip's wheel is taken from the package index that pip
itself would use (PIP_INDEX_URL, pip.conf, else pypi.org), checked against the sha256 the index names, and made to
install itself.

usage: python3 scripts/bootstrap.py FOLDER
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - older ones must be able to read this file up to here
    sys.exit(
        "Pointsman needs Python 3.11 or newer; {} is {}.{}. Name another: make PYTHON=python3.12 ...".format(
            sys.executable, *sys.version_info[:2]
        )
    )

import base64
import configparser
import hashlib
import html.parser
import os
import re
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import venv
from dataclasses import dataclass
from pathlib import Path

PIP_CONFIGS = (Path("/etc/pip.conf"), Path("~/.pip/pip.conf"), Path("~/.config/pip/pip.conf"))
TIMEOUT_S = 60


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    python = folder / "bin" / "python"
    if not works(python, "-c", "import pip"):
        venv.create(folder, clear=folder.exists(), with_pip=False, symlinks=True)
        if not works(python, "-m", "ensurepip", "--default-pip"):
            install_pip_from_index(python)


def works(python: Path, *arguments: str) -> bool:
    try:
        ran = subprocess.run([python, *arguments], capture_output=True, check=False)
    except OSError:
        return False
    return ran.returncode == 0


def install_pip_from_index(python: Path) -> None:
    page = index_url().rstrip("/") + "/pip/"
    try:
        wheel = newest_wheel(page, fetch(page).decode())
        content = fetch(wheel.url)
    except urllib.error.URLError as failed:
        sys.exit(
            f"this Python has no ensurepip, and {page} cannot be read: {failed.reason}. "
            "Make the index reachable or install python3-venv."
        )
    if hashlib.sha256(content).hexdigest() != wheel.sha256:
        sys.exit(f"{wheel.url} is not the file that {page} names: its sha256 differs")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, wheel.name)
        path.write_bytes(content)
        # a wheel is a zip file, and Python runs a package inside one
        subprocess.run(
            [python, path / "pip", "install", "--quiet", "--no-index", "--no-deps", path], check=True
        )


def index_url() -> str:
    from_environment = os.environ.get("PIP_INDEX_URL")
    if from_environment:
        return from_environment
    config = configparser.RawConfigParser()
    named = os.environ.get("PIP_CONFIG_FILE")
    config.read([path.expanduser() for path in PIP_CONFIGS] + ([Path(named)] if named else []))
    return config.get("global", "index-url", fallback="https://pypi.org/simple")


def fetch(url: str) -> bytes:
    parts = urllib.parse.urlsplit(url)
    request = urllib.request.Request(
        urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    )
    request.add_header("Accept", "text/html")
    if parts.username is not None:
        login = urllib.parse.unquote(f"{parts.username}:{parts.password or ''}")
        request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    if "PIP_CERT" in os.environ:
        os.environ.setdefault("SSL_CERT_FILE", os.environ["PIP_CERT"])
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        content: bytes = answer.read()
    return content


@dataclass(frozen=True)
class Wheel:
    name: str
    url: str
    sha256: str
    release: tuple[int, ...]


def newest_wheel(page: str, text: str) -> Wheel:
    """The newest final release of pip on an index page (PEP 503) that runs on this Python and was not withdrawn."""
    links = Links()
    links.feed(text)
    wheels = []
    for link in links.found:
        url = urllib.parse.urljoin(page, link.get("href") or "")
        path, _, fragment = url.partition("#")
        name = urllib.parse.unquote(path.rpartition("/")[2])
        release = re.fullmatch(r"pip-(\d+(?:\.\d+)*)-py3-none-any\.whl", name)
        if release is None or "data-yanked" in link or not fragment.startswith("sha256="):
            continue
        if not runs_here(link.get("data-requires-python") or ""):
            continue
        numbers = tuple(map(int, release[1].split(".")))
        wheels.append(Wheel(name, path, fragment.removeprefix("sha256="), numbers))
    if not wheels:
        sys.exit(f"{page} has no wheel of pip for this Python. Install python3-venv.")
    return max(wheels, key=lambda wheel: wheel.release)


class Links(html.parser.HTMLParser):
    """Collects the attributes of every link on a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.append(dict(attrs))


def runs_here(requires_python: str) -> bool:
    """Reads the lower bound, the only part of the rule that pip's releases use to turn anyone away."""
    bound = re.search(r">=\s*(\d+)\.(\d+)", requires_python)
    return bound is None or sys.version_info[:2] >= (int(bound[1]), int(bound[2]))


if __name__ == "__main__":
    main()
