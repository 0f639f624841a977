"""How settings are read."""

from pathlib import Path

import pytest

from rixin.errors import Kind, RixinError
from rixin.settings import load

EXAMPLE = """
[server]
port = 9000

[[providers]]
name = "sensenova"
base_url = "https://${HOST:-token.example}/v1"
api_keys = ["${KEY}"]

[aliases]
"claude-*" = "m"
"""


def write(folder: Path, text: str) -> Path:
    """A configuration file of this text."""
    path = folder / "rixin.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_everything_has_a_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file and no variable is a valid configuration, bound to loopback, with keys on."""
    monkeypatch.chdir(tmp_path)
    settings = load(environ={})
    assert (settings.server.host, settings.server.port, settings.server.auth) == ("127.0.0.1", 8700, "keys")
    assert settings.models_dir == settings.server.data_dir / "models"


def test_later_sources_win(tmp_path: Path) -> None:
    """Flags over variables over the file over defaults."""
    path = write(tmp_path, EXAMPLE)
    environ = {"KEY": "sk-1"}
    assert load(path, environ=environ).server.port == 9000
    environ["RIXIN_SERVER__PORT"] = "9001"
    assert load(path, environ=environ).server.port == 9001
    assert load(path, environ=environ, flags={"server.port": 9002, "server.host": None}).server.port == 9002


def test_a_short_variable_is_a_server_setting(tmp_path: Path) -> None:
    """`RIXIN_PORT` is `server.port`."""
    assert load(write(tmp_path, ""), environ={"RIXIN_PORT": "9003"}).server.port == 9003


def test_lists_come_between_commas(tmp_path: Path) -> None:
    """A variable can hold several origins."""
    settings = load(write(tmp_path, ""), environ={"RIXIN_CORS_ORIGINS": "https://a.example,https://b.example"})
    assert settings.server.cors_origins == ("https://a.example", "https://b.example")


@pytest.mark.parametrize(
    ("environ", "level"),
    [
        ({}, "info"),
        ({"LOG_LEVEL": "debug"}, "debug"),
        ({"LOG_LEVEL": "WARN"}, "warning"),
        ({"LOG_LEVEL": "debug", "RIXIN_LOG_LEVEL": "error"}, "error"),
    ],
)
def test_the_common_log_level_is_honoured(tmp_path: Path, environ: dict[str, str], level: str) -> None:
    """`LOG_LEVEL` counts unless our own variable says otherwise."""
    assert load(write(tmp_path, ""), environ=environ).server.log_level == level


def test_references_are_filled_in(tmp_path: Path) -> None:
    """`${VAR}` must be set, `${VAR:-default}` need not."""
    path = write(tmp_path, EXAMPLE)
    provider = load(path, environ={"KEY": "sk-1"}).providers[0]
    assert (provider.base_url, provider.api_keys) == ("https://token.example/v1", ("sk-1",))
    with pytest.raises(RixinError, match="KEY"):
        load(path, environ={})


def test_a_secret_can_come_from_a_file(tmp_path: Path) -> None:
    """`*_FILE` names the file that holds the value."""
    (tmp_path / "secret").write_text("c2VjcmV0\n", encoding="utf-8")
    settings = load(write(tmp_path, ""), environ={"RIXIN_SECRET_KEY_FILE": str(tmp_path / "secret")})
    assert settings.secret_key == "c2VjcmV0"
    with pytest.raises(RixinError, match="RIXIN_SECRET_KEY_FILE"):
        load(write(tmp_path, ""), environ={"RIXIN_SECRET_KEY_FILE": str(tmp_path / "none")})


def test_variables_of_clients_are_no_settings(tmp_path: Path) -> None:
    """Where a server is and what its keys are can stand in the environment of the server's own commands."""
    environ = {"RIXIN_BASE_URL": "http://h:1", "RIXIN_API_KEY": "sk-rx-1", "RIXIN_ADMIN_KEY": "sk-rx-2"}
    assert load(write(tmp_path, ""), environ=environ) == load(write(tmp_path, ""), environ={})


