"""`rixin providers` on a real database, with real upstreams."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from rixin.clock import SystemClock
from rixin.profiles.repairs import BY_NAME
from rixin.routing.learned import LearnedRules
from rixin.store.database import Database
from tests.cli.program import Invoke, Result, rixin
from tests.support.databases import content, served_place
from tests.upstreams.scripted import Reply, Request, ScriptedUpstream, answer

ADDRESS = "http://127.0.0.1:9/v1"
KEY = "sk-a-key-of-nobody-1234"
LISTED = answer(json.dumps({"data": [{"id": "m1", "context_length": 1000}, {"id": "m2"}]}))
REFUSED = answer('{"error":{"message":"no such key","type":"authentication_error"}}', status=401)


def reply(request: Request) -> Reply:
    """Models for whoever has the key."""
    return LISTED if request.headers.get("authorization") == f"Bearer {KEY}" else REFUSED


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    """An upstream that asks for a key."""
    async with ScriptedUpstream(reply) as running:
        yield running


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data directory in a working directory without a configuration file."""
    return tmp_path / "data"


def added(invoke: Invoke, *arguments: str, stdin: str | None = None) -> dict[str, Any]:
    """What `providers add --json` prints."""
    result = invoke("providers", "add", *arguments, "--json", stdin=stdin)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def listed(invoke: Invoke) -> list[dict[str, Any]]:
    """All providers."""
    return json.loads(invoke("providers", "list", "--json").stdout)


async def run(data_dir: Path, *arguments: str, stdin: str = "", **env: str) -> Result:
    """The program, in a process of its own, so that upstreams of the test can answer it."""
    return await rixin("providers", *arguments, data_dir=data_dir, env=env, stdin=stdin.encode())


