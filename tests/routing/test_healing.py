"""Self-healing, from the client to a strict upstream and back, through the whole application."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from rixin.profiles.sanitizers.history import INTERRUPTED
from rixin.profiles.sanitizers.images import PLACEHOLDER
from rixin.profiles.search import EXTRA_CALLS
from tests.media.samples import image
from tests.profiles.strict_upstream import OPAQUE, SENSENOVA, SHAPES, Rules, covers, facts
from tests.routing.asking import HI, OBJECT, asked, opaque
from tests.support.clients import CHAT, MESSAGES, RESPONSES, Asked, agent_request
from tests.support.healing import PROVIDER, HealingSite, healing_site
from tests.support.strict_runs import markdown, run
from tests.upstreams.scripted import Reply, Request, Send, answer
from tests.upstreams.strict import StrictUpstream


@pytest.mark.timeout(600)
async def test_strict_upstreams_just_work(tmp_path: Path) -> None:
    """At least 99 of 100 requests to 200 upstreams of unknown rules are answered in full, nothing being set up."""
    runs = await run(tmp_path, seed=20261122, rule_sets=200, clients=3)
    print(markdown(runs.rows()))  # noqa: T201 - the table to publish
    assert runs.total.keys() <= {*(f"{extra} extra" for extra in range(EXTRA_CALLS + 1)), "not answered"}
    assert runs.answered >= 0.99, runs.failures


GOLDEN = Path(__file__).parents[1] / "dialects" / "openai_responses"
FLASH_LITE = "sensenova-6.7-flash-lite"


def recorded(case: str) -> Asked:
    """A request of one of Codex's shapes, with what is to be sent on of it."""
    body, chat = (json.loads((GOLDEN / case / name).read_text()) for name in ("request.json", "chat.json"))
    return Asked(RESPONSES, {**body, "model": FLASH_LITE}, facts(chat))


AGENTS: dict[str, Asked] = {
    "claude code": agent_request(MESSAGES, FLASH_LITE, max_tokens=128_000),
    "claude code, whole": agent_request(MESSAGES, FLASH_LITE, stream=False, temperature=1),
    "codex": agent_request(RESPONSES, FLASH_LITE, max_output_tokens=128_000),
    "codex, whole": agent_request(RESPONSES, FLASH_LITE, stream=False, text={"format": OBJECT}, user="ann"),
    **{name: recorded(name) for name in ("codex_gpt_5_5", "codex_gpt_6_1_sol", "codex_unknown_model")},
}


@pytest.mark.parametrize("preset", ["generic", "sensenova"])
@pytest.mark.parametrize("agent", AGENTS)
async def test_coding_agents_run_on_sensenova(tmp_path: Path, agent: str, preset: str) -> None:
    """What Claude Code and Codex send is answered in full, with nothing known but an address and a key.

    Where the upstream is recognised, the first call passes.
    """
    asked = AGENTS[agent]
    async with healing_site(tmp_path, StrictUpstream({FLASH_LITE: SENSENOVA}), preset=preset) as healing:
        told = await healing.ask(asked.body, asked.path)
        assert told.status == 200, told.text
        assert told.ended
        assert covers(told.facts, asked.wanted)
        assert told.attempts <= (1 if preset == "sensenova" else 1 + EXTRA_CALLS)


async def test_an_invalid_schema_changes_nobody_elses_requests(tmp_path: Path) -> None:
    """A hundred mistakes of one client are refused at the cost of one call each, and nothing is learned from them."""

    class Strict(Rules):
        def complaints(self, body: dict[str, Any]) -> list[str]:
            return ["invalid"] if "strnig" in json.dumps(body) else []

    upstream = StrictUpstream({"m": Strict()})
    wrong = asked(**{name: SHAPES["responses-shaped"][name] for name in ("tools", "messages", "tool_choice")})
    wrong = json.loads(json.dumps(wrong).replace('"string"', '"strnig"'))
    right = asked(user="bob", seed=1, store=False, tool_choice="auto", tools=SHAPES["responses-shaped"]["tools"])
    async with healing_site(tmp_path, upstream) as healing:
        for _ in range(100):
            told = await healing.ask(wrong)
            assert told.status == 400
            assert told.body["error"]["param"] == "tools[0].function.parameters.properties.path.type"
            await healing.rest()
        assert upstream.calls["m"] == 100
        assert healing.suspicions("strict", "m").suspected == ()
        assert healing.learned.rules(PROVIDER) == []
        assert (await healing.ask(right)).changes == ""
        assert upstream.bodies("m")[-1] == right


