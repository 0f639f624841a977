"""Which server a command means, and which key goes there."""

from pathlib import Path

import pytest

from rixin.accounts.api_keys import SECRET_PREFIX
from rixin.cli.address import recorded_address
from rixin.cli.client import OUR_KEYS, find_target, local_address
from rixin.errors import RixinError
from rixin.settings import Server, Settings


def settings(data_dir: Path, port: int = 8701) -> Settings:
    """The settings of a server on this machine."""
    return Settings(server=Server(port=port, data_dir=data_dir))


def test_what_the_server_told_counts_before_the_settings(tmp_path: Path) -> None:
    """A server that was started with another port is asked there, and where the settings say once it has ended."""
    with recorded_address(tmp_path, "http://127.0.0.1:9000"):
        assert local_address(settings(tmp_path)) == "http://127.0.0.1:9000"
    assert local_address(settings(tmp_path)) == "http://127.0.0.1:8701"


@pytest.mark.parametrize(
    ("flags", "environ", "base_url", "key"),
    [
        ((None, None), {}, "http://127.0.0.1:8701/v1", "sk-rx-first"),
        ((None, "mine"), {"RIXIN_API_KEY": "other"}, "http://127.0.0.1:8701/v1", "mine"),
        ((None, None), {"RIXIN_API_KEY": "sk-rx-env"}, "http://127.0.0.1:8701/v1", "sk-rx-env"),
        ((None, None), {"OPENAI_API_KEY": "sk-real"}, "http://127.0.0.1:8701/v1", "sk-rx-first"),
        ((None, None), {"OPENAI_API_KEY": "sk-rx-mine"}, "http://127.0.0.1:8701/v1", "sk-rx-mine"),
        (
            (None, None),
            {"OPENAI_BASE_URL": "https://api.example/v1", "OPENAI_API_KEY": "sk-real"},
            "https://api.example/v1",
            "sk-real",
        ),
        (("https://api.example", None), {"OPENAI_API_KEY": "sk-real"}, "https://api.example/v1", "sk-real"),
        (
            (None, None),
            {"RIXIN_BASE_URL": "http://box:1", "OPENAI_BASE_URL": "https://api.example/v1"},
            "http://box:1/v1",
            None,
        ),
        (("https://api.example/v1/", None), {}, "https://api.example/v1", None),
    ],
)
def test_a_key_goes_only_where_it_belongs(
    tmp_path: Path,
    flags: tuple[str | None, str | None],
    environ: dict[str, str],
    base_url: str,
    key: str | None,
) -> None:
    """Flags win over variables; the first key never leaves this machine's server, OpenAI's never goes to it."""
    (tmp_path / "first-key").write_text("sk-rx-first\n")
    target = find_target(settings(tmp_path), base_url=flags[0], api_key=flags[1], environ=environ)
    assert (target.base_url, target.api_key) == (base_url, key)
    assert target.local is (flags[0] is None and not any(name.endswith("BASE_URL") for name in environ))
    assert key is None or key not in repr(target)


def test_a_server_on_any_port_must_be_named_unless_it_runs(tmp_path: Path) -> None:
    """Its address is in no settings: nothing is asked, or written into an agent's files, at port 0."""
    anywhere = settings(tmp_path, port=0)
    with pytest.raises(RixinError, match="RIXIN_BASE_URL"):
        find_target(anywhere, base_url=None, api_key="k", environ={})
    assert find_target(anywhere, base_url="http://127.0.0.1:9/v1", api_key="k", environ={}).base_url.endswith(":9/v1")
    with recorded_address(tmp_path, "http://127.0.0.1:9000"):
        assert find_target(anywhere, base_url=None, api_key="k", environ={}).base_url.endswith(":9000/v1")


def test_the_admin_api_is_beside_the_version() -> None:
    """`/v1` is OpenAI's; ours is `/admin/v1` of the same address."""
    target = find_target(Settings(), base_url="http://box:8700/v1", api_key=None, environ={})
    assert target.admin_url == "http://box:8700/admin/v1"


def test_our_keys_are_known_by_their_looks() -> None:
    """The commands know how keys begin without importing the rooms that make them."""
    assert OUR_KEYS == SECRET_PREFIX


@pytest.mark.parametrize("key", ["sk\nx: y", "密钥"])
def test_a_key_that_is_none_is_refused(tmp_path: Path, key: str) -> None:
    """What cannot be in a header is told, without showing it."""
    with pytest.raises(RixinError, match="no key has") as caught:
        find_target(settings(tmp_path), base_url=None, api_key=key, environ={})
    assert key not in caught.value.message


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    """A mistyped address is told before anything is sent."""
    with pytest.raises(RixinError, match="base_url is 'box:8700'"):
        find_target(settings(tmp_path), base_url="box:8700", api_key=None, environ={})
