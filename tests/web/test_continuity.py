"""Thoughts on their way out and back, through the official SDKs and an upstream that refuses calls without them."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import anthropic
import msgspec
import openai
import pytest

from rixin.clock import SystemClock
from rixin.dialects.anthropic import DIALECT as ANTHROPIC
from rixin.dialects.base import Dialect
from rixin.dialects.openai_chat import DIALECT
from rixin.dialects.openai_responses import DIALECT as RESPONSES
from rixin.engines.base import ListedModel
from rixin.engines.remote import Remote
from rixin.limits.process import ProcessLimiter
from rixin.profiles.presets import load_presets
from rixin.routing.catalog import Catalog
from rixin.routing.router import Router
from rixin.settings import Provider, Server, Settings
from rixin.store.database import Database
from tests.support.web import Site, site
from tests.upstreams.scripted import Reply, Request, ScriptedUpstream, answer
from tests.upstreams.thinking import LAST_THOUGHT, THOUGHT, ThinkingUpstream

PRESETS = load_presets(files("rixin.profiles").joinpath("presets.toml").read_bytes())
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"place": {"type": "integer"}}}
FUNCTION: Any = {"type": "function", "name": "look", "parameters": SCHEMA, "strict": False}
TOOL: Any = {"name": "look", "input_schema": SCHEMA}
CHAT_TOOL: Any = {"type": "function", "function": {"name": "look", "parameters": SCHEMA}}
HELLO: Any = {"role": "user", "content": "What does it say?"}


class Served(NamedTuple):
    """A running application and its clients: Anthropic's SDK, and OpenAI's."""

    site: Site
    claude: Any
    gpt: Any


@asynccontextmanager
async def served(
    folder: Path,
    upstream: ScriptedUpstream,
    preset: str = "deepseek",
    model: str = "deepseek-chat",
    dialect: Dialect = DIALECT,
) -> AsyncGenerator[Served, None]:
    """The application in front of an upstream, with what is known of a provider, and the official SDKs."""

    def wire(_database: Database, catalog: Catalog) -> Router:
        provider = msgspec.convert({"name": "scripted", "base_url": upstream.url, "api_keys": ["k"]}, Provider)
        engine = Remote.connect(provider, dialect, {}, PRESETS.named(preset).profile_for)
        catalog.set_provider_models("scripted", [ListedModel(name=model)])
        clock = SystemClock()
        engines.append(engine)
        return Router({"scripted": engine}, limiter=ProcessLimiter(clock), clock=clock)

    engines: list[Remote] = []
    folder.mkdir(exist_ok=True)
    async with upstream, site(folder, Settings(server=Server(data_dir=folder)), wire) as running:
        async with (
            anthropic.AsyncAnthropic(base_url=running.url, api_key=running.key, max_retries=0) as claude,
            openai.AsyncOpenAI(base_url=f"{running.url}/v1", api_key=running.key, max_retries=0) as gpt,
        ):
            yield Served(running, claude, gpt)
        await engines[0].aclose()


def results(blocks: list[Any]) -> Any:
    """A user's message with the result of every call."""
    content = [
        {"type": "tool_result", "tool_use_id": block.id, "content": f"nonce {block.input['place']}"}
        for block in blocks
        if block.type == "tool_use"
    ]
    return {"role": "user", "content": content}


def outputs(items: list[Any]) -> list[Any]:
    """The outputs of every call."""
    return [
        {
            "type": "function_call_output",
            "call_id": item.call_id,
            "output": f"nonce {json.loads(item.arguments)['place']}",
        }
        for item in items
        if item.type == "function_call"
    ]