@pytest.mark.parametrize("path", [MESSAGES, RESPONSES])
async def test_an_invalid_schema_of_another_dialect_teaches_nothing_either(tmp_path: Path, path: str) -> None:
    """Agents' mistakes cost one call each, and another agent's request goes out as it did before."""

    class Strict(Rules):
        def complaints(self, body: dict[str, Any]) -> list[str]:
            return ["invalid"] if "strnig" in json.dumps(body) else []

    asked = agent_request(path, "m", stream=False)
    wrong = json.loads(json.dumps(asked.body).replace('"string"', '"strnig"'))
    upstream = StrictUpstream({"m": Strict()})
    async with healing_site(tmp_path, upstream) as healing:
        before = (await healing.ask(asked.body, path)).changes
        for _ in range(100):
            told = await healing.ask(wrong, path)
            assert (told.status, "not valid by the documented rules" in told.text) == (400, True)
            await healing.rest()
        assert upstream.calls["m"] == 101
        assert healing.suspicions("strict", "m").suspected == ()
        assert healing.learned.rules(PROVIDER) == []
        assert (await healing.ask(asked.body, path)).changes == before
    first, *_, last = upstream.bodies("m")
    assert last == first


async def test_a_repair_is_told(healing: HealingSite) -> None:
    """The client gets the answer of the first version that passes, and is told what is not in it."""
    told = await healing.ask(asked(seed=7, user="ann"))
    assert (told.status, told.attempts) == (200, 3)
    assert told.changes == "drop_param(seed), drop_param(user)"
    assert "seed" not in healing.upstream.bodies("m")[2]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [400, 422])
async def test_e6_what_the_upstream_names_costs_one_call(tmp_path: Path, *, status: int, stream: bool) -> None:
    """Its words are taken, and nothing else is touched."""
    upstream = StrictUpstream({"m": Rules(refused=frozenset({"seed"}), opaque=False, status=status)})
    async with healing_site(tmp_path, upstream) as healing:
        told = await healing.ask(asked(seed=7, temperature=0.3, stream=stream))
    assert (told.status, told.attempts, told.changes, told.ended) == (200, 2, "drop_param(seed)", True)
    assert upstream.bodies("m")[1]["temperature"] == 0.3


async def test_what_cannot_be_healed_is_explained_in_two_languages(tmp_path: Path) -> None:
    """After at most three more calls, the client gets the upstream's words and what they may mean."""

    class Everything(Rules):
        def complaints(self, body: dict[str, Any]) -> list[str]:
            return ["no"]

    upstream = StrictUpstream({"m": Everything()})
    async with healing_site(tmp_path, upstream) as healing:
        told = await healing.ask(asked(seed=7, user="ann", response_format=OBJECT))
        assert told.status == 400
        assert told.text.startswith(OPAQUE)
        assert "without saying why" in told.text
        assert "上游拒绝了请求" in told.text
        assert upstream.calls["m"] <= 1 + EXTRA_CALLS


async def test_a_repair_that_cannot_be_sent_is_explained(tmp_path: Path) -> None:
    """Where the key's limit leaves no call for it, the client reads what was refused, what it may mean, and why."""
    limit = {"unit": "requests", "amount": 1, "window": 3600.0}
    async with healing_site(tmp_path, opaque("seed"), key_limits=[limit]) as healing:
        told = await healing.ask(asked(seed=7, user="ann"))
    assert (told.status, healing.upstream.calls["m"]) == (400, 1)
    for words in (
        OPAQUE,
        "without saying why",
        "上游拒绝了请求",
        "could not be sent now",
        "目前无法发送",
        "try again in",
    ):
        assert words in told.text


async def test_what_the_errors_json_names_costs_one_call(tmp_path: Path) -> None:
    """A field that only `param` names is mended like one that the words name."""

    class ByPath(StrictUpstream):
        def _reply(self, request: Request) -> Reply:
            if "seed" in request.json:
                return answer('{"error":{"message":"Invalid request","param":"seed"}}', status=400)
            return super()._reply(request)

    async with healing_site(tmp_path, ByPath({"m": Rules()}), controls=False) as healing:
        told = await healing.ask(asked(seed=7, user="ann"))
    assert (told.status, told.attempts, told.changes) == (200, 2, "drop_param(seed)")


