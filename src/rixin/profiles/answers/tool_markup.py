"""Tool calls that leak into the text as markup, told as calls."""

import re

from rixin.core.events import Event, Finish, Text, ToolArguments, ToolEnd, ToolStart
from rixin.profiles.answers.markup_grammars import GRAMMARS, FindTool, Grammar, HealedCall
from rixin.profiles.answers.rewriting import ChoiceRewriter
from rixin.profiles.answers.text_scanner import TextScanner

HEAD = 160
"""Characters of a block by which it must look like a call of a tool that there is, else it is text at once."""
LONGEST = 2**20
"""Characters that a block may have."""
MOST_CLOSERS = 16
"""Closing tags that may stand in a block's own texts."""
MOST_REJECTED = 64
"""Blocks that turn out to be text, after which no more are looked for."""

_ID_LENGTH = 24
_FOREIGN = re.compile(r"[^0-9A-Za-z]")


class _Block:
    """Markup whose end has not been seen."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.grammar: Grammar = GRAMMARS[tag]
        self.pieces: list[str] = []
        self.length = 0
        self.vetted = False
        self.closers = 0
        self.searched = 0
        self._tail = ""

    @property
    def text(self) -> str:
        """All that followed the opening tag."""
        return "".join(self.pieces)

    def add(self, text: str) -> None:
        self.pieces.append(text)
        self.length += len(text)
        self._tail += text

    def next_closer(self) -> int | None:
        """Where the next closing tag begins."""
        closer = self.grammar.closer
        offset = self.length - len(self._tail)
        found = self._tail.find(closer, max(0, self.searched - offset))
        if found < 0:
            self._tail = self._tail[-len(closer) :]
            return None
        self.searched = offset + found + len(closer)
        self.closers += 1
        return offset + found

    def parse(self, end: int, find: FindTool) -> tuple[list[HealedCall], int]:
        """The calls up to there, and where in the text after the opening tag they end."""
        body, before = self.text[:end], 0
        if self.grammar.inclusive:
            body, before = self.tag + body, len(self.tag)
            if end < self.length:
                body += self.grammar.closer
        calls, length = self.grammar.parse(body, find)
        return calls, length - before

    def plausible(self, end: int, find: FindTool) -> bool:
        """Whether it begins as a call of a tool that there is."""
        head = self.text[: min(end, HEAD)]
        match = self.grammar.head.match(self.tag + head if self.grammar.inclusive else head)
        name = None if match is None else next((group for group in match.groups() if group), "")
        return name == "" or (name is not None and find(name) is not None)


class ToolMarkup(ChoiceRewriter):
    """Makes calls of the markup in one choice's text, where it stands outside of code and names tools that there are.

    A block is held back until it is whole. What turns out to be none is text, unchanged. Line breaks right after a
    block belong to it.

    Args:
        choice: The index of the choice.
        find: Finds the tool that a name means.
        seed: Makes the calls' ids; the id of the upstream's answer.
    """

    def __init__(self, choice: int, find: FindTool, seed: str) -> None:
        super().__init__(choice)
        self._find = find
        self._seed = _FOREIGN.sub("", seed)[-_ID_LENGTH:]
        self._scanner = TextScanner(tuple(GRAMMARS))
        self._block: _Block | None = None
        self._rejected = 0
        self._finishing = False
        self._trims = False
        self._calls = 0
        self._healed = 0
        self._places: dict[int, int] = {}

    def passes(self, text: str) -> bool:
        """Whether a text holds no markup, nor is part of some."""
        return self._block is None and not self._held and not self._trims and self._scanner.passes(text)

    def renumber(self, event: ToolStart | ToolArguments | ToolEnd) -> Event:
        """An event of one of the upstream's own calls, with its place among all calls."""
        if isinstance(event, ToolStart):
            self._places[event.index] = self._calls
            self._calls += 1
        place = self._places.get(event.index, event.index)
        if place == event.index:
            return event
        match event:
            case ToolStart():
                return ToolStart(index=place, id=event.id, name=event.name, choice=self.choice, kind=event.kind)
            case ToolArguments():
                return ToolArguments(index=place, text=event.text, choice=self.choice)
            case ToolEnd():
                return ToolEnd(index=place, choice=self.choice)

    def interrupt(self) -> None:
        """Line breaks belong to markup only right after it."""
        self._trims = False

    def finish(self, finish: Finish) -> list[Event]:
        """The rest, and the finish: calls were made, if there were any."""
        self._finishing = finish.reason in ("stop", "tool_calls")
        events = self.take("", final=True)
        self._finishing = False
        if self._healed and finish.reason == "stop":
            finish = Finish(reason="tool_calls", choice=self.choice)
        return [*events, finish]

    def _step(self, text: str, events: list[Event], *, final: bool) -> str | None:
        if self._block is not None:
            return self._gather(self._block, text, events, final=final)
        if self._trims:
            text = text.lstrip("\r\n")
            self._trims = not text
        if self._rejected >= MOST_REJECTED:
            self._say(text, events)
            return None
        length, tag = self._scanner.scan(text, final=final)
        self._say(text[:length], events)
        if tag is None:
            self._held = text[length:]
            return None
        self._block = _Block(tag)
        return text[length + len(tag) :]

    def _gather(self, block: _Block, text: str, events: list[Event], *, final: bool) -> str | None:
        """More of a block."""
        block.add(text)
        closer = block.grammar.closer
        while True:
            end = block.next_closer()
            if not block.vetted and (end is None or end >= HEAD) and block.length >= HEAD + len(closer):
                block.vetted = True
                if not block.plausible(HEAD, self._find):
                    return self._reject(block, events)
            if end is None:
                break
            calls, length = block.parse(end, self._find) if end <= LONGEST else ([], 0)
            if calls and length >= end:
                self._heal(calls, events)
                return block.text[end + len(closer) :]
            if end > LONGEST or block.closers >= MOST_CLOSERS or not block.plausible(end, self._find):
                return self._reject(block, events)
        if final:
            return self._settle(block, events)
        return self._reject(block, events) if block.length > LONGEST + len(closer) else None

    def _settle(self, block: _Block, events: list[Event]) -> str:
        """Some models leave the last closing tag out; what precedes it may be whole all the same."""
        calls, length = block.parse(block.length, self._find) if self._finishing else ([], 0)
        if not calls:
            return self._reject(block, events)
        self._heal(calls, events)
        return block.text[length:]

    def _heal(self, calls: list[HealedCall], events: list[Event]) -> None:
        self._block = None
        self._trims = self.rewrote = True
        self._scanner.restart()
        for call in calls:
            index = self._calls
            identity = f"call_{self._seed}m{index}"
            events += [
                ToolStart(index=index, id=identity, name=call.tool.name, choice=self.choice, kind=call.tool.kind),
                ToolArguments(index=index, text=call.arguments, choice=self.choice),
                ToolEnd(index=index, choice=self.choice),
            ]
            self._calls += 1
            self._healed += 1

    def _reject(self, block: _Block, events: list[Event]) -> str:
        """It is text; what follows the opening tag may hold another."""
        self._block = None
        self._rejected += 1
        self._scanner.pass_over()
        self._say(block.tag, events)
        return block.text

    def _say(self, text: str, events: list[Event]) -> None:
        if text:
            events.append(Text(text=text, choice=self.choice))