@pytest.mark.parametrize("preset", [("deepseek", "deepseek-chat"), ("moonshot", "kimi-k2.5"), ("mimo", "mimo-v2-pro")])
@pytest.mark.parametrize("streamed", [True, False])
async def test_r15_thinking_blocks_come_back_as_reasoning(
    tmp_path: Path, streamed: bool, preset: tuple[str, str]
) -> None:
    """Of every provider whose profile asks for it, with parallel calls; not one word differs."""
    async with served(tmp_path, upstream := ThinkingUpstream(verbatim=True, calls=2), *preset) as running:
        client, history = running.claude, [HELLO]
        asked: Any = {"model": preset[1], "max_tokens": 1000, "tools": [TOOL]}
        if streamed:
            async with client.messages.stream(**asked, messages=history) as stream:
                message = await stream.get_final_message()
        else:
            message = await client.messages.create(**asked, messages=history)
        assert [block.type for block in message.content] == ["thinking", "tool_use", "tool_use"]
        assert message.content[0].thinking == THOUGHT
        history += [{"role": "assistant", "content": message.content}, results(message.content)]
        final = await client.messages.create(**asked, messages=history)
    assert (upstream.refused, upstream.thoughts) == (0, [THOUGHT])
    assert final.content[-1].text == "It says: nonce 1"


async def test_a6_the_thought_is_in_the_envelope_also_where_its_text_is_not(tmp_path: Path) -> None:
    """Claude Code may be shown no thoughts and sends them back empty; another sends them as redacted."""
    async with served(tmp_path, upstream := ThinkingUpstream(verbatim=True)) as running:
        client = running.claude
        asked: Any = {"model": "deepseek-chat", "max_tokens": 1000, "tools": [TOOL]}
        message = await client.messages.create(**asked, messages=[HELLO])
        signature = message.content[0].signature
        for block in (
            {"type": "thinking", "thinking": "", "signature": signature},
            {"type": "redacted_thinking", "data": signature},
        ):
            turn: Any = {"role": "assistant", "content": [block, message.content[1]]}
            await client.messages.create(**asked, messages=[HELLO, turn, results(message.content)])
            assert upstream.thoughts == [THOUGHT]
    assert upstream.refused == 0


@pytest.mark.parametrize("streamed", [True, False])
async def test_r15_reasoning_items_come_back_as_reasoning(tmp_path: Path, streamed: bool) -> None:
    """Without any state on the server, as agents do it, and also from the envelope alone."""
    async with served(tmp_path, upstream := ThinkingUpstream(verbatim=True, calls=2)) as running:
        client, history = running.gpt, [HELLO]
        asked: Any = {"model": "deepseek-chat", "tools": [FUNCTION], "store": False}
        asked["include"] = ["reasoning.encrypted_content"]
        if streamed:
            async with client.responses.stream(**asked, input=history) as stream:
                response = await stream.get_final_response()
        else:
            response = await client.responses.create(**asked, input=history)
        kinds = [item.type for item in response.output]
        assert kinds == ["reasoning", "function_call", "function_call"]
        whole = [item.to_dict() for item in response.output]
        bare: list[Any] = [
            {"type": "reasoning", "summary": [], "encrypted_content": whole[0]["encrypted_content"]},
            *whole[1:],
        ]
        for items in (whole, bare):
            final = await client.responses.create(**asked, input=[*history, *items, *outputs(response.output)])
            assert final.output_text == "It says: nonce 1"
            assert upstream.thoughts == [THOUGHT]
    assert upstream.refused == 0


async def test_r15_previous_response_id_brings_the_thoughts_along(tmp_path: Path) -> None:
    """The client sends nothing but the outputs of its calls."""
    async with served(tmp_path, upstream := ThinkingUpstream(verbatim=True)) as running:
        asked: Any = {"model": "deepseek-chat", "tools": [FUNCTION]}
        first = await running.gpt.responses.create(**asked, input="What does it say?")
        final = await running.gpt.responses.create(**asked, input=outputs(first.output), previous_response_id=first.id)
    assert final.output_text == "It says: nonce 0"
    assert (upstream.refused, upstream.thoughts) == (0, [THOUGHT])


