"""The page about metrics, timing and traces: its commands, its settings, and its list of metrics."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rixin.service.telemetry.families import GAUGES, LAYOUTS
from rixin.settings import load
from tests.support.pages import DOCS, blocks, run
from tests.support.server import ROOT, Server

PAGE = DOCS / "observability.md"

pytestmark = pytest.mark.timeout(300)


def test_the_commands(server: Server, tmp_path: Path) -> None:
    """A request is counted, a key of the right scope reads metrics from elsewhere, and an answer tells its times."""
    counted, keyed, timed = (
        run(commands, server.url, server.shell, cwd=tmp_path).stdout for commands in blocks(PAGE, "sh")
    )
    assert re.search(r'^rixin_requests_total\{.*model="local".*\} [1-9]', counted, re.MULTILINE)
    shown = run("curl -s http://127.0.0.1:8700/metrics", server.url, server.shell).stdout
    assert 'rixin_engine_state{model="local",state="ready"} 1.0' in shown
    for gauge in ("slots", "slots_busy", "requests_waiting", "memory_bytes"):
        assert f'rixin_engine_{gauge}{{model="local"}}' in shown
    assert keyed == "rixin_workers 1.0\n"
    assert re.fullmatch(r"(?i)server-timing: .*upstream;dur=[\d.]+, .*rixin;dur=[\d.]+, total;dur=[\d.]+\s*", timed)


def test_the_settings(tmp_path: Path) -> None:
    """Each block changes what is set."""
    path = tmp_path / "rixin.toml"
    for text in blocks(PAGE, "toml"):
        path.write_text(text, encoding="utf-8")
        assert load(path, environ={}).telemetry != load(environ={}).telemetry


def test_prometheus_takes_its_configuration(program: Callable[[str], str], tmp_path: Path) -> None:
    """Its own tool reads the block, and the rules that it names."""
    [text] = blocks(PAGE, "yaml")
    path = tmp_path / "prometheus.yml"
    path.write_text(text, encoding="utf-8")
    (tmp_path / "metrics.key").write_text("sk-rx-x")
    (tmp_path / "rules.yaml").write_text((ROOT / "deploy" / "prometheus" / "rules.yaml").read_text())
    done = subprocess.run([program("promtool"), "check", "config", path], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_metric_is_on_the_page() -> None:
    """Under its name, with its kind; and no other is."""
    told = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    columns = [column for layout in LAYOUTS.values() for column in layout.columns]
    made = {column.name: "histogram" for column in columns if column.bounds}
    made |= {f"{column.name}_total": "counter" for column in columns if not column.bounds}
    made |= dict.fromkeys(GAUGES, "gauge")
    assert told == made
