"""How the commands find the server of a data directory."""

import json
from pathlib import Path

import pytest

from rixin.cli.address import find_address, reachable_url, recorded_address
from rixin.errors import RixinError
from tests.cli.program import ended, rixin, serving, until

URL = "http://127.0.0.1:8701"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8701"),
        ("0.0.0.0", "http://127.0.0.1:8701"),
        ("", "http://127.0.0.1:8701"),
        ("::", "http://[::1]:8701"),
        ("::1", "http://[::1]:8701"),
        ("box.lan", "http://box.lan:8701"),
    ],
)
def test_a_server_is_reached_where_it_listens(host: str, url: str) -> None:
    """An address for listening to all is not one to connect to."""
    assert reachable_url(host, 8701) == url


def test_an_address_counts_as_long_as_its_server_runs(tmp_path: Path) -> None:
    """A data directory, new or old, tells of no server before it runs and of none after it has ended."""
    data_dir = tmp_path / "new"
    assert find_address(data_dir) is None
    with recorded_address(data_dir, URL):
        assert find_address(data_dir) == URL
    assert find_address(data_dir) is None
    assert list(data_dir.iterdir()) == []


def test_a_server_that_was_started_later_keeps_its_word(tmp_path: Path) -> None:
    """Of servers that share a directory, the one that ends first takes back only what it said itself."""
    with recorded_address(tmp_path, URL):
        later = recorded_address(tmp_path, "http://127.0.0.1:8702")
        later.__enter__()
    assert find_address(tmp_path) == "http://127.0.0.1:8702"
    later.__exit__(None, None, None)
    assert find_address(tmp_path) is None


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """The error names the file."""
    (tmp_path / "file").touch()
    with (
        pytest.raises(RixinError, match=r"cannot write .*file/data/serve\.url"),
        recorded_address(tmp_path / "file" / "data", URL),
    ):
        pass


async def test_a_server_on_any_port_is_found_by_its_data_directory(data_dir: Path) -> None:
    """`rixin models` reaches a server that took another port than the settings', and no longer once it has ended."""
    ask = ("models", "list", "--json")
    provider = 'name = "p"\nbase_url = "http://127.0.0.1:9/v1"\nmodels = ["theirs"]\n'
    (data_dir.parent / "rixin.toml").write_text(f"[[providers]]\n{provider}")
    async with serving(data_dir, "--json") as process:
        url = json.loads(await until(process, "listening"))["url"]
        assert find_address(data_dir) == url
        found = await rixin(*ask, data_dir=data_dir)
        assert found.code == 0, found.err
        assert "theirs" in {model["id"] for model in json.loads(found.out)}
        assert (await ended(process))[0] == 0
    gone = await rixin(*ask, data_dir=data_dir, env={"RIXIN_PORT": "9"})
    assert (gone.code, "no server answers at http://127.0.0.1:9/v1" in gone.err) == (1, True)
