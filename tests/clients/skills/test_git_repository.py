"""Skills out of real repositories, honest and not, by the system's git."""

import contextlib
import http.server
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rixin.clients.skills import git_repository
from rixin.clients.skills.discovery import read_skills
from rixin.clients.skills.git_repository import fetched
from rixin.clients.skills.skill import Skill
from rixin.errors import Kind, RixinError
from tests.clients.skills.sources import Repository, make_repository, skill_text, write_skill

GITLINK = "1" * 40


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with one skill."""
    made = make_repository(tmp_path / "upstream")
    write_skill(made.path / "skills", "weather", {"scripts/ask.sh": "#!/bin/sh\necho hi\n"})
    (made.path / "skills/weather/scripts/ask.sh").chmod(0o755)
    made.commit()
    return made


def skills(repository: Repository, ref: str | None = None) -> list[Skill]:
    """What would be installed of it."""
    with fetched(repository.url, ref) as source:
        return read_skills(source)


def refused(repository: Repository) -> str:
    """Why nothing of it would be installed."""
    with pytest.raises(RixinError) as caught:
        skills(repository)
    return caught.value.message


def test_files_and_modes_come_as_committed(repository: Repository) -> None:
    """Contents to the byte, and which files are executable."""
    (found,) = skills(repository)
    assert {file.path: (file.content, file.executable) for file in found.files} == {
        "SKILL.md": (skill_text("weather").encode(), False),
        "scripts/ask.sh": (b"#!/bin/sh\necho hi\n", True),
    }


def test_branches_tags_and_commits(repository: Repository) -> None:
    """A ref of each kind is fetched; without one, the default branch."""
    first = repository.git("rev-parse", "HEAD")
    repository.git("tag", "v1")
    repository.git("switch", "--quiet", "--create", "next")
    (repository.path / "skills/weather/more.md").write_text("more")
    second = repository.commit()
    repository.git("switch", "--quiet", "main")
    for ref, commit in ((None, first), ("main", first), ("v1", first), ("next", second), (second, second)):
        with fetched(repository.url, ref) as source:
            assert source.version == commit
    with pytest.raises(RixinError, match="git fetch failed"):
        skills(repository, "no-such-branch")


def test_nothing_stays_behind(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The temporary repository is removed, whether reading succeeds or not."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    skills(repository)
    with pytest.raises(RixinError):
        skills(repository, "no-such-branch")
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("target", ["SKILL.md", "/etc/passwd", "../../../../etc/passwd", "loop", "..", "."])
def test_links_are_refused(repository: Repository, target: str) -> None:
    """To a file, a folder, out of the tree or to itself: no link is installed."""
    repository.commit_entry("120000", "skills/weather/loop", repository.blob(target.encode()))
    assert "'skills/weather/loop' is a symbolic link" in refused(repository)


def test_a_link_elsewhere_in_the_repository_does_not_matter(repository: Repository) -> None:
    """Repositories have links beside their skills; they are not installed."""
    repository.commit_entry("120000", "CLAUDE.md", repository.blob(b"/etc/passwd"))
    repository.commit_entry("160000", "vendor/other", GITLINK)
    assert len(skills(repository)) == 1


def test_submodules_are_refused(repository: Repository) -> None:
    """A submodule in a skill is refused, and none is fetched."""
    (repository.path / ".gitmodules").write_text(
        '[submodule "x"]\n\tpath = skills/weather/x\n\turl = ext::touch pwned\n'
    )
    repository.commit_entry("160000", "skills/weather/x", GITLINK)
    assert "is a submodule" in refused(repository)


@pytest.mark.parametrize("name", ["..", ".", ".git", ".GIT", "git~1", ".g\u200cit", "a\\b", "C:", "bad\nname"])
def test_names_that_git_should_not_hold_are_refused(repository: Repository, name: str) -> None:
    """A tree made by hand can hold any name but one with a slash."""
    blob = repository.blob(skill_text("evil").encode())
    inner = repository.git(
        "mktree", "-z", stdin=f"100644 blob {blob}\tSKILL.md\x00100644 blob {blob}\t{name}\x00".encode()
    )
    skill = repository.git("mktree", stdin=f"040000 tree {inner}\tevil\n".encode())
    repository.commit_tree(f"040000 tree {skill}\tskills\n".encode())
    assert "refused" in refused(repository)


def test_names_that_collide_are_refused(repository: Repository) -> None:
    """Two names that are one where case does not count."""
    blob = repository.blob(b"x")
    repository.commit_entry("100644", "skills/weather/Run.sh", blob)
    repository.commit_entry("100644", "skills/weather/run.SH", blob)
    assert "one on systems that ignore case" in refused(repository)


def test_filters_attributes_and_hooks_do_nothing(repository: Repository, tmp_path: Path) -> None:
    """Nothing is checked out, so nothing that acts on check-out acts, nor are line endings changed."""
    pwned = tmp_path / "pwned"
    (repository.path / ".gitattributes").write_text("* filter=evil text eol=crlf ident export-subst\n")
    (repository.path / "skills/weather/id.md").write_text("$Id$ $Format:%H$\n")
    repository.git("config", "filter.evil.smudge", f"touch {pwned}")
    repository.git("config", "filter.evil.clean", "cat")
    repository.commit()
    for hook in ("post-checkout", "post-merge", "reference-transaction", "post-index-change"):
        script = repository.path / ".git/hooks" / hook
        script.write_text(f"#!/bin/sh\ntouch {pwned}\n")
        script.chmod(0o755)
    (found,) = skills(repository)
    assert {file.path: file.content for file in found.files}["id.md"] == b"$Id$ $Format:%H$\n"
    assert not pwned.exists()


def test_the_users_settings_do_not_count(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither settings nor variables of git decide what happens, nor which repository is meant."""
    pwned = tmp_path / "pwned"
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        f'[url "ext::touch {pwned} "]\n\tinsteadOf = file://\n[init]\n\ttemplateDir = {home}\n'
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "ext:file")
    monkeypatch.setenv("GIT_SSH_COMMAND", f"touch {pwned}")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.ext::touch {pwned}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "file://")
    assert len(skills(repository)) == 1
    assert not pwned.exists()
    assert not (tmp_path / "elsewhere").exists()


