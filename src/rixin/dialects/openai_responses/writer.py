"""Streams, rendered for a client.

Sources: OpenAI's reference of streaming events; the Open Responses specification (the SSE type is the event's own, the
last frame is `[DONE]`).
"""

from collections.abc import Iterable, Mapping

import msgspec

from rixin.core.events import Event
from rixin.core.json import JsonObject
from rixin.core.requests import Generate
from rixin.core.usage import Usage
from rixin.dialects.base import Stamp
from rixin.dialects.openai_responses.errors import failure
from rixin.dialects.openai_responses.output import Output
from rixin.dialects.openai_responses.resource import Resource, status_of
from rixin.dialects.openai_responses.response import wants_summary
from rixin.errors import Kind, RixinError

DONE = b"data: [DONE]\n\n"

_encode = msgspec.json.Encoder().encode


class ResponsesWriter:
    """Writes the events of one response."""

    def __init__(self, request: Generate, stamp: Stamp) -> None:
        self._resource = Resource(request, stamp)
        self._output = Output(request.tools, stamp.new_id, summary=wants_summary(request))
        self._usage: Usage | None = None
        self._sequence = 0
        self._begun = False
        self._ended: dict[str, object] | None = None

    def feed(self, events: list[Event]) -> bytes:
        """What these events say."""
        if not events:
            return b""
        pieces = [self._begin()]
        for event in events:
            if isinstance(event, Usage):
                self._usage = event
            elif told := self._output.take(event):
                pieces.append(self._events(told))
        return b"".join(pieces)

    def fail(self, error: RixinError) -> bytes:
        """`response.failed`, with what came so far; no `[DONE]`, which some take for an end that is whole."""
        begun = self._begin()
        self._output.abandon()
        response = self._resource.render("failed", self._output.render(), usage=self._usage, error=failure(error))
        self._ended = response
        return begun + self._event({"type": "response.failed", "response": response})

    def close(self) -> bytes:
        """`response.completed` or `response.incomplete`, and `[DONE]`; without a finish the answer is not whole."""
        finish = self._output.finish
        if finish is None:
            return self.fail(RixinError(Kind.UPSTREAM_INTERRUPTED, "The model's answer broke off."))
        status = status_of(finish.reason)
        response = self._resource.render(status, self._output.render(), reason=finish.reason, usage=self._usage)
        self._ended = response
        return self._event({"type": f"response.{status}", "response": response}) + DONE

    def snapshot(self) -> bytes:
        """The response object as it ended; one that nobody waits for any more was cancelled."""
        if self._ended is None:
            self._output.abandon()
            self._ended = self._resource.render("cancelled", self._output.render(), usage=self._usage)
        return _encode(self._ended)

    def keep_alive(self) -> bytes:
        """`response.in_progress`: an idle timer that only counts events sees it, and nobody acts upon it.

        A comment would not do for Codex, and helpers of the official SDKs refuse types that they do not know.
        """
        return self._progress() if self._begun else self._begin()

    def _begin(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        created = self._event({"type": "response.created", "response": self._resource.render("in_progress", [])})
        return created + self._progress()

    def _progress(self) -> bytes:
        response = self._resource.render("in_progress", self._output.render())
        return self._event({"type": "response.in_progress", "response": response})

    def _events(self, events: Iterable[JsonObject]) -> bytes:
        return b"".join([self._event(event) for event in events])

    def _event(self, event: Mapping[str, object]) -> bytes:
        kind = str(event["type"])
        data = _encode({"type": kind, "sequence_number": self._sequence, **event})
        self._sequence += 1
        return b"event: %s\ndata: %s\n\n" % (kind.encode(), data)
