"""`rixin config`: what the settings come to, without secrets, and whether they hold."""

import json
import tomllib
from pathlib import Path

import msgspec
import pytest

from rixin.settings import Settings, load, path_from_text
from tests.cli.program import Invoke

pytestmark = pytest.mark.bare

CONFIG = """
secret_key = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

[server]
port = 9001
database_url = "postgresql://user:hunter2@db/rixin"

[[providers]]
name = "p"
base_url = "https://api.example/v1"
api_keys = ["sk-secret-1", "sk-secret-2"]
headers = { authorization = "Basic hunter2" }

[files]
url = "s3://bucket"
options = { access_key_id = "hunter2", secret_access_key = "hunter2" }

[oidc]
client_secret = "hunter2"

[plans.small]
limits = [{ unit = "requests", amount = 3, window = 60 }]

[aliases]
"claude-*" = "local"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration with every kind of secret in it."""
    path = tmp_path / "other.toml"
    path.write_text(CONFIG)
    return path


def test_settings_are_shown_as_toml_that_reads_back(invoke: Invoke, file: Path) -> None:
    """What is shown, but for the secrets, is a configuration that comes to the same settings."""
    result = invoke("config", "show", "--config", str(file))
    assert result.exit_code == 0, result.output
    shown = msgspec.convert(tomllib.loads(result.stdout), Settings, strict=False, dec_hook=path_from_text)
    settings = load(file)
    assert (shown.server.port, shown.aliases, shown.plans) == (9001, settings.aliases, settings.plans)
    assert shown.engine == settings.engine
    assert shown.server.data_dir == settings.server.data_dir


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_no_secret_is_shown(invoke: Invoke, file: Path, flags: list[str]) -> None:
    """Keys, header values, passwords in URLs and the root secret are starred out, and that they are there is seen."""
    shown = invoke("config", "show", "--config", str(file), *flags).output
    for secret in ("sk-secret", "hunter2", "0123456789abcdef"):
        assert secret not in shown
    assert "postgresql://user:***@db/rixin" in shown


def test_json_is_one_document(invoke: Invoke) -> None:
    """`--json` prints the tree; what is not set is null."""
    tree = json.loads(invoke("config", "show", "--json").stdout)
    assert tree["secret_key"] is None
    assert tree["server"]["port"] == 8700


def test_valid_settings_are_said_to_be_valid(invoke: Invoke, file: Path) -> None:
    """The answer names the file and counts what is in it."""
    result = invoke("config", "validate", "--config", str(file))
    assert result.exit_code == 0
    assert "other.toml" in result.stdout
    assert "1 providers" in result.stdout


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[server]\nprot = 1", "`prot`"),
        ("[server]\nport = 'x'", "$.server.port"),
        ("[server\n", "line 1"),
        ("[[models]]\nname = 'm'\npath = '/no/such.gguf'", "/no/such.gguf"),
        ("[[models]]\nname = 'm'\npath = 'other.toml'", "is not a GGUF file"),
    ],
)
def test_what_is_wrong_is_named(invoke: Invoke, file: Path, text: str, says: str) -> None:
    """The file, and the line or key, of what does not hold are in the error."""
    file.write_text(text)
    result = invoke("config", "validate", "--config", str(file))
    assert result.exit_code == 1
    assert says in result.stderr
    assert "toml" in result.stderr or "/no/such.gguf" in result.stderr
