"""One request, from its price in tokens to the last event of its last choice.

Several choices are made one after another on the one slot that the request has: each finds the prompt in the cache that
the one before it left, and the request holds no more than any other.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeAlias

import msgspec
from msgspec import Struct

from rixin.core.events import Event, Reasoning, Start, Text
from rixin.core.json import JsonObject
from rixin.core.messages import Message
from rixin.core.requests import Generate, ReasoningWish
from rixin.core.tools import Tool
from rixin.core.usage import Usage
from rixin.engines.base import Sign
from rixin.engines.child.body import answer_schema, chat_body, sampling_body, template_arguments
from rixin.engines.child.calls import CallScanner, call_schema
from rixin.engines.child.conversation import (
    ANSWER,
    answered_calls,
    check_parts,
    fold,
    for_template,
    tell,
    with_need,
    with_tools,
)
from rixin.engines.child.llama import Llama, Traits
from rixin.engines.child.reading import Reading
from rixin.engines.child.thoughts import GLUE, ask_for_answer, ask_for_thought, budget
from rixin.errors import Kind, RixinError, invalid

Item: TypeAlias = list[Event] | Sign
"""Events, or a sign of life."""


class Plan(Struct, frozen=True, kw_only=True):
    """How a request is put to the model."""

    request: Generate
    messages: tuple[Message, ...] = ()
    """Without the tools that a chat template shows."""
    tools: tuple[Tool, ...] = ()
    """What the chat template shows."""
    tool_choice: str = "none"
    """What the library is told: anything but `none` lets it find calls by the template's format."""
    scans: bool = False
    """Whether calls are looked for in the text."""
    schema: JsonObject | None = None
    arguments: JsonObject = {}
    """Of the chat template."""

    def body(self, messages: tuple[Message, ...] | None = None) -> JsonObject:
        """The library's body, without sampling and limit."""
        if self.request.prompt is not None:
            return {"prompt": self.request.prompt}
        body = chat_body(
            self.messages if messages is None else messages,
            self.request,
            tools=self.tools,
            tool_choice=self.tool_choice,
            schema=self.schema,
        )
        if self.arguments:
            body["chat_template_kwargs"] = self.arguments
        return body


class Job(Struct, frozen=True, kw_only=True):
    """A request whose price is known. Lengths are tokens."""

    plan: Plan
    prompt: int
    max_output: int
    """The longest that a choice can be, thoughts included."""
    thought: int
    """The longest that a thought can be; 0 for none."""

    @property
    def cells(self) -> int:
        """What the request may come to hold of the pool."""
        return self.prompt + self.max_output + (GLUE if self.thought else 0)


class Answers:
    """Answers requests with one model.

    Args:
        llama: The model.
        traits: What it can do.
        native_calls: Whether calls and results are left to the chat template.
    """

    def __init__(self, llama: Llama, traits: Traits, *, native_calls: bool) -> None:
        self._llama = llama
        self._ready = llama.ready
        self._traits = traits
        self._native_calls = native_calls and traits.tools

    async def count(self, request: Generate) -> int:
        """The prompt tokens of a request.

        Raises:
            RixinError: `INVALID_REQUEST`.
        """
        return await self._llama.count(self._plan(request).body())

    async def prepare(self, request: Generate) -> Job:
        """Prices a request.

        Raises:
            RixinError: `INVALID_REQUEST`, or `CONTEXT_OVERFLOW` when its prompt leaves no room for an answer.
        """
        sampling_body(request, self._traits.vocabulary, 0)
        plan = self._plan(request)
        prompt = await self._llama.count(plan.body())
        window = self._ready.context_length
        room = window - prompt
        if room < 1:
            message = f"The prompt has {prompt} tokens, which leaves none of the model's {window} for an answer."
            raise RixinError(Kind.CONTEXT_OVERFLOW, message, limit=window, requested=prompt + 1)
        wanted = min(request.max_tokens or self._ready.max_output_length, self._ready.max_output_length)
        thought = 0
        if request.prompt is None and not self._traits.thinks:
            thought = budget(_wish(request), min(wanted, room - GLUE))
        max_output = min(wanted, room - GLUE if thought else room)
        return Job(plan=plan, prompt=prompt, max_output=max_output, thought=thought)

    async def run(self, job: Job, start: Start) -> AsyncGenerator[Item, None]:
        """Answers, in the slot that the caller has taken. Closing the iterator cancels.

        The first events come when the prompt has been read; until then, and where text is held back, there are signs.

        Raises:
            RixinError: Where the library refuses or fails.
        """
        opening: list[Event] = [start]
        usage = Usage(prompt=job.prompt)
        for index in range(job.plan.request.n):
            choice = _Choice(self._llama, job, self._sampling(job, index), index)
            async with aclosing(choice.run()) as items:
                async for item in items:
                    if isinstance(item, Sign):
                        yield item
                    else:
                        yield [*opening, *item]
                        opening = []
            usage = Usage(
                prompt=job.prompt,
                completion=usage.completion + choice.completion,
                reasoning=usage.reasoning + choice.reasoning,
                cached=choice.cached if index == 0 else usage.cached,
            )
        yield [*opening, usage]

    def _sampling(self, job: Job, index: int) -> JsonObject:
        sampling = sampling_body(job.plan.request, self._traits.vocabulary, index)
        if job.plan.scans or self._traits.thinks:
            sampling["timings_per_token"] = True  # counts tokens also where the answer is cut short
        return sampling

    def _plan(self, request: Generate) -> Plan:
        if request.prompt is not None:
            return Plan(request=request)
        check_parts(request.messages, vision=self._ready.vision)
        mode = request.tool_choice.mode if request.tool_choice else "auto"
        tools = () if mode == "none" else request.tools
        if tools and request.logprobs:
            raise invalid("invalid logprobs, this model has none for answers that may call tools.", "logprobs")
        schema = answer_schema(request)
        arguments = template_arguments(request)
        if self._traits.thinks:
            arguments = {**arguments, "enable_thinking": bool(_wish(request).wanted)}
        if self._native_calls:
            named = request.tool_choice.name if request.tool_choice else None
            return Plan(
                request=request,
                messages=for_template(request.messages, thinks=self._traits.thinks),
                tools=tools if named is None else tuple(tool for tool in tools if tool.name == named),
                tool_choice="required" if mode == "named" else mode,
                schema=schema,
                arguments=arguments,
            )
        messages = fold(request.messages)
        if tools and not self._traits.tools:
            messages = with_tools(messages, tools)
        elif tools and mode == "auto":
            messages = with_need(messages)
        if tools and mode != "auto":
            named = request.tool_choice.name if request.tool_choice else None
            schema = call_schema(tool for tool in tools if named in (None, tool.name))
        elif tools and schema is not None:
            schema = call_schema(tools, schema)
        return Plan(
            request=request,
            messages=messages,
            tools=tools if self._traits.tools else (),
            tool_choice="auto" if mode == "auto" and schema is None else "none",
            scans=bool(tools),
            schema=schema,
            arguments=arguments,
        )


