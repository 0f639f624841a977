"""The dashboard, the alerts and the metrics that they show, by our own look and by Prometheus' own tool."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from rixin.service.telemetry.exposition import expose
from rixin.service.telemetry.families import GAUGES, LAYOUTS
from rixin.service.telemetry.metrics import Metrics
from rixin.service.telemetry.sheet import Sheet, read_sheet
from tests.service.telemetry.test_metrics import usage
from tests.support.server import ROOT

DASHBOARD = ROOT / "deploy" / "grafana" / "rixin.json"
RULES = ROOT / "deploy" / "prometheus" / "rules.yaml"
SCRAPED = frozenset({"instance", "job", "le"})
"""Labels that Prometheus adds, and that of buckets."""
_NAME = re.compile(r"\b(?:rixin_|gen_ai_server_|gen_ai_client_|http_server_)\w+")
_MATCHERS = re.compile(r"(\w+)\{([^}]*)\}")
_GROUPING = re.compile(r"\bby \(([^)]*)\)")
_STRING = re.compile(r'"[^"]*"')


def metrics() -> dict[str, frozenset[str]]:
    """The name of each series that `/metrics` may tell, and its labels."""
    found: dict[str, frozenset[str]] = {name: frozenset(gauge.labels) for name, gauge in GAUGES.items()}
    for layout in LAYOUTS.values():
        for column in layout.columns:
            endings = ("_bucket", "_count", "_sum") if column.bounds else ("_total",)
            for ending in endings:
                found[column.name + ending] = frozenset({*column.labels, *column.constant})
    return found


def queries(dashboard: dict[str, Any]) -> Iterator[str]:
    """Every query of the dashboard's panels."""
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


def rules() -> list[dict[str, Any]]:
    """All rules."""
    groups: list[dict[str, Any]] = YAML(typ="safe").load(RULES)["groups"]  # pyright: ignore[reportUnknownMemberType] - it has no types
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> list[str]:
    """What is asked of Prometheus, by dashboard and rules."""
    return [*queries(json.loads(DASHBOARD.read_text())), *(rule["expr"] for rule in rules())]


def test_every_metric_that_is_named_exists() -> None:
    """And has the labels by which it is chosen and grouped."""
    known, named = metrics(), set[str]()
    for expression in expressions():
        found = _NAME.findall(_STRING.sub('""', _GROUPING.sub("", re.sub(r"\{[^}]*\}", "", expression))))
        assert found, expression
        assert set(found) <= set(known), expression
        named |= set(found)
        for name, matchers in _MATCHERS.findall(expression):
            assert set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", _STRING.sub('""', matchers))) <= known[name], expression
        labels = frozenset[str]().union(*(known[name] for name in found)) | SCRAPED
        for group in _GROUPING.findall(expression):
            assert {label.strip() for label in group.split(",")} <= labels, expression
    families = {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in known}
    assert families - {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in named} == set()


def test_the_dashboard_can_be_imported() -> None:
    """Panels have numbers of their own and do not lie on one another; variables fill from metrics that exist."""
    dashboard = json.loads(DASHBOARD.read_text())
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = [
        (panel["gridPos"]["x"] + column, panel["gridPos"]["y"] + line)
        for panel in panels
        for column in range(panel["gridPos"]["w"])
        for line in range(panel["gridPos"]["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(column for column, _ in taken) == 23
    for variable in dashboard["templating"]["list"][1:]:
        filled = re.fullmatch(r"label_values\((\w+)(?:\{.*\})?, (\w+)\)", variable["definition"])
        assert filled is not None
        assert filled[2] in metrics()[filled[1]]


def test_alerts_say_what_is_wrong_and_what_to_do() -> None:
    """Each has a severity, a summary and a description."""
    alerts = [rule for rule in rules() if "alert" in rule]
    assert len(alerts) >= 10
    for alert in alerts:
        assert alert["labels"]["severity"] in ("info", "warning", "critical")
        assert set(alert["annotations"]) == {"summary", "description"}


def test_prometheus_reads_every_query(program: Callable[[str], str], tmp_path: Path) -> None:
    """Its own tool parses all rules, templates included, and all queries of the dashboard."""
    asked = [
        {"record": f"query:{number}", "expr": re.sub(r"\$__rate_interval", "5m", expression).replace("$", "")}
        for number, expression in enumerate(queries(json.loads(DASHBOARD.read_text())))
    ]
    (tmp_path / "dashboard.json").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": asked}]}))
    for path in (RULES, tmp_path / "dashboard.json"):
        done = subprocess.run(
            [program("promtool"), "check", "rules", path], check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr


def test_prometheus_has_nothing_against_the_metrics(program: Callable[[str], str], tmp_path: Path) -> None:
    """Its own tool finds no name, unit, type or help text to mend."""
    sheet = Sheet(tmp_path / "sheet")
    counted = Metrics(sheet)
    counted.ended(usage(stream=True, prompt_tokens=3, completion_tokens=3, first_token_ms=1.0), None)
    counted.exchanged("GET", "/health", 200, 0.1)
    text, _ = expose([read_sheet(tmp_path / "sheet")], [])
    done = subprocess.run([program("promtool"), "check", "metrics"], input=text, check=False, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    sheet.close()
