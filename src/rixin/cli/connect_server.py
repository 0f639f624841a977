"""What `rixin connect` asks the server: whether it runs, what a model can do, and how fast it reads a prompt."""

from collections.abc import Callable
from typing import Annotated
from urllib.parse import quote

import msgspec
from msgspec import Meta, Struct

from rixin.cli.client import Client
from rixin.clients.connect.connection import Model
from rixin.clock import Clock, random_text
from rixin.errors import Kind, RixinError

_PROBE_WORDS = 100
"""About 300 tokens: long enough to measure, short enough for a small machine."""


class _Entry(Struct):
    """A model of the server's list, as far as agents need it; see `dialects/openai_models.py`."""

    id: str
    owned_by: str = ""
    context_length: int | None = None
    max_output_length: int | None = None
    input_modalities: tuple[str, ...] = ("text",)
    output_modalities: tuple[str, ...] = ("text",)
    supported_features: tuple[str, ...] = ()

    def model(self) -> Model:
        return Model(
            name=self.id,
            owned_by=self.owned_by,
            context_length=self.context_length,
            max_output_length=self.max_output_length,
            input_modalities=self.input_modalities,
            output_modalities=self.output_modalities,
            features=self.supported_features,
        )


class _List(Struct):
    data: tuple[_Entry, ...]


class _Details(Struct):
    cached_tokens: int = 0


class _Usage(Struct):
    prompt_tokens: Annotated[int, Meta(ge=0)]
    prompt_tokens_details: _Details | None = None


class _Completion(Struct):
    usage: _Usage


async def chat_models(client: Client) -> tuple[Model, ...]:
    """The models that the server lists and that answer in text.

    Raises:
        RixinError: It does not run, does not let us in, or is another kind of server.
    """
    answer = await client.ask("GET", f"{client.target.base_url}/models")
    try:
        listed = msgspec.json.decode(answer, type=_List).data
    except msgspec.MsgspecError:
        raise RixinError(Kind.UPSTREAM_INVALID, f"{client.target.base_url} gives no list of models") from None
    return tuple(entry.model() for entry in listed if "text" in entry.output_modalities)


async def model_named(client: Client, name: str) -> Model:
    """What a name stands for, aliases included.

    Raises:
        RixinError: `MODEL_NOT_FOUND`, naming the nearest ones.
    """
    answer = await client.ask("GET", f"{client.target.base_url}/models/{quote(name, safe='')}")
    try:
        return msgspec.json.decode(answer, type=_Entry).model()
    except msgspec.MsgspecError:
        raise RixinError(Kind.UPSTREAM_INVALID, f"{client.target.base_url} does not tell of {name}") from None


async def prompt_speed(
    client: Client, model: str, clock: Clock, word: Callable[[], str] = lambda: random_text(3)
) -> float:
    """Prompt tokens a second that a model reads, measured by a short prompt that no cache has.

    Args:
        client: The server.
        model: Its name.
        clock: Time.
        word: Makes the prompt's words.

    Raises:
        RixinError: The server's error.
    """
    await _read_prompt(client, model, "Hi")  # a model that is not loaded yet is loaded by this one
    started = clock.monotonic()
    await _read_prompt(client, model, "Hi")
    overhead = clock.monotonic() - started
    started = clock.monotonic()
    tokens = await _read_prompt(client, model, " ".join(word() for _ in range(_PROBE_WORDS)))
    return tokens / max(clock.monotonic() - started - overhead, 1e-3)


async def _read_prompt(client: Client, model: str, prompt: str) -> int:
    """Lets the model read a prompt; the tokens that it read."""
    url = f"{client.target.base_url}/chat/completions"
    answer = await client.ask(
        "POST", url, {"model": model, "messages": [{"role": "user", "content": prompt}], "max_tokens": 1}
    )
    try:
        usage = msgspec.json.decode(answer, type=_Completion).usage
    except msgspec.MsgspecError:
        raise RixinError(Kind.UPSTREAM_INVALID, f"{model} does not tell how many tokens it read") from None
    cached = usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else 0
    return max(usage.prompt_tokens - cached, 1)