@pytest.mark.parametrize("streamed", [True, False])
async def test_r15_a_chat_client_that_forgets_thoughts_is_reminded(tmp_path: Path, streamed: bool) -> None:
    """Chat clients drop them; they are found by the call, whose id OpenClaw has changed by then."""
    async with served(tmp_path, upstream := ThinkingUpstream(verbatim=True)) as running:
        chat = running.gpt.chat.completions
        asked: Any = {"model": "deepseek-chat", "tools": [CHAT_TOOL]}
        if streamed:
            async with chat.stream(**asked, messages=[HELLO]) as stream:
                call = (await stream.get_final_completion()).choices[0].message.tool_calls[0]
        else:
            call = (await chat.create(**asked, messages=[HELLO])).choices[0].message.tool_calls[0]
        changed = call.id.replace("_", "")
        function = {"name": "look", "arguments": call.function.arguments}
        turn: Any = {"role": "assistant", "tool_calls": [{"id": changed, "type": "function", "function": function}]}
        result: Any = {"role": "tool", "tool_call_id": changed, "content": "nonce"}
        final = await chat.create(**asked, messages=[HELLO, turn, result])
    assert final.choices[0].message.content == "It says: nonce"
    assert (upstream.refused, upstream.thoughts) == (0, [THOUGHT])


async def test_k7_another_key_is_not_reminded(tmp_path: Path) -> None:
    """Neither by a call nor by an envelope; it is answered all the same, with a placeholder."""
    async with served(tmp_path, upstream := ThinkingUpstream()) as running:
        asked: Any = {"model": "deepseek-chat", "max_tokens": 1000, "tools": [TOOL]}
        message = await running.claude.messages.create(**asked, messages=[HELLO])
        other = await running.site.keys.create("other", scopes=("inference",), models=(), plan=None, expires_at=None)
        turn: Any = {"role": "assistant", "content": message.content}
        client = running.claude.with_options(api_key=other.key)
        raw = await client.messages.with_raw_response.create(**asked, messages=[HELLO, turn, results(message.content)])
    assert (upstream.refused, upstream.thoughts) == (0, ["(no reasoning was kept)"])
    assert "drop_broken_reasoning(messages)" in raw.headers["x-rixin-changes"]


FOREIGN = "EqoBCkYIARgCKkAabc+/" + "A" * 80
THINKING = {"type": "thinking", "thinking": "Somewhere else.", "signature": FOREIGN}
CALL = {"type": "tool_use", "id": "toolu_01", "name": "look", "input": {"place": 7}}


@pytest.mark.parametrize(
    "blocks",
    [[THINKING, CALL], [{"type": "redacted_thinking", "data": FOREIGN}, CALL], [CALL]],
    ids=["signed elsewhere", "redacted elsewhere", "without thoughts"],
)
async def test_k8_a_history_of_messages_that_began_elsewhere_goes_on(tmp_path: Path, blocks: list[Any]) -> None:
    """Foreign thoughts are dropped by name, a placeholder stands in, and there is no 400."""
    async with served(tmp_path, upstream := ThinkingUpstream()) as running:
        result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_01", "content": "nonce"}]}
        messages: Any = [HELLO, {"role": "assistant", "content": blocks}, result]
        raw = await running.claude.messages.with_raw_response.create(
            model="deepseek-chat", max_tokens=1000, tools=[TOOL], messages=messages
        )
    assert (await raw.parse()).content[-1].text == "It says: nonce"
    assert (upstream.refused, upstream.thoughts) == (0, ["(no reasoning was kept)"])
    assert ("drop_foreign_reasoning(messages)" in raw.headers["x-rixin-changes"]) is (len(blocks) > 1)


