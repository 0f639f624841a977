"""`rixin doctor` on a real database, with real upstreams."""

import json
import tomllib
from pathlib import Path

import msgspec
from msgspec.structs import replace

from rixin.accounts import root_secret
from rixin.accounts.ledger import Ledger
from rixin.accounts.request_log import RequestLog
from rixin.clock import SystemClock
from rixin.core.redaction import Redactor
from rixin.engines.trace import Keeping, Trace
from rixin.errors import Kind, RixinError
from rixin.settings import ModelOverride
from rixin.store.database import Database
from rixin.store.usage_row import UsageRow
from tests.cli.program import Invoke, Result, rixin, settings_on
from tests.profiles.strict_upstream import Rules
from tests.upstreams.scripted import ScriptedUpstream, answer
from tests.upstreams.strict import StrictUpstream

STRICT = Rules(refused=frozenset({"seed", "store"}), several_systems=True)


async def run(data_dir: Path, *arguments: str) -> Result:
    """The program, in a process of its own, so that upstreams of the test can answer it."""
    return await rixin(*arguments, data_dir=data_dir)


async def add(data_dir: Path, url: str) -> None:
    """Stores a provider."""
    added = await run(data_dir, "providers", "add", "strict", "--base-url", url, "--no-check")
    assert added.code == 0, added.err


async def test_a_stored_provider_is_examined_and_its_settings_kept(tmp_path: Path) -> None:
    """What it refuses is shown against what is known, and with --write it counts from then on."""
    async with StrictUpstream({"m": STRICT}) as upstream:
        await add(tmp_path, upstream.url)
        shown = await run(tmp_path, "doctor", "strict", "--calls", "50")
        assert shown.code == 0, shown.err
        assert " NO  several system messages" in shown.out
        assert "yes  field user" in shown.out
        assert "never sends seed, store" in shown.out
        assert "a request with all that was refused, mended by this, passes" in shown.out
        assert len(upstream.requests) <= 50
        assert "--write" in shown.err
        written = await run(tmp_path, "doctor", "strict", "--write")
        assert "kept as what strict's settings say of m" in written.out
        told = await run(tmp_path, "doctor", "strict", "--json")
        assert json.loads(told.out)["differences"] == []
    provider = json.loads((await run(tmp_path, "providers", "show", "strict", "--json")).out)
    assert "never sends seed, store" in json.dumps(provider)


async def test_t14_the_address_is_told_as_it_is_used(tmp_path: Path) -> None:
    """However it was written: with an endpoint's path, or without a version."""
    async with StrictUpstream({"m": STRICT}) as upstream:
        await add(tmp_path, f"{upstream.url}/chat/completions/")
        shown = await run(tmp_path, "doctor", "strict", "--calls", "20")
        assert f"asking {upstream.url}\n" in shown.err
        assert all(request.path.startswith("/v1/") for request in upstream.requests)


async def test_a_configured_provider_gets_the_lines_to_paste(tmp_path: Path) -> None:
    """The file is never written; what is printed is a part of the provider's table in it."""
    async with StrictUpstream({"m": STRICT}) as upstream:
        config = tmp_path / "rixin.toml"
        config.write_text(f'[[providers]]\nname = "filed"\nbase_url = "{upstream.url}"\n', encoding="utf-8")
        result = await run(tmp_path, "doctor", "filed", "--write", "--config", str(config))
    assert result.code == 0, result.err
    pasted = result.out[result.out.index("[[providers.overrides]]") :]
    tree = tomllib.loads(config.read_text(encoding="utf-8") + pasted)
    override = msgspec.convert(tree["providers"][0]["overrides"][0], ModelOverride)
    assert override.name == "m"
    assert set(override.profile["drop_params"]) == {"seed", "store"}


async def test_a_wrong_key_is_said_and_ends_it(tmp_path: Path) -> None:
    """The exit code tells that the examination did not come to its end."""
    refused = answer('{"error":{"message":"no such key","type":"authentication_error"}}', status=401)
    async with ScriptedUpstream(refused) as upstream:
        await add(tmp_path, upstream.url)
        result = await run(tmp_path, "doctor", "strict", "--model", "m")
    assert result.code == 1
    assert "stopped: The upstream did not accept our credential." in result.out
    assert "Check the key" in result.out
    assert len(upstream.requests) == 2


def test_unknown_providers_and_requests_are_said(invoke: Invoke) -> None:
    """One line each."""
    assert "There is no provider named none" in invoke("doctor", "none").output
    assert "has no request none" in invoke("doctor", "explain", "none").output
    assert invoke("doctor", "none", "--calls", "1").exit_code == 2


async def test_a_failed_request_is_explained(tmp_path: Path) -> None:
    """Its body is taken from the log; the upstream says nothing, so that it is asked again."""
    async with StrictUpstream({"m": STRICT}) as upstream:
        await add(tmp_path, upstream.url)
        await log_request(tmp_path, {"model": "m", "messages": [{"role": "user", "content": "hi"}], "seed": 1, "n": 1})
        told = await run(tmp_path, "doctor", "explain", "r1")
        assert told.code == 0, told.err
        assert "strict/m refused it with status 400 (invalid_request)" in told.out
        assert "--replay" in told.err
        assert upstream.requests == []
        found = await run(tmp_path, "doctor", "explain", "r1", "--replay")
        assert "culprit: seed" in found.out
        assert "it passes when this server never sends seed" in found.out
        assert 0 < len(upstream.requests) <= 16


async def log_request(data_dir: Path, body: dict[str, object]) -> None:
    """A request that the provider refused, as a server keeps it."""
    settings = settings_on(data_dir)
    database = Database.open(settings)
    clock = SystemClock()
    ledger = Ledger(database)
    requests = RequestLog(
        database, ledger, root_secret.load(settings), Redactor(), replace(settings.server, keep_bodies="errors"), clock
    )
    data = json.dumps(body).encode()
    trace = Trace(clock, clock.monotonic(), Keeping(bodies=True))
    attempt = trace.on_attempt("strict", "openai_chat", "m", data)
    attempt.on_answer(400, {})
    attempt.on_data(b'{"error":{"message":"Errors in message queue response"}}')
    attempt.on_end(RixinError(Kind.INVALID_REQUEST, "Errors in message queue response"))
    row = UsageRow(
        time=1.0, id="r1", key_id="k", key_name="Ada", dialect="openai_chat", operation="generate", model_asked="m",
        model="m", provider="strict", status=400, error="invalid_request", total_ms=5.0,
    )  # fmt: skip
    requests.record(row, trace, data)
    assert await requests.flush()
    await ledger.flush()
    await requests.aclose()
    await ledger.aclose()
    await database.aclose()
