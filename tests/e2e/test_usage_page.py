"""Every command and configuration of the page about usage, executed."""

import json
from pathlib import Path

import pytest

from rixin.core.prices import PriceList
from rixin.settings import load
from tests.support.pages import DOCS, blocks, run
from tests.support.server import Server

PAGE = DOCS / "usage.md"

pytestmark = pytest.mark.timeout(300)


def test_configurations(tmp_path: Path) -> None:
    """Each configuration is valid, and prices what it names."""
    priced: list[int] = []
    for text in blocks(PAGE, "toml"):
        path = tmp_path / "rixin.toml"
        path.write_text(text, encoding="utf-8")
        settings = load(path, environ={})
        assert settings != load(environ={})
        prices = PriceList(settings.prices, currency=settings.usage.currency)
        priced += [prices.of("up", "deepseek-v4-flash").prompt, prices.of("backup", "deepseek-v4-flash").prompt]
    assert priced == [270_000, 300_000, 0, 0]


def test_what_was_used_is_shown(server: Server) -> None:
    """A request is in the tables, in the sums and in the lists, and so is what it cost."""
    answer = server.sdk().chat.completions.create(
        model="local", max_tokens=4, messages=[{"role": "user", "content": "Hi"}]
    )
    assert answer.usage is not None
    environ = server.environ | {"RIXIN_DATA_DIR": str(server.data_dir)}
    verbs, curls = blocks(PAGE, "sh")
    recorded = run(curls, server.url, environ).stdout
    summary, _, rest = recorded.partition("}]}")
    assert json.loads(summary + "}]}")["data"][0]["requests"] >= 1
    assert "group,name,requests" in rest
    assert '"model_asked":"local"' in rest
    assert "time,id,key_id" in rest
    printed = run(verbs, server.url, environ).stdout
    assert "local" in printed
    assert "MODEL" in printed
    assert "KEY" in printed