@pytest.mark.parametrize("thought", [True, False])
async def test_k8_a_history_of_items_that_began_elsewhere_goes_on(tmp_path: Path, thought: bool) -> None:
    """The same for items, with OpenAI's own encrypted content among them."""
    foreign: dict[str, Any] = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [],
        "encrypted_content": "gAAAAABo" + "k" * 80,
    }
    call = {"type": "function_call", "call_id": "call_x", "name": "look", "arguments": '{"place":7}'}
    output = {"type": "function_call_output", "call_id": "call_x", "output": "nonce"}
    async with served(tmp_path, upstream := ThinkingUpstream()) as running:
        history: Any = [HELLO, *([foreign] if thought else []), call, output]
        raw = await running.gpt.responses.with_raw_response.create(
            model="deepseek-chat", tools=[FUNCTION], input=history
        )
    assert raw.parse().output_text == "It says: nonce"
    assert (upstream.refused, upstream.thoughts) == (0, ["(no reasoning was kept)"])
    assert ("drop_foreign_reasoning(input)" in raw.headers["x-rixin-changes"]) is thought


@pytest.mark.parametrize("model", ["deepseek-reasoner"])
async def test_r16_thoughts_are_kept_from_models_that_refuse_them(tmp_path: Path, model: str) -> None:
    """Although the client sent them back, in an envelope."""
    async with served(tmp_path, upstream := ThinkingUpstream(), model=model) as running:
        client, asked = running.claude, dict[str, Any](model=model, max_tokens=1000)
        message = await client.messages.create(**asked, messages=[HELLO])
        turn: Any = {"role": "assistant", "content": message.content}
        await client.messages.create(**asked, messages=[HELLO, turn, HELLO])
    assert "reasoning_content" not in upstream.requests[-1].json["messages"][1]


async def test_r17_thoughts_after_a_result_have_an_envelope_of_their_own(tmp_path: Path) -> None:
    """A second turn of the same answer brings back both thoughts."""
    async with served(tmp_path, upstream := ThinkingUpstream(verbatim=True)) as running:
        client, history = running.claude, [HELLO]
        asked: Any = {"model": "deepseek-chat", "max_tokens": 1000, "tools": [TOOL]}
        message = await client.messages.create(**asked, messages=history)
        history += [{"role": "assistant", "content": message.content}, results(message.content)]
        message = await client.messages.create(**asked, messages=history)
        history += [{"role": "assistant", "content": message.content}, HELLO]
        await client.messages.create(**asked, messages=history)
    thoughts = [turn.get("reasoning_content") for turn in upstream.requests[-1].json["messages"]]
    assert thoughts == [None, THOUGHT, None, LAST_THOUGHT, None]


NATIVE = "EqoBVGhlIHVwc3RyZWFtJ3Mgb3du"


def signing_upstream(refused: list[Any]) -> ScriptedUpstream:
    """An upstream of Messages that signs its thoughts, and refuses every other signature."""

    def reply(request: Request) -> Reply:
        blocks = [block for message in request.json["messages"] for block in message["content"]]
        signatures = {block["signature"] for block in blocks if "signature" in block}
        if signatures - {NATIVE}:
            refused.append(signatures)
            error = {"type": "invalid_request_error", "message": "Invalid `signature` in `thinking` block"}
            return answer(json.dumps({"type": "error", "error": error}), status=400)
        content = [{"type": "thinking", "thinking": THOUGHT, "signature": NATIVE}, {"type": "text", "text": "Hello."}]
        body = {"id": "msg_up", "type": "message", "role": "assistant", "model": "m", "content": content}
        usage = {"input_tokens": 1, "output_tokens": 1}
        return answer(json.dumps({**body, "stop_reason": "end_turn", "stop_sequence": None, "usage": usage}))

    return ScriptedUpstream(reply)


