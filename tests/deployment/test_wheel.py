"""The wheel: what is in it, that it can be built again byte for byte, and that it serves."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import aiohttp
import pytest

from rixin import __version__
from tests.support.server import ROOT, start

MADE_OF = ("LICENSE", "README.md", "pyproject.toml", "skills", "src")
"""What `.dockerignore` lets into the image's build, but for the locks."""
CONSOLE = "src/rixin/web/static/index.html"

pytestmark = pytest.mark.timeout(400)


def sources(folder: Path) -> Path:
    """A copy of what the wheel is made of."""
    for name in MADE_OF:
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "static"))
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    return folder


def build(folder: Path) -> Path:
    """The wheel of the sources in a folder."""
    clean = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel"],
        cwd=folder,
        check=True,
        capture_output=True,
        env=clean,
        timeout=120,
    )
    [wheel] = (folder / "dist").glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel."""
    return build(sources(tmp_path_factory.mktemp("one") / "rixin"))


def test_the_same_sources_make_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    """Elsewhere, and with files of another age."""
    again = sources(tmp_path / "elsewhere")
    for path in again.rglob("*"):
        os.utime(path, (1, 1))
    assert build(again).read_bytes() == wheel.read_bytes()


def test_what_is_in_the_wheel(wheel: Path) -> None:
    """The package with its data; no test, and nothing that Python would run when it starts."""
    names = zipfile.ZipFile(wheel).namelist()
    assert {Path(name).parts[0] for name in names} == {"rixin", f"rixin-{__version__}.dist-info"}
    assert not [name for name in names if name.endswith((".pth", ".pyc", ".gguf")) or "/tests/" in name]
    assert {
        "rixin/py.typed",
        "rixin/profiles/presets.toml",
        "rixin/web/reference/page/index.html",
        f"rixin-{__version__}.dist-info/licenses/LICENSE",
    } <= set(names)
    assert any(name.startswith("rixin/clients/skills/bundled/") for name in names)
    assert any(re.fullmatch(r"rixin/store/migrations/versions/v\d+_\w+\.py", name) for name in names)


def test_a_built_console_is_in_the_wheel(tmp_path: Path) -> None:
    """Though git ignores it."""
    folder = sources(tmp_path / "rixin")
    (folder / CONSOLE).parent.mkdir(parents=True)
    (folder / CONSOLE).write_text("<!doctype html>", encoding="utf-8")
    (folder / ".gitignore").write_text("src/rixin/web/static/\n", encoding="utf-8")
    assert "rixin/web/static/index.html" in zipfile.ZipFile(build(folder)).namelist()


async def test_an_installed_wheel_serves(wheel: Path, tmp_path: Path) -> None:
    """In an environment of its own: its version, its pages, and an answer of the embedded model."""
    home = tmp_path / "venv"
    venv.create(home, with_pip=False)
    folder = next((home / "lib").glob("python*")) / "site-packages"
    locked = sysconfig.get_path("purelib")
    (folder / "locked.pth").write_text(f"import site; site.addsitedir({locked!r})\n", encoding="utf-8")
    python = str(home / "bin" / "python")
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--quiet", str(wheel)],
        check=True,
        timeout=120,
    )
    rixin = str(home / "bin" / "rixin")
    told = subprocess.run([rixin, "--version"], check=True, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert __version__ in told.stdout
    where = subprocess.run(
        [python, "-c", "import rixin; print(rixin.__file__)"], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    assert Path(where.stdout.strip()).is_relative_to(home)
    server, stop = start(tmp_path / "data", program=(rixin,))
    try:
        async with aiohttp.ClientSession() as client:
            body = {"model": "local", "max_tokens": 4, "messages": [{"role": "user", "content": "Hello"}]}
            async with client.post(
                f"{server.url}/v1/chat/completions", data=json.dumps(body), headers=server.headers
            ) as response:
                assert response.status == 200
                assert (await response.json())["choices"][0]["message"]["content"]
            for path in ("/docs", "/openapi.json"):
                async with client.get(f"{server.url}{path}") as response:
                    assert response.status == 200
    finally:
        assert stop() == 0