def test_a_preset_gives_address_and_key(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name is enough; what will be done to requests is told, field by field, with where that is documented."""
    monkeypatch.setenv("SENSENOVA_API_KEY", KEY)
    result = invoke("providers", "add", "sensenova", "--no-check")
    assert "added sensenova at https://token.sensenova.cn/v1, with the key ...1234" in result.stdout
    assert "preset sensenova: SenseNova 商汤日日新, documented at https://platform.sensenova.cn/docs" in result.stdout
    assert "leaves out strict of tools (tool_strict)" in result.stdout
    assert KEY not in result.output
    (provider,) = listed(invoke)
    assert (provider["preset"], provider["api_keys"], provider["problem"]) == ("sensenova", ["...1234"], None)


async def test_the_models_are_asked_for_first(upstream: ScriptedUpstream, data_dir: Path) -> None:
    """The key is tried on the list of models, which is shown; a model that it lacks is named."""
    result = await run(
        data_dir,
        *("add", "mine", "--base-url", upstream.url, "--api-key-env", "MY_KEY", "--model", "m1", "--model", "m9"),
        MY_KEY=KEY,
    )
    assert result.code == 0, result.err
    assert "it lists 2 models: m1, m2" in result.out
    assert "it does not list m9" in result.err
    (request,) = upstream.requests
    assert (request.path, request.headers["authorization"]) == ("/v1/models", f"Bearer {KEY}")


async def test_a_key_that_is_refused_adds_nothing(upstream: ScriptedUpstream, data_dir: Path) -> None:
    """The upstream's refusal is an error that says what to do, and nothing is stored."""
    result = await run(data_dir, "add", "mine", "--base-url", upstream.url, "--api-key-stdin", stdin="sk-wrong\n")
    assert result.code == 1
    assert "mine does not list its models" in result.err
    assert "--no-check adds it all the same" in result.err
    assert "sk-wrong" not in result.err
    keyless = await run(data_dir, "add", "mine", "--base-url", upstream.url)
    assert "it has no key: give --api-key-env or --api-key-stdin" in keyless.err
    assert json.loads((await run(data_dir, "list", "--json")).out) == []


def test_keys_come_from_stdin_and_variables(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several keys make a pool, in the order in which they were given; on the command line they come with a warning."""
    monkeypatch.setenv("ONE", "sk-number-one-0001")
    pool = added(
        invoke,
        *("a", "--base-url", "https://a.example.com", "--api-key-env", "ONE", "--api-key-stdin", "--no-check"),
        stdin="sk-number-two-0002\n\nsk-number-three-0003\n",
    )
    assert pool["api_keys"] == ["...0001", "...0002", "...0003"]
    result = invoke(
        *("providers", "add", "b", "--base-url", "https://b.example.com", "--api-key", KEY, "--no-check"),
    )
    assert result.exit_code == 0
    assert "in your shell's history" in result.stderr


def test_the_store_holds_no_key(invoke: Invoke, data_dir: Path) -> None:
    """Nowhere in the database is a key to be found."""
    added(invoke, "a", "--base-url", "https://a.example.com", "--api-key-stdin", "--no-check", stdin=KEY)
    kept = content(served_place(data_dir))
    assert b"https://a.example.com" in kept
    assert KEY.encode() not in kept
    assert KEY[:10].encode() not in kept


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nobody"], "it has no base_url, which only presets need not be given; those are sensenova"),
        (["x", "--base-url", "ftp://a"], "it must be like https://"),
        (["x", "--preset", "vllm"], "vLLM runs anywhere; give its base_url"),
        (["a/b", "--base-url", "https://a.example.com"], "letters, digits"),
        (["x", "--base-url", "https://a.example.com", "--api-key-env", "NO_SUCH"], "NO_SUCH is not set"),
        (["x", "--base-url", "https://a.example.com", "--api-key-stdin"], "no key on stdin"),
    ],
)
def test_what_cannot_be_added_is_told(invoke: Invoke, arguments: list[str], says: str) -> None:
    """A bad argument is an error that names it, before anybody is asked."""
    result = invoke("providers", "add", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert says in result.stderr
    assert listed(invoke) == []


def test_a_name_is_given_once_unless_it_shall_be_replaced(invoke: Invoke, tmp_path: Path) -> None:
    """The second of a name is refused, and takes the first one's place with --replace; the file's are left alone."""
    (tmp_path / "rixin.toml").write_text('[[providers]]\nname = "filed"\nbase_url = "https://f.example.com/v1"\n')
    add = ("add", "x", "--no-check", "--base-url")
    assert invoke("providers", *add, "https://a.example.com").exit_code == 0
    again = invoke("providers", *add, "https://b.example.com")
    assert (again.exit_code, "named x already" in again.stderr) == (1, True)
    assert invoke("providers", *add, "https://b.example.com", "--replace").exit_code == 0
    filed = invoke("providers", "add", "filed", "--base-url", "https://c.example.com", "--no-check", "--replace")
    assert (filed.exit_code, "is in the configuration file" in filed.stderr) == (1, True)
    assert [(provider["name"], provider["source"], provider["base_url"]) for provider in listed(invoke)] == [
        ("filed", "configured", "https://f.example.com/v1"),
        ("x", "stored", "https://b.example.com/v1"),
    ]


def test_show_tells_whose_word_each_fact_is(invoke: Invoke) -> None:
    """The preset's, the model's documentation or the settings' own; for one model, all that holds for it."""
    added(invoke, "sensenova", "--no-check")
    text = invoke("providers", "show", "sensenova", "--model", "sensenova-6.7-flash-lite").stdout
    assert "base_url: https://token.sensenova.cn/v1" in text
    assert "(null_content; says preset sensenova)" in text
    assert "(efforts; says documentation of sensenova-6.7-flash-lite)" in text
    assert "(reasoning_echo; says preset sensenova, sensenova-*)" in text
    tree = json.loads(invoke("providers", "show", "sensenova", "--json").stdout)
    assert tree["rewrites"][0]["models"] == []
    assert {"field": "tool_strict", "value": "drop"}.items() <= next(
        fact for fact in tree["rewrites"][0]["facts"] if fact["field"] == "tool_strict"
    ).items()
    missing = invoke("providers", "show", "nobody")
    assert (missing.exit_code, "those that there are: sensenova" in missing.stderr) == (1, True)


async def test_show_tells_what_was_learned(data_dir: Path) -> None:
    """A rule that a control has proved is shown for its model, as learned, between the preset and the settings."""
    stored = await run(data_dir, "add", "mine", "--base-url", ADDRESS, "--no-check")
    assert stored.code == 0, stored.err
    database = Database(served_place(data_dir))
    rules = LearnedRules(database, lambda _provider: ADDRESS, SystemClock())
    await rules.learn("mine", "m", BY_NAME["seed"])
    await database.aclose()
    shown = await run(data_dir, "show", "mine", "--model", "m")
    assert "never sends seed" in shown.out
    assert "learned" in shown.out
    told = json.loads((await run(data_dir, "show", "mine", "--json")).out)
    [of_m] = [group for group in told["rewrites"] if group["models"] == ["m"]]
    assert {fact["field"]: fact["sources"] for fact in of_m["facts"]}["drop_params"] == ["learned"]


def test_keys_are_replaced_and_providers_removed(invoke: Invoke) -> None:
    """A new key takes the place of all old ones; removing asks first, and ends a provider for good."""
    added(invoke, "a", "--base-url", "https://a.example.com", "--api-key-stdin", "--no-check", stdin="one\ntwo\n")
    changed = invoke("providers", "set-key", "a", "--api-key-stdin", "--no-check", stdin=KEY)
    assert changed.stdout == "a has the key ...1234\n"
    assert listed(invoke)[0]["api_keys"] == ["...1234"]
    assert invoke("providers", "set-key", "a").exit_code == 1
    assert invoke("providers", "remove", "a", stdin="n\n").exit_code == 1
    assert len(listed(invoke)) == 1
    assert invoke("providers", "remove", "a", "--yes").stdout == "removed a\n"
    assert listed(invoke) == []
    assert invoke("providers", "remove", "a", "--yes").exit_code == 1
    unknown = invoke("providers", "remove", "a", stdin="y\n")
    assert unknown.exit_code == 1
    assert "no provider named a" in unknown.stderr
    assert "Remove the provider" not in unknown.stderr


async def test_a_new_key_is_tried_first(upstream: ScriptedUpstream, data_dir: Path) -> None:
    """A key that the upstream refuses does not take the place of one that works."""
    add = await run(data_dir, "add", "up", "--base-url", upstream.url, "--api-key-stdin", stdin=KEY)
    assert add.code == 0, add.err
    refused = await run(data_dir, "set-key", "up", "--api-key-stdin", stdin="sk-that-is-wrong")
    assert refused.code == 1
    assert json.loads((await run(data_dir, "list", "--json")).out)[0]["api_keys"] == ["...1234"]


async def test_another_root_secret_is_told(data_dir: Path) -> None:
    """With a root secret that is not the database's no command touches it, and the error says so."""
    await run(data_dir, "add", "a", "--base-url", "https://a.example.com", "--no-check", "--api-key-stdin", stdin=KEY)
    result = await run(data_dir, "list", RIXIN_SECRET_KEY=bytes(range(50, 82)).hex())
    assert result.code == 1
    assert "was made with the root secret" in result.err


async def test_commands_at_the_same_time(data_dir: Path) -> None:
    """Of two that add the same name at once, one does and the other says that it is taken."""
    add = ("add", "a", "--base-url", "https://a.example.com", "--no-check")
    results = await asyncio.gather(run(data_dir, *add), run(data_dir, *add))
    assert sorted(result.code for result in results) == [0, 1]
    assert any("already" in result.err for result in results)


def test_a_provider_is_disabled_and_enabled(invoke: Invoke) -> None:
    """It stays, with its key; the list says that it is not served."""
    added(invoke, "a", "--base-url", ADDRESS, "--api-key-stdin", "--no-check", stdin=KEY)
    assert invoke("providers", "disable", "a").exit_code == 0
    assert [(row["enabled"], row["api_keys"]) for row in listed(invoke)] == [(False, ["...1234"])]
    assert "disabled" in invoke("providers", "list").stdout
    assert invoke("providers", "enable", "a").exit_code == 0
    assert [row["enabled"] for row in listed(invoke)] == [True]
    assert invoke("providers", "disable", "nobody").exit_code == 1