class _Choice:
    """One choice: a thought where one is wanted, an answer, and at most one second attempt at it."""

    def __init__(self, llama: Llama, job: Job, sampling: JsonObject, index: int) -> None:
        self._llama = llama
        self._job = job
        self._plan = job.plan
        self._request = job.plan.request
        self._sampling = sampling
        self._index = index
        self._thought = ""
        self.completion = 0
        self.reasoning = 0
        self._cached: int | None = None

    @property
    def cached(self) -> int:
        """Prompt tokens that were known before."""
        return self._cached or 0

    async def run(self) -> AsyncGenerator[Item, None]:
        if self._job.thought:
            async with aclosing(self._think()) as items:
                async for item in items:
                    yield item
        reading = self._reading()
        async with aclosing(self._attempt(self._body(self._plan), reading)) as items:
            async for item in items:
                yield item
        self._account(reading)
        ending = reading.end()
        if reading.rejected:
            second = self._second_plan()
            reading = Reading(self._index)
            async with aclosing(self._attempt(self._body(second), reading)) as items:
                async for item in items:
                    yield item
            ending = reading.end()
        self.completion += reading.completion
        self.reasoning += reading.reasoning
        yield ending

    async def _think(self) -> AsyncGenerator[Item, None]:
        # The tools are shown, though none shall be called: they stand before the conversation, which would else be read
        # twice, now and for the answer.
        plan = Plan(request=self._request, tools=self._plan.tools, arguments=self._plan.arguments)
        body = plan.body(ask_for_thought(self._plan.messages))
        kept = {name: value for name, value in self._sampling.items() if name not in _OF_THE_ANSWER}
        reading = Reading(self._index)
        pieces: list[str] = []
        async with aclosing(self._attempt(body | kept | {"max_tokens": self._job.thought}, reading)) as items:
            async for item in items:
                if isinstance(item, Sign):
                    yield item
                    continue
                texts = [event.text for event in item if isinstance(event, Text)]
                pieces += texts
                yield [Reasoning(text=text, choice=self._index) for text in texts]
        self._thought = "".join(pieces)
        self._account(reading)
        self.completion = self.reasoning = reading.completion

    async def _attempt(self, body: JsonObject, reading: Reading) -> AsyncGenerator[Item, None]:
        async with aclosing(self._llama.stream(body)) as stream:
            async for chunks in stream:
                events = [event for chunk in chunks for event in reading.feed(chunk)]
                yield events or Sign(read=reading.progress)
                if reading.over:
                    return

    def _reading(self) -> Reading:
        request, scanner = self._request, None
        if self._plan.scans:
            scanner = CallScanner(
                request.tools,
                answered=answered_calls(request.messages, request.tools) if self._plan.tool_choice == "auto" else (),
                parallel=request.parallel_tool_calls is not False,
            )
        alternatives = (request.top_logprobs or 0) if request.logprobs else None
        return Reading(self._index, scanner, request.tools, alternatives=alternatives)

    def _second_plan(self) -> Plan:
        """The same question without tools, and with the results of those that have run made plain."""
        request = self._request
        messages = fold(request.messages)
        if answered_calls(request.messages, request.tools):
            messages = tell(messages, ANSWER)
        return Plan(request=request, messages=messages, schema=answer_schema(request), arguments=self._plan.arguments)

    def _body(self, plan: Plan) -> JsonObject:
        limit = self._job.max_output - self.completion
        messages = ask_for_answer(plan.messages, self._thought) if self._thought.strip() else plan.messages
        return plan.body(messages) | self._sampling | {"max_tokens": max(limit, 1)}

    def _account(self, reading: Reading) -> None:
        if self._cached is None:  # later attempts find what the first has read
            self._cached = min(reading.cached, self._job.prompt)


_OF_THE_ANSWER = frozenset({"stop", "verbose", "logprobs", "top_logprobs"})
"""Fields that a thought is not subject to."""


def _wish(request: Generate) -> ReasoningWish:
    """What the client wants of thoughts, said in whichever way."""
    wish = request.reasoning
    enabled = template_arguments(request).get("enable_thinking")
    if wish.enabled is None and wish.effort is None and isinstance(enabled, bool):
        return msgspec.structs.replace(wish, enabled=enabled)
    return wish