async def test_a6_an_upstream_of_the_same_dialect_gets_its_own_signatures_back(tmp_path: Path) -> None:
    """Out of our envelopes, foreign ones left out by name; all else goes out as the client wrote it."""
    refused: list[Any] = []
    async with served(tmp_path, upstream := signing_upstream(refused), model="m", dialect=ANTHROPIC) as running:
        asked: Any = {"model": "m", "max_tokens": 100}
        message = await running.claude.messages.create(**asked, messages=[HELLO])
        assert message.content[0].signature.startswith("rx1.")
        turn: Any = {"role": "assistant", "content": [block.to_dict() for block in message.content]}
        marked = {"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}]}
        foreign: Any = {"role": "assistant", "content": [THINKING, {"type": "text", "text": "Once."}]}
        bare: Any = {"role": "assistant", "content": [THINKING]}
        raw = await running.claude.messages.with_raw_response.create(
            **asked, messages=[marked, foreign, HELLO, bare, HELLO, turn, HELLO]
        )
    assert upstream.requests[-1].json["messages"] == [
        marked,
        {"role": "assistant", "content": [{"type": "text", "text": "Once."}]},
        HELLO,
        HELLO,
        {"role": "assistant", "content": [{**turn["content"][0], "signature": NATIVE}, turn["content"][1]]},
        HELLO,
    ]
    assert raw.headers["x-rixin-changes"] == "drop_foreign_reasoning(messages)"
    assert refused == []


async def test_k8_another_dialects_client_carries_an_upstreams_signature_in_our_envelope(tmp_path: Path) -> None:
    """It comes back to the upstream that gave it, and to no other."""
    refused: list[Any] = []
    async with served(tmp_path, upstream := signing_upstream(refused), model="m", dialect=ANTHROPIC) as running:
        first = await running.gpt.responses.create(model="m", input=[HELLO])
        assert first.output[0].encrypted_content.startswith("rx1.")
        await running.gpt.responses.create(model="m", input=[HELLO], previous_response_id=first.id)
        thought = upstream.requests[-1].json["messages"][1]["content"][0]
    assert thought == {"type": "thinking", "thinking": THOUGHT, "signature": NATIVE}
    assert refused == []


async def test_k8_a_conversation_moves_from_chat_to_an_upstream_that_checks_signatures(tmp_path: Path) -> None:
    """Our envelope proves nothing there: the thought is left out, and there is no 400."""
    async with served(tmp_path / "a", ThinkingUpstream()) as running:
        message = await running.claude.messages.create(model="deepseek-chat", max_tokens=100, messages=[HELLO])
    turn: Any = {"role": "assistant", "content": message.content}
    refused: list[Any] = []
    async with served(tmp_path / "b", upstream := signing_upstream(refused), model="m", dialect=ANTHROPIC) as running:
        await running.claude.messages.create(model="m", max_tokens=100, messages=[HELLO, turn, HELLO])
    assert [block["type"] for block in upstream.requests[-1].json["messages"][1]["content"]] == ["text"]
    assert refused == []


async def test_r18_an_upstream_of_responses_is_shown_no_envelope_of_ours(tmp_path: Path) -> None:
    """Neither one that it cannot read, nor an id that it does not know."""

    def reply(_request: Request) -> Reply:
        item = {"type": "message", "id": "msg_up", "status": "completed", "role": "assistant"}
        content: Any = [{"type": "output_text", "text": "Hello.", "annotations": []}]
        usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
        output: Any = [{"type": "reasoning", "id": "rs_up", "summary": [], "encrypted_content": "gAAAAABo"}]
        body = {"id": "resp_up", "object": "response", "created_at": 1, "status": "completed", "model": "m"}
        return answer(json.dumps({**body, "output": [*output, {**item, "content": content}], "usage": usage}))

    async with served(tmp_path / "a", ThinkingUpstream()) as running:
        elsewhere = await running.gpt.responses.create(model="deepseek-chat", input=[HELLO])
    items = [item.to_dict() for item in elsewhere.output]
    async with served(tmp_path / "b", upstream := ScriptedUpstream(reply), model="m", dialect=RESPONSES) as running:
        await running.gpt.responses.create(model="m", input=[HELLO, *items])
        assert "encrypted_content" not in json.dumps(upstream.requests[-1].json)
        first = await running.gpt.responses.create(model="m", input=[HELLO])
        await running.gpt.responses.create(model="m", input="Go on.", previous_response_id=first.id)
    sent = upstream.requests[-1].json
    assert sent["store"] is False
    assert [item.get("encrypted_content") for item in sent["input"]] == [None, "gAAAAABo", None, None]
    assert not any("id" in item for item in sent["input"])
