"""The first step on a fresh machine: a virtual environment from the standard library alone."""

import hashlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

PAGE_URL = "https://index.example/simple/pip/"
HASH = "sha256=" + "0" * 64

Index = Callable[[Path, str], str]


@pytest.fixture(scope="module")
def bootstrap(root: Path) -> ModuleType:
    spec = spec_from_file_location("bootstrap", root / "scripts/bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["bootstrap"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pip_wheel() -> Path:
    """The wheel of pip that Python itself carries."""
    import ensurepip

    folders = [Path(ensurepip.__file__).parent / "_bundled", Path("/usr/share/python-wheels")]
    found = [path for folder in folders for path in folder.glob("pip-*.whl")]
    if not found:
        pytest.skip("this Python carries no wheel of pip")
    return found[0]


@pytest.fixture
def without_ensurepip(tmp_path: Path) -> dict[str, str]:
    """An environment in which `python -m ensurepip` fails, as on Debian without python3-venv."""
    package = tmp_path / "blocked" / "ensurepip"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('not installed')\n")
    return {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(package.parent), "HOME": str(tmp_path)}


@pytest.fixture
def index() -> Iterator[Index]:
    """Serves one wheel of pip the way a package index does; gives the index's URL."""
    served: dict[str, tuple[str, bytes]] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, content = served[self.path]
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *told: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()

    def serve(wheel: Path, sha256: str) -> str:
        page = f'<a href="../../files/{wheel.name}#sha256={sha256}">{wheel.name}</a>'
        served["/simple/pip/"] = ("text/html", page.encode())
        served[f"/files/{wheel.name}"] = ("application/octet-stream", wheel.read_bytes())
        return f"http://127.0.0.1:{server.server_address[1]}/simple"

    yield serve
    server.shutdown()
    server.server_close()
    thread.join()


def run(root: Path, folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, root / "scripts/bootstrap.py", folder]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def link(name: str, fragment: str = HASH, attributes: str = "") -> str:
    return f'<a href="/files/{name}#{fragment}" {attributes}>{name}</a><br/>'


def test_newest_release_is_chosen_by_number(bootstrap: ModuleType) -> None:
    page = (
        link("pip-9.0.3-py3-none-any.whl")
        + link("pip-26.3-py3-none-any.whl")
        + link("pip-26.0.1-py3-none-any.whl")
    )

    wheel = bootstrap.newest_wheel(PAGE_URL, page)

    assert wheel.name == "pip-26.3-py3-none-any.whl"
    assert wheel.url == "https://index.example/files/pip-26.3-py3-none-any.whl"
    assert wheel.sha256 == "0" * 64


@pytest.mark.parametrize(
    "unfit",
    [
        link("pip-99.0b1-py3-none-any.whl"),
        link("pip-99.0.tar.gz"),
        link("pip-99.0-py3-none-any.whl", fragment="md5=0"),
        link("pip-99.0-py3-none-any.whl", attributes='data-yanked="broken"'),
        link("pip-99.0-py3-none-any.whl", attributes='data-requires-python="&gt;=3.99"'),
        link("pipx-99.0-py3-none-any.whl"),
    ],
)
def test_unfit_release_is_passed_over(bootstrap: ModuleType, unfit: str) -> None:
    page = unfit + link("pip-26.3-py3-none-any.whl", attributes='data-requires-python="&gt;=3.9"')

    assert bootstrap.newest_wheel(PAGE_URL, page).release == (26, 3)


def test_missing_ensurepip_is_made_up_for_by_the_index(
    root: Path, tmp_path: Path, without_ensurepip: dict[str, str], index: Index, pip_wheel: Path
) -> None:
    sha256 = hashlib.sha256(pip_wheel.read_bytes()).hexdigest()
    env = {**without_ensurepip, "PIP_INDEX_URL": index(pip_wheel, sha256)}

    ran = run(root, tmp_path / "venv", env)

    assert ran.returncode == 0, ran.stderr
    asked = subprocess.run(
        [tmp_path / "venv/bin/pip", "--version"], capture_output=True, text=True, check=True
    )
    assert asked.stdout.startswith(f"pip {pip_wheel.name.split('-')[1]} ")


def test_wheel_that_is_not_the_one_named_is_refused(
    root: Path, tmp_path: Path, without_ensurepip: dict[str, str], index: Index, pip_wheel: Path
) -> None:
    env = {**without_ensurepip, "PIP_INDEX_URL": index(pip_wheel, "0" * 64)}

    ran = run(root, tmp_path / "venv", env)

    assert ran.returncode == 1
    assert "its sha256 differs" in ran.stderr


def test_index_out_of_reach_is_told_in_one_line(
    root: Path, tmp_path: Path, without_ensurepip: dict[str, str]
) -> None:
    env = {**without_ensurepip, "PIP_INDEX_URL": "http://127.0.0.1:1/simple"}

    ran = run(root, tmp_path / "venv", env)

    assert ran.returncode == 1
    assert len(ran.stderr.splitlines()) == 1
    assert "python3-venv" in ran.stderr


def test_old_python_is_refused_in_one_line(root: Path, tmp_path: Path) -> None:
    script = root / "scripts/bootstrap.py"
    pretend = f"import runpy, sys; sys.version_info = (3, 9, 18); runpy.run_path({str(script)!r})"

    ran = subprocess.run([sys.executable, "-c", pretend], capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    assert "needs Python 3.11 or newer" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