async def test_r24_images_that_a_model_cannot_see_are_words_from_then_on(tmp_path: Path) -> None:
    """The request is answered at the cost of one call, and the client told; other models keep their images."""
    upstream = StrictUpstream({"m": Rules(images=True, opaque=False), "eyes": Rules()})
    picture = "data:image/png;base64," + base64.b64encode(image()).decode()
    content: list[Any] = [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": picture}}]
    messages = [{"role": "user", "content": content}]
    async with healing_site(tmp_path, upstream) as healing:
        told = await healing.ask(asked(messages=messages))
        assert (told.status, told.attempts) == (200, 2)
        assert "image_placeholder(messages)" in told.changes
        assert upstream.bodies("m")[1]["messages"][0]["content"] == [content[0], {"type": "text", "text": PLACEHOLDER}]
        await healing.rest()
        assert [rule.part for rule in healing.learned.rules(PROVIDER)] == ["images"]
        again = await healing.ask(asked(messages=messages))
        assert (again.status, again.attempts) == (200, 1)
        assert "image_placeholder(messages)" in again.changes
        seen = await healing.ask(asked("eyes", messages=messages))
        assert (seen.status, seen.attempts, "image_placeholder" in seen.changes) == (200, 1, False)
    assert upstream.bodies("eyes")[0]["messages"][0]["content"][1]["type"] == "image_url"


def _spoken(path: str) -> dict[str, Any]:
    """A conversation whose client was interrupted: one call has no result, one has two, and one result no call."""
    made: list[Any]
    calls, results = ("a", "b"), (("b", "old"), ("b", "new"), ("gone", "lost"))
    if path == RESPONSES:
        made = [{"type": "function_call", "call_id": each, "name": "read", "arguments": "{}"} for each in calls]
        given = [{"type": "function_call_output", "call_id": each, "output": text} for each, text in results]
        return {"input": [HI, *made, *given, HI]}
    if path == MESSAGES:
        made = [{"type": "tool_use", "id": each, "name": "read", "input": {}} for each in calls]
        given = [{"type": "tool_result", "tool_use_id": each, "content": text} for each, text in results]
        said = [*given, {"type": "text", "text": "Hi"}]
        return {"messages": [HI, {"role": "assistant", "content": made}, {"role": "user", "content": said}]}
    function = {"name": "read", "arguments": "{}"}
    made = [{"id": each, "type": "function", "function": function} for each in calls]
    given = [{"role": "tool", "tool_call_id": each, "content": text} for each, text in results]
    return {"messages": [HI, {"role": "assistant", "content": None, "tool_calls": made}, *given, HI]}


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
async def test_r19_an_interrupted_conversation_goes_on_in_every_dialect(tmp_path: Path, path: str) -> None:
    """Each call is sent with one result right after it, at the first try, and the client is told what was done."""
    async with healing_site(tmp_path, StrictUpstream({"m": Rules()}), controls=False) as healing:
        limit = {"max_tokens": 9} if path == MESSAGES else {}
        told = await healing.ask({"model": "m", **limit, **_spoken(path)}, path)
        [sent] = healing.upstream.bodies("m")
    assert told.status == 200, told.text
    results = [(each["tool_call_id"], each["content"]) for each in sent["messages"] if each["role"] == "tool"]
    assert [each["role"] for each in sent["messages"]] == ["user", "assistant", "tool", "tool", "user"]
    assert results == [("a", INTERRUPTED), ("b", "new")]
    for change in ("drop_orphan_result", "drop_duplicate_result", "synthesise_result"):
        assert change in told.changes


async def test_a_sacred_part_is_refused_at_once(tmp_path: Path) -> None:
    """What is never left out costs no second call where the upstream names it."""
    upstream = StrictUpstream({"m": Rules(refused=frozenset({"n"}), opaque=False)})
    async with healing_site(tmp_path, upstream) as healing:
        told = await healing.ask(asked(n=2, user="ann"))
    assert (told.status, upstream.calls["m"]) == (400, 1)
    assert told.body["error"].get("param") == "n"


async def test_tools_are_told_by_the_clients_names(tmp_path: Path) -> None:
    """A tool that had to be renamed for the upstream is called by its own name in the answer."""

    class Plain(Rules):
        def complaints(self, body: dict[str, Any]) -> list[str]:
            return ["no"] if "note.down" in json.dumps(body["tools"]) else []

    class Calling(StrictUpstream):
        def _reply(self, request: Request) -> Reply:
            reply = super()._reply(request)
            if isinstance(reply[0], Send) and reply[0].data.startswith(b"HTTP/1.1 400"):
                return reply
            name = request.json["tools"][0]["function"]["name"]
            call = {"id": "c", "type": "function", "function": {"name": name, "arguments": "{}"}}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
            choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
            return answer(json.dumps({"id": "1", "created": 1, "model": "m", "choices": [choice]}))

    upstream = Calling({"m": Plain()})
    function: dict[str, Any] = {"name": "note.down", "parameters": {"type": "object", "properties": {}}}
    async with healing_site(tmp_path, upstream, controls=False) as healing:
        told = await healing.ask(asked(tools=[{"type": "function", "function": function}]))
    assert told.status == 200, told.text
    [call] = told.body["choices"][0]["message"]["tool_calls"]
    assert call["function"]["name"] == "note.down"
    assert upstream.bodies("m")[-1]["tools"][0]["function"]["name"] != "note.down"
