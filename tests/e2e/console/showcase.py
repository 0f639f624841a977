"""A server that has been at work for a week: what pictures of the console show, made up but for the answers."""

import json
import math
import random
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from anyio.from_thread import start_blocking_portal
from msgspec import Struct

from rixin.clock import SystemClock
from rixin.store.database import Database
from rixin.store.usage import UsageTable
from rixin.store.usage_row import UsageRow
from tests.e2e.console.visit import OWNER
from tests.support.databases import served_place
from tests.support.server import Server, start
from tests.upstreams.scripted import DONE, Reply, Request, ScriptedUpstream, answer, completion_events, stream

HOUR = 3600
HOURS = 7 * 24
BUSIEST = 26
"""Requests of the busiest hour."""
QUESTION = "When does the last ferry leave for Skarn?"
TIMETABLE = """# Ferries to Skarn

The ferry to Skarn leaves from pier four at 07:10, 09:30, noon, 15:20 and 18:45. On Sundays the first one does not run.

# Tickets

Tickets are sold on board. Children under six travel free, bicycles cost two crowns, and dogs ride on the lower deck.

# Storms

Above force nine no ferry leaves. Whether one does is told at the pier, and on the harbour's own wireless at channel 12.
"""
SHARES = (
    ("sensenova-6.7-flash-lite", "sensenova", 0.4, 0.12),
    ("deepseek-v4-pro", "deepseek", 0.25, 0.9),
    ("kimi-k2.6", "moonshot", 0.15, 1.1),
    ("local", "local", 0.2, 0.0),
)
"""Models, who answers for them, their share of all requests, and the price of a million tokens."""
ERRORS = (("rate_limited", 429), ("upstream_timeout", 504), ("invalid_request", 400), ("context_overflow", 400))
REFUSED: dict[str, Any] = {
    "model": "campus-coder",
    "temperature": 1.7,
    "messages": [{"role": "user", "content": "Name three uses of a hash table."}],
}
CONFIG = """
[server]
keep_bodies = "errors"

[plans.coding]
limits = [
    { unit = "requests", amount = 40, window = 18000.0 },
    { unit = "tokens", amount = 4000, window = 604800.0 },
]
"""
PROVIDERS: list[dict[str, Any]] = [
    {
        "name": "sensenova",
        "preset": "sensenova",
        "models": ["sensenova-6.7-flash-lite", "deepseek-v4-flash"],
        "api_keys": ["sk-showcase-0000000000001f3a"],
    },
    {
        "name": "deepseek",
        "preset": "deepseek",
        "models": ["deepseek-v4-pro", "deepseek-v4-flash"],
        "api_keys": ["sk-showcase-00000000000077c2", "sk-showcase-0000000000009e01"],
    },
    {"name": "moonshot", "preset": "moonshot", "models": ["kimi-k2.6"], "api_keys": ["sk-showcase-000000000000b4d8"]},
    {"name": "campus", "models": ["campus-coder"]},
]


class Showcase(Struct, frozen=True):
    """The server, the cookie of its owner by name, and what pages have open."""

    server: Server
    cookies: dict[str, str]
    request: str
    base: str


@contextmanager
def showcase(folder: Path) -> Generator[Showcase]:
    """The server, with its data in a folder."""
    data_dir = folder / "data"
    data_dir.mkdir()
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(ScriptedUpstream(_reply)) as upstream:
        portal.call(_work, data_dir)
        server, stop = start(data_dir, config=CONFIG, env={"HOME": str(folder)})
        try:
            yield _furnished(server, upstream.url)
        finally:
            stop()


def _furnished(server: Server, url: str) -> Showcase:
    token = (server.data_dir / "setup-token").read_text(encoding="utf-8").strip()
    session = requests.Session()
    session.headers["x-rixin-csrf"] = "1"
    chat = f"{server.url}/v1/chat/completions"

    def post(path: str, expected: int = 200, **sent: Any) -> requests.Response:
        return _posted(session, f"{server.url}{path}", expected, **sent)

    post("/admin/v1/setup", 201, json={"token": token, **OWNER})
    for provider in PROVIDERS:
        post("/admin/v1/providers", 201, json={"base_url": url, **provider})
    for name, asked in (("laptop", 31), ("notebook", 12)):
        key = post("/admin/v1/keys", 201, json={"name": name, "plan": "coding"}).json()["key"]
        for _ in range(asked):
            body = {"model": "moonshot/kimi-k2.6", "messages": [{"role": "user", "content": "hi"}], "stream": True}
            _posted(requests, chat, 200, headers={"authorization": f"Bearer {key}"}, json=body)
    failed = _posted(requests, chat, 400, headers=server.headers, json=REFUSED)
    file = {"file": ("ferries.md", TIMETABLE.encode())}
    document = post("/v1/files", data={"scheme": "KNOWLEDGE_BASE_1"}, files=file).json()["id"]
    wish = {"description": "Harbour of Skarn", "files": [document]}
    base: str = post("/admin/v1/knowledge-bases", 201, json=wish).json()["id"]
    cookies = {cookie.name: cookie.value or "" for cookie in session.cookies}
    return Showcase(server, cookies, failed.headers["x-request-id"], base)


def _posted(client: Any, url: str, expected: int, **sent: Any) -> requests.Response:
    answered = client.post(url, timeout=120, **sent)
    assert answered.status_code == expected, answered.text
    return answered


def _reply(request: Request) -> Reply:
    if request.method == "GET":
        return answer('{"object": "list", "data": []}')
    if request.json["model"] == REFUSED["model"]:
        error = {"message": "temperature must be between 0 and 1", "type": "invalid_request_error", "param": None}
        return answer(json.dumps({"error": error}), status=400)
    return stream([*completion_events(("Hello", "!")), DONE])


async def _work(data_dir: Path) -> None:
    """Writes down a week of requests: fewer at night, and few that failed."""
    database = Database(served_place(data_dir))
    await database.prepare()
    dice, now = random.Random(2026), SystemClock().now()
    rows = [
        _row(dice, now - (hour + dice.random()) * HOUR, f"{hour}-{number}")
        for hour in range(HOURS)
        for number in range(round(BUSIEST * (0.55 + 0.45 * math.cos((hour - 4) * math.pi / 12))))
    ]
    await UsageTable(database).add(rows)
    await database.aclose()


def _row(dice: random.Random, time: float, name: str) -> UsageRow:
    model, provider, _, price = dice.choices(SHARES, [share for _, _, share, _ in SHARES])[0]
    error, status = dice.choice(ERRORS) if dice.random() < 0.04 else (None, 200)
    prompt, completion = dice.randint(300, 9000), dice.randint(40, 900)
    first = dice.lognormvariate(6.2, 0.5)
    return UsageRow(
        time=time,
        id=f"req-{name}",
        key_id="key_showcase",
        key_name=dice.choice(("laptop", "notebook", "ci")),
        dialect=dice.choice(("openai_chat", "openai_responses", "anthropic")),
        operation="generate",
        model_asked=model,
        model=model,
        provider=provider,
        status=status,
        error=error,
        stream=True,
        prompt_tokens=prompt,
        completion_tokens=0 if error else completion,
        first_token_ms=None if error else first,
        total_ms=first + completion * 12,
        cost=0 if error else round((prompt + 3 * completion) * price),
    )
