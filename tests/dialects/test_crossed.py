"""Any dialect in front of any other: nothing is lost on the way there or back, wherever the bytes are cut."""

from itertools import count, product
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rixin.core.cards import ModelCard
from rixin.core.events import Event, Finish, Reasoning, Start, Text, ToolArguments, ToolEnd, ToolStart
from rixin.core.messages import Message, Part, TextPart, ToolCall, ToolResult
from rixin.core.requests import Generate
from rixin.core.responses import Response, collect
from rixin.core.tools import Tool
from rixin.core.usage import Usage
from rixin.dialects.anthropic import DIALECT as MESSAGES
from rixin.dialects.base import Call, Dialect, Stamp, Upstream
from rixin.dialects.openai_chat import DIALECT as CHAT
from rixin.dialects.openai_responses import DIALECT as RESPONSES
from rixin.errors import RixinError
from tests.dialects.anthropic.streams import WORDS, streams

DIALECTS = (CHAT, RESPONSES, MESSAGES)
PAIRS = [pytest.param(front, back, id=f"{front.name}-{back.name}") for front, back in product(DIALECTS, repeat=2)]
CARD = ModelCard(name="m", target="m")
MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ANSWER: list[Event] = [
    Start(id="up", created=1776952631, model="m"),
    Reasoning(text="Two 城市."),
    Text(text="I look "),
    Text(text="it up."),
    ToolStart(index=0, id="call_a", name="read_file"),
    ToolArguments(index=0, text='{"path":'),
    ToolArguments(index=0, text=' "/巴黎"}'),
    ToolEnd(index=0),
    ToolStart(index=1, id="call_b", name="read_file"),
    ToolArguments(index=1, text="{}"),
    ToolEnd(index=1),
    Finish(reason="tool_calls"),
    Usage(prompt=9, completion=7, cached=2, reasoning=3),
]
SAID = WORDS.filter(str.strip)
"""A message of blanks is one that Messages does not take."""
READ_FILE = Tool(name="read_file", description="Shows a file", parameters={"type": "object", "properties": {}})


def upstream_of(dialect: Dialect) -> Upstream:
    """The half that speaks to others."""
    assert dialect.upstream is not None
    return dialect.upstream


def parse(dialect: Dialect, request: Generate) -> Generate:
    """A request, as a server understands it that was sent it in a dialect."""
    body = msgspec.json.encode(upstream_of(dialect).build_body(request))
    parsed = dialect.routes[0].parse(Call(body=body), lambda _: CARD)
    assert isinstance(parsed, Generate)
    return parsed


def write(dialect: Dialect, events: list[Event]) -> bytes:
    """A whole stream of a dialect."""
    writer = dialect.writer(asked(), fresh_stamp())
    return writer.feed(events) + writer.close()


def read(dialect: Dialect, pieces: list[bytes]) -> list[Event]:
    """The events of a stream that came in pieces."""
    reader = upstream_of(dialect).reader()
    return [event for piece in pieces for event in reader.feed(piece)] + reader.eof()


def asked() -> Generate:
    """What the streams answer."""
    messages = (Message(role="user", parts=(TextPart("Hi"),)),)
    return Generate(model="m", card=CARD, messages=messages, stream=True, include_usage=True, max_tokens=9)


def fresh_stamp() -> Stamp:
    """An identity that gives each item another id."""
    numbers = count()
    return Stamp(request_id="request-1", created=1776952631, new_id=lambda prefix: f"{prefix}{next(numbers)}")


def cut(stream: bytes, data: st.DataObject) -> list[bytes]:
    """A stream in pieces."""
    places = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=6)))
    return [stream[start:end] for start, end in zip([0, *places], [*places, len(stream)], strict=True)]


def told(response: Response) -> tuple[object, ...]:
    """What every dialect has words for: Chat keeps no order among parts of two kinds, and ends a window by length."""
    choice = response.choices[0]
    reason = "length" if choice.finish_reason == "context" else choice.finish_reason
    return (choice.text, choice.reasoning, choice.tool_calls, reason)