def test_a_tree_that_unfolds_without_end_is_refused(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten levels of ten times the same tree are a few hundred bytes, and ten thousand million names."""
    monkeypatch.setattr(git_repository, "MAX_LISTING", 4 * 2**20)
    tree = repository.git("mktree", stdin=f"100644 blob {repository.blob(b'x')}\tx\n".encode())
    for _ in range(10):
        tree = repository.git(
            "mktree", stdin="".join(f"040000 tree {tree}\td{index}\n" for index in range(10)).encode()
        )
    repository.commit_tree(f"040000 tree {tree}\tskills\n".encode())
    assert "larger than 4 MiB" in refused(repository)


def test_large_files_are_refused_before_they_are_read(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zeros are nothing to fetch; the listing tells their true size."""
    monkeypatch.setattr("rixin.clients.skills.entries.MAX_BYTES", 2**20)
    (repository.path / "skills/weather/zeros").write_bytes(bytes(2 * 2**20))
    repository.commit()
    assert "at most 1048576" in refused(repository)


def test_a_large_repository_is_cut_off(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not compress is stopped while it is fetched, by the system."""
    monkeypatch.setattr(git_repository, "MAX_FETCHED", 2**20)
    (repository.path / "noise").write_bytes(os.urandom(2 * 2**20))
    repository.commit()
    assert "larger than 1 MiB" in refused(repository)


def test_what_lies_in_large_file_storage_is_told(repository: Repository) -> None:
    """A pointer is not the file, so it is not installed as if it were."""
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    (repository.path / "skills/weather/model.bin").write_text(pointer)
    repository.commit()
    assert "skills/weather/model.bin is kept in Git LFS" in refused(repository)


def test_a_missing_git_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without git the message says what to do."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RixinError, match="git is not installed") as caught, fetched("https://git.example/a", None):
        pass
    assert caught.value.kind is Kind.CONFIGURATION


def test_a_refused_address_starts_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The address is checked before git is even looked for."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RixinError, match="refused"), fetched("ext::sh -c true", None):
        pass


@pytest.fixture
def web() -> Iterator[Callable[[type[http.server.BaseHTTPRequestHandler]], str]]:
    """Starts HTTP servers on this machine; each gives its address."""
    running: list[tuple[http.server.ThreadingHTTPServer, threading.Thread]] = []

    def start(handler: type[http.server.BaseHTTPRequestHandler]) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()


class _Asks(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(401)
        self.send_header("www-authenticate", 'Basic realm="x"')
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base
        pass


def test_a_repository_is_fetched_over_http(repository: Repository, web: Callable[..., str]) -> None:
    """By git's own server side, without history, at the commit that is there."""

    class Serves(_Asks):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            length = self.headers.get("content-length", "0")
            environ = {
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(repository.path.parent),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("content-type", ""),
                "CONTENT_LENGTH": length,
                "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
                "HTTP_GIT_PROTOCOL": self.headers.get("git-protocol", ""),
            }
            done = subprocess.run(
                ["git", "http-backend"],
                input=self.rfile.read(int(length)),
                env=environ,
                capture_output=True,
                check=True,
                timeout=60,
            )
            self.wfile.write(b"HTTP/1.0 200 OK\r\n" + done.stdout)

        do_POST = do_GET  # noqa: N815 - its name in the base

    (repository.path / "skills/weather/more.md").write_text("more")
    commit = repository.commit()
    with fetched(f"{web(Serves)}/upstream/.git", None) as source:
        (skill,) = read_skills(source)
        assert source.version == commit
    assert "more.md" in {file.path for file in skill.files}


def test_nobody_is_asked_for_a_password(web: Callable[..., str]) -> None:
    """A private repository is an error at once: there is no prompt to wait at."""
    with pytest.raises(RixinError, match="git fetch failed"), fetched(f"{web(_Asks)}/private.git", None, deadline=30):
        pass


@pytest.mark.parametrize("location", ["ftp://127.0.0.1:1/a", "file:///etc/", "https://127.0.0.1:1/a"])
def test_redirections_stay_with_the_transport(web: Callable[..., str], location: str) -> None:
    """A server cannot lead git to another transport than the one that was named."""

    class Redirects(_Asks):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("location", location)
            self.send_header("content-length", "0")
            self.end_headers()

    with pytest.raises(RixinError, match=r"git fetch failed.*(not supported|disabled|not allowed)"):  # noqa: SIM117
        with fetched(f"{web(Redirects)}/a.git", None, deadline=30):
            pass


def test_a_silent_server_is_given_up() -> None:
    """Fetching has a deadline, after which git and its helpers are gone."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/a.git"
        connection = None
        for deadline in (0.5, 5.0, 50.0):  # a busy machine may take long until git has connected
            with (
                pytest.raises(RixinError, match=f"took more than {deadline:g} seconds") as caught,
                fetched(url, None, deadline=deadline),
            ):
                pass
            assert caught.value.kind is Kind.UPSTREAM_TIMEOUT
            with contextlib.suppress(BlockingIOError):
                connection, _ = server.accept()
                break
        assert connection is not None
        with connection:
            connection.settimeout(10)
            while connection.recv(65536):
                pass  # ends only when git's helper, which holds the other end, has ended
