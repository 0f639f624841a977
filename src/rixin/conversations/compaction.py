"""A long conversation, put so that a model can sum it up: in one piece, or in pieces that fit its window."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from math import ceil
from typing import TypeAlias, assert_never

from rixin.core.estimate import estimate_inputs, estimate_text
from rixin.core.messages import (
    DocumentPart,
    ImagePart,
    Message,
    Opaque,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolResult,
    VideoPart,
)
from rixin.errors import Kind, RixinError

Ask: TypeAlias = Callable[[str], Awaitable[str]]
"""Gives a model's answer to a prompt."""

INSTRUCTION = (
    "You are handing over a task to a colleague who will continue it without having seen the conversation below. "
    "Write the notes that they need: what the user wants and asked for, word for word where it matters; what was "
    "done, with the names of files, commands, functions and values; what was found out; decisions and their reasons; "
    "what is open, and the very next step. Leave out pleasantries and what no longer matters. Answer with the notes "
    "only."
)
PART = "The conversation is too long for one reading. This is part {number} of {count}; sum up this part alone."
TOGETHER = (
    "The conversation was too long for one reading. These are notes on its parts, in order; make one set of them."
)

_WRITING = 0.25
"""The share of a window that is left for the summary."""
_CAUTION = 0.8
"""How much of the rest is used: lengths are estimates."""
_ROUNDS = 5
"""How often a conversation, then its summaries, are read, each time in fewer pieces, until one is left."""
_LEAST = 256
"""Tokens that a piece has room for, however small the window is said to be."""


async def summarise(messages: Iterable[Message], window: int | None, ask: Ask) -> str:
    """The summary of a conversation.

    Args:
        messages: The conversation.
        window: Tokens that the model takes and gives together; None where nobody knows.
        ask: Asks the model. Where it raises `CONTEXT_OVERFLOW` with a limit, smaller pieces are tried once.

    Raises:
        RixinError: `UPSTREAM_INVALID` when the summary is empty; whatever `ask` raises.
    """
    lines = [*transcript(messages)]
    try:
        return await _reduced(lines, window, ask)
    except RixinError as error:
        if error.kind is not Kind.CONTEXT_OVERFLOW or error.limit is None or error.limit == window:
            raise
        return await _reduced(lines, error.limit, ask)


def most_asked(messages: Iterable[Message], window: int | None) -> tuple[int, int]:
    """What `summarise` asks at most, unless the window proves smaller than it is said to be.

    Returns:
        How many questions, and the tokens of all their prompts together, by estimate.
    """
    first = _prompts([*transcript(messages)], window, INSTRUCTION)
    tokens = estimate_inputs(first)
    if window is None:
        return len(first), tokens
    again = sum(range(max(1, len(first) + 1 - _ROUNDS), len(first)))  # at least one fewer each time
    longest = ceil(_room(window) / _CAUTION) + estimate_text(INSTRUCTION + PART + TOGETHER)
    return len(first) + again, tokens + again * longest


async def _reduced(lines: list[str], window: int | None, ask: Ask) -> str:
    prompts = _prompts(lines, window, INSTRUCTION)
    for _ in range(_ROUNDS):
        if len(prompts) == 1:
            return await _told(ask, prompts[0])
        notes = [line for prompt in prompts for line in (await _told(ask, prompt)).split("\n")]
        before, prompts = len(prompts), _prompts(notes, window, f"{INSTRUCTION}\n\n{TOGETHER}")
        if len(prompts) >= before:
            break
    raise RixinError(Kind.UPSTREAM_INVALID, "The conversation could not be summed up: its summaries stay too long.")


def _prompts(lines: list[str], window: int | None, heading: str) -> list[str]:
    """Questions that all lines are in, each in one: a single one below `heading` if it fits, otherwise one a piece."""
    pieces = [lines] if window is None else [*_pieces(lines, _room(window))]
    if len(pieces) <= 1:
        return [_prompt(heading, pieces[0] if pieces else [])]
    parts = (PART.format(number=number, count=len(pieces)) for number in range(1, len(pieces) + 1))
    return [_prompt(f"{INSTRUCTION}\n\n{part}", piece) for part, piece in zip(parts, pieces, strict=True)]


def _prompt(heading: str, lines: list[str]) -> str:
    return f"{heading}\n\n<conversation>\n{chr(10).join(lines)}\n</conversation>"


def _room(window: int) -> int:
    return max(_LEAST, int((window * (1 - _WRITING) - estimate_text(INSTRUCTION)) * _CAUTION))


async def _told(ask: Ask, prompt: str) -> str:
    text = (await ask(prompt)).strip()
    if not text:
        raise RixinError(Kind.UPSTREAM_INVALID, "The conversation could not be summed up: the summary is empty.")
    return text


def _pieces(lines: Iterable[str], room: int) -> Iterator[list[str]]:
    """Lines in groups of at most `room` tokens each, about; a line that is longer is cut."""
    piece: list[str] = []
    taken = 0
    for line in lines:
        for part in _cut(line, room):
            size = estimate_text(part) + 1
            if piece and taken + size > room:
                yield piece
                piece, taken = [], 0
            piece.append(part)
            taken += size
    if piece:
        yield piece


def _cut(line: str, room: int) -> Iterator[str]:
    while estimate_text(line) >= room and len(line) > 1:
        middle = max(1, len(line) * (room - 1) // (estimate_text(line) + 1))
        yield line[:middle]
        line = line[middle:]
    yield line


def transcript(messages: Iterable[Message]) -> Iterator[str]:
    """A conversation as lines of text, each with who said it; clients send their system prompts anew anyway."""
    for message in messages:
        if message.role == "system":
            continue
        for part in message.parts:
            yield from (f"{message.role}: {line}" for line in _words(part))


def _words(part: Part) -> Iterator[str]:
    match part:
        case TextPart(text=text) | RefusalPart(text=text):
            yield text
        case ToolCall():
            yield f"[calls {part.name} ({part.id}) with {part.arguments}]"
        case ToolResult():
            told = "\n".join(line for inner in part.parts for line in _words(inner))
            yield f"[result of {part.call_id}: {'error: ' if part.is_error else ''}{told}]"
        case ImagePart():
            yield "[an image]"
        case VideoPart():
            yield "[a video]"
        case DocumentPart():
            yield f"[a document: {part.name or 'without a name'}] {part.text or ''}".rstrip()
        case ReasoningPart() | Opaque():
            return
        case _:
            assert_never(part)
