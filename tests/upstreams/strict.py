"""A strict upstream: a real HTTP server whose models each have hidden rules, and echo what they were asked.

An answer is a JSON object of all that must not be lost on the way: the last text of the user, systems, tools, calls and
results. Models that nobody gave rules refuse nothing.
"""

import json
import random
from collections import Counter
from typing import Any

from tests.profiles.strict_upstream import Rules, draw_rules, facts
from tests.upstreams.scripted import (
    DONE,
    Reply,
    Request,
    ScriptedUpstream,
    answer,
    completion,
    completion_events,
    stream,
)

DONE_MISSING = 0.3
"""The share of models whose streams end without `[DONE]`."""


class StrictUpstream(ScriptedUpstream):
    """The server.

    Attributes:
        rules: What each model refuses.
        without_done: Models whose streams have no `[DONE]`.
        calls: How often each model was asked.
        say: What a model answers, instead of the echo, the next times it is asked.
    """

    def __init__(self, rules: dict[str, Rules] | None = None) -> None:
        super().__init__(self._reply)
        self.rules = rules or {}
        self.without_done: set[str] = set()
        self.calls: Counter[str] = Counter()
        self.say: list[str] = []

    @classmethod
    def drawn(cls, random_: random.Random, count: int) -> "StrictUpstream":
        """A server with models `m0`, `m1` and so on, whose rules are drawn at random."""
        upstream = cls({f"m{number}": draw_rules(random_) for number in range(count)})
        upstream.without_done = {model for model in upstream.rules if random_.random() < DONE_MISSING}
        return upstream

    def bodies(self, model: str) -> list[dict[str, Any]]:
        """All that a model was asked, in order."""
        bodies = [request.json for request in self.posted]
        return [body for body in bodies if body["model"] == model]

    def _reply(self, request: Request) -> Reply:
        if request.method == "GET":
            return answer(json.dumps({"object": "list", "data": [{"id": model} for model in self.rules]}))
        body = request.json
        model = body["model"]
        self.calls[model] += 1
        rules = self.rules.get(model, Rules())
        refusal = rules.refuses(body)
        if refusal is not None:
            error = {"message": refusal, "type": "invalid_request_error", "code": "3"}
            return answer(json.dumps({"error": error}), status=rules.status)
        return self._answer(body)

    def _answer(self, body: dict[str, Any]) -> Reply:
        """What a body that breaks no rule gets."""
        model = body["model"]
        text = self.say.pop(0) if self.say else json.dumps(facts(body), ensure_ascii=False)
        if not body.get("stream"):
            return answer(completion(text, model=model))
        half = len(text) // 2
        pieces = completion_events((text[:half], text[half:]), model=model)
        return stream(pieces if model in self.without_done else [*pieces, DONE])