def counted(response: Response) -> tuple[int, int, int]:
    """What was used."""
    assert response.usage is not None
    return (response.usage.prompt, response.usage.completion, response.usage.cached)


@pytest.mark.parametrize(("front", "back"), PAIRS)
@MANY
@given(events=streams("tr"), data=st.data())
def test_an_answer_keeps_all(front: Dialect, back: Dialect, events: list[Event], data: st.DataObject) -> None:
    """Written upstream, read, written for the client and read again: the same words, thoughts, calls and usage."""
    received = read(back, cut(write(back, events), data))
    heard = collect(read(front, cut(write(front, received), data)))
    assert (told(heard), counted(heard)) == (told(collect(events)), counted(collect(events)))


@pytest.mark.parametrize(("front", "back"), PAIRS)
def test_a_stream_cut_at_any_byte_never_ends_cleanly(front: Dialect, back: Dialect) -> None:
    """The client is told of the break in its own dialect, unless all had come that makes the answer whole."""
    stream = write(back, ANSWER)
    for place in range(len(stream)):
        reader = upstream_of(back).reader()
        received: list[Event] = []
        writer = front.writer(asked(), fresh_stamp())
        try:
            received = reader.feed(stream[:place])
            shown = writer.feed(received)
            received = reader.eof()
        except RixinError as error:
            with pytest.raises(RixinError):
                read(front, [writer.feed(received) + writer.fail(error)])
            continue
        heard = read(front, [shown + writer.feed(received) + writer.close()])
        assert told(collect(heard)) == told(collect(ANSWER))


@st.composite
def conversations(draw: st.DrawFn) -> Generate:
    """A conversation with tools, as it stands before the model's next turn."""
    messages: list[Message] = [Message(role="system", parts=(TextPart(draw(SAID)),))]
    for turn in range(draw(st.integers(1, 4))):
        messages.append(Message(role="user", parts=(TextPart(draw(SAID)),)))
        calls = tuple(
            ToolCall(
                id=f"call_{turn}_{index}", name="read_file", arguments=msgspec.json.encode({"path": path}).decode()
            )
            for index, path in enumerate(draw(st.lists(WORDS, max_size=3)))
        )
        words: tuple[Part, ...] = (TextPart(draw(SAID)),) if not calls or draw(st.booleans()) else ()
        messages.append(Message(role="assistant", parts=(*words, *calls)))
        results = tuple(ToolResult(call_id=call.id, parts=(TextPart(draw(SAID)),)) for call in calls)
        messages += [Message(role="tool", parts=(result,)) for result in results]
    messages.append(Message(role="user", parts=(TextPart(draw(SAID)),)))
    return msgspec.structs.replace(asked(), messages=tuple(messages), tools=(READ_FILE,))


def said(request: Generate) -> list[Any]:
    """What a conversation holds, however a dialect groups it into messages."""
    found: list[Any] = []
    for message in request.messages:
        for part in message.parts:
            match part:
                case TextPart():
                    found.append((message.role, part.text))
                case ToolCall():
                    found.append(("call", part.id, part.name, msgspec.json.decode(part.arguments)))
                case ToolResult():
                    words = "".join(inner.text for inner in part.parts if isinstance(inner, TextPart))
                    found.append(("result", part.call_id, words))
                case _:
                    pytest.fail(f"nobody said {part}")
    return [*found, [(tool.name, tool.description, tool.parameters) for tool in request.tools]]


@pytest.mark.parametrize(("front", "back"), PAIRS)
@MANY
@given(request=conversations())
def test_a_conversation_keeps_all(front: Dialect, back: Dialect, request: Generate) -> None:
    """A client's own words reach an upstream of any dialect: each message, call and result, in order."""
    assert said(parse(back, parse(front, request))) == said(request)