def test_variables_of_the_tests_are_no_settings(tmp_path: Path) -> None:
    """Whatever tells tests how to run, a server that they start does not stumble over it."""
    environ = {"RIXIN_TEST_ALL": "1", "RIXIN_TEST_EXAMPLES": "20", "RIXIN_TEST_FAST_PATH": "off"}
    assert load(write(tmp_path, ""), environ=environ) == load(write(tmp_path, ""), environ={})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[server]\nprot = 1", "did you mean `port`"),
        ("[server]\nport = 'x'", r"server\.port"),
        ("[server]\nport = 70000", "between 0 and 65535"),
        ("[server", "not valid TOML"),
        ("[server]\nworkers = 0", "at least 1"),
        ("[usage]\ncurrency = 'dollars'", r"usage\.currency"),
        ("[usage]\nsum_days = -1", r"usage\.sum_days"),
        ("[[providers]]\nname='a'\nbase_url='https://u'\nweight = -1", "provider a: weight is -1"),
        ("[[providers]]\nname='a'\nbase_url='https://u'\nqueue_deadline = inf", "provider a: queue_deadline is inf"),
        ("[routes]\nr = []", r"routes\.r names no model"),
        ("[routes]\nr = [{ model = 'm', wieght = 2 }]", "did you mean `weight`"),
        ("[routes]\nr = [{ model = 'm', weight = -2 }]", r"routes\.r: weight is -2"),
        ('[server]\nauth = "off"\nhost = "0.0.0.0"', "anyone could use this server"),
        ('[[providers]]\nname="a"\nbase_url="u"\n[[providers]]\nname="a"\nbase_url="v"', "two providers are named a"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, says: str) -> None:
    """The message tells which setting is wrong and, where it can, what was meant."""
    with pytest.raises(RixinError, match=says) as raised:
        load(write(tmp_path, text), environ={})
    assert raised.value.kind is Kind.CONFIGURATION


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("RIXIN_SERVER__PORT", "abc", r"^RIXIN_SERVER__PORT: .*server\.port"),
        ("RIXIN_PROT", "1", r"^RIXIN_PROT: .*did you mean `port`"),
        ("LOG_LEVEL", "loud", r"^LOG_LEVEL: .*log_level"),
        ("RIXIN_PROVIDERS__UP__PRIORITY", "1", r"^RIXIN_PROVIDERS__UP__PRIORITY: `providers` is no table"),
    ],
)
def test_a_mistake_in_a_variable_is_not_the_files(tmp_path: Path, variable: str, value: str, says: str) -> None:
    """The message begins with the variable that is wrong, though there is a file."""
    path = write(tmp_path, "[server]\nport = 1\n[[providers]]\nname='a'\nbase_url='https://u'")
    with pytest.raises(RixinError, match=says) as raised:
        load(path, environ={variable: value})
    assert raised.value.kind is Kind.CONFIGURATION


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A named file must exist."""
    with pytest.raises(RixinError, match=r"none\.toml"):
        load(tmp_path / "none.toml", environ={})


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"oidc.issuer": "http://login.example.com"}, "oidc.issuer"),
        ({"oidc.issuer": "login.example.com"}, "oidc.issuer"),
        ({"oidc.client_id": ""}, "oidc.client_id"),
        ({"oidc.client_secret": " "}, "oidc.client_secret"),
        ({"server.public_url": None}, "server.public_url"),
        ({"oidc.scopes": ["email"]}, "oidc.scopes"),
        ({"server.trusted_proxies": ["10.0.0.1/8"]}, "server.trusted_proxies"),
    ],
)
def test_a_provider_of_identities_and_proxies_make_sense(changes: dict[str, object], named: str) -> None:
    """What would let nobody in, or the wrong people, is refused at the start; an empty secret too."""
    flags: dict[str, object] = {
        "oidc.issuer": "https://login.example.com",
        "oidc.client_id": "rixin",
        "oidc.client_secret": "secret",
        "server.public_url": "https://rixin.example.com",
        "server.trusted_proxies": ["10.0.0.0/8", "::1"],
    }
    load(environ={}, flags=flags)
    with pytest.raises(RixinError, match=named):
        load(environ={}, flags=flags | changes)
