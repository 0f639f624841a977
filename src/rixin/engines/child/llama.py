"""One model in memory: xllamacpp's in-process API with asyncio.

The library's callback is the one place where a running request can be cancelled, so every request is streamed with
progress events, which make that place come around for each batch of the prompt as well.
"""

from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import xllamacpp
from msgspec import Struct

from rixin.clock import random_text
from rixin.core.json import JsonObject
from rixin.engines.child.chunk import Chunk
from rixin.engines.child.config import ChildConfig
from rixin.engines.child.listener import Listener, refusal
from rixin.engines.child.run import Pulse, Run
from rixin.engines.child.status import Ready
from rixin.engines.gguf import GgufHeader
from rixin.engines.memory import token_size
from rixin.errors import Kind, RixinError
from rixin.settings import DEFAULT_OUTPUT, DEFAULT_WINDOW

_UNKNOWN_WINDOW = 4096
"""The window of a file that does not say what it was trained for."""

_CPU = xllamacpp.ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU
_PROMPT_CACHE = 256
"""MiB of memory, at least, for the states of earlier conversations; the library's default is 8 GiB."""
_BATCHES = ((200 * 2**20, 128), (700 * 2**20, 64), (4 * 2**30, 32))
_SMALLEST_BATCH = 16
"""Prompt tokens between two looks at the request, by the file's size: a request can be cancelled, and others get their
next token, no sooner than after one batch. On two cores these take about 0.4 s, and cost at most a tenth of the speed
that much larger ones have."""


class _InputTokens(Struct, frozen=True):
    input_tokens: int


class _Tokens(Struct, frozen=True):
    tokens: list[int]


class _Capabilities(Struct, frozen=True):
    supports_tools: bool = False


class _Properties(Struct, frozen=True):
    chat_template: str = ""
    chat_template_caps: _Capabilities = _Capabilities()


class _Meta(Struct, frozen=True):
    n_vocab: int


class _Model(Struct, frozen=True):
    meta: _Meta


class _Models(Struct, frozen=True):
    data: list[_Model]


class Traits(Struct, frozen=True):
    """What the loaded model can do."""

    tools: bool
    """Whether its chat template knows tools."""
    thinks: bool
    """Whether its chat template has thoughts of its own."""
    vocabulary: int
    """Token ids are below this."""


def lengths(config: ChildConfig, header: GgufHeader) -> tuple[int, int, int]:
    """The window, the pool and the longest answer, in tokens. A window is never larger than the pool."""
    window = config.context_length or min(DEFAULT_WINDOW, header.context_length or _UNKNOWN_WINDOW)
    if header.context_length is not None:
        window = min(window, header.context_length)  # beyond it the library would not go either
    pool = config.pool or window
    window = min(window, pool)
    return window, pool, min(config.max_output_length or DEFAULT_OUTPUT, window)


class Llama:
    """The loaded model.

    Loading happens in the constructor, and blocks: the library keeps the interpreter's lock meanwhile.

    Raises:
        RixinError: `CONFIGURATION` when the library cannot load the file.
    """

    def __init__(self, config: ChildConfig, header: GgufHeader) -> None:
        window, pool, longest = lengths(config, header)
        socket = config.socket.with_name(f"{config.socket.stem}-llama.sock")  # known as a socket by its suffix
        socket.unlink(missing_ok=True)
        key = random_text(32)
        params = _parameters(config, header, window, pool)
        params.hostnames = [str(socket)]
        params.api_keys = [key]
        try:
            self._server = xllamacpp.Server(params)
        except (RuntimeError, ValueError):
            message = f"llama.cpp cannot load the model {config.path}; the engine's log says why"
            raise RixinError(Kind.CONFIGURATION, message) from None
        size = header.size + (config.mmproj.stat().st_size if config.mmproj else 0)
        self.ready = Ready(
            context_length=window,
            pool=pool,
            max_output_length=longest,
            slots=config.slots,
            vision=config.mmproj is not None,
            trained_context=header.context_length,
            architecture=header.architecture,
            description=" ".join(part for part in (header.name, header.quantization) if part),
            size_bytes=size,
        )
        self._socket = socket
        self._listener = Listener(socket, key)
        self._threads = ThreadPoolExecutor(config.slots, "llama")
        self._pulse = Pulse()

    async def traits(self) -> Traits:
        """What the model can do."""
        properties = await self._listener.ask("GET", "/props", b"", _Properties)
        models = await self._listener.ask("GET", "/v1/models", b"", _Models)
        template = properties.chat_template
        return Traits(
            tools=properties.chat_template_caps.supports_tools,
            thinks="enable_thinking" in template or "<think>" in template,
            vocabulary=models.data[0].meta.n_vocab,
        )

    async def count(self, body: JsonObject) -> int:
        """The prompt tokens of a chat or of a bare prompt, exactly. Takes no slot, and refuses what cannot be answered.

        Raises:
            RixinError: `INVALID_REQUEST` with the library's words.
        """
        if "prompt" in body:
            question = msgspec.json.encode({"content": body["prompt"], "add_special": True, "parse_special": True})
            return len((await self._listener.ask("POST", "/tokenize", question, _Tokens)).tokens)
        data = msgspec.json.encode(body)
        return (await self._listener.ask("POST", "/v1/chat/completions/input_tokens", data, _InputTokens)).input_tokens

    async def stream(self, body: JsonObject) -> AsyncGenerator[list[Chunk], None]:
        """Answers. Closing the iterator frees the slot, and returns when that is done.

        An empty list says that the library is at work for others: it reads one prompt after the other, so that a
        request may hear nothing of its own for as long as all those before it take.

        Raises:
            RixinError: `INVALID_REQUEST` or `CONTEXT_OVERFLOW` for what the library refuses, `INTERNAL` where it fails.
        """
        whole: JsonObject = {**body, "stream": True, "return_progress": True, "stream_options": {"include_usage": True}}
        handle = self._server.handle_completions if "prompt" in body else self._server.handle_chat_completions
        run = Run(handle, msgspec.json.encode(whole), self._pulse)
        self._threads.submit(run)
        try:
            while (received := await run.receive()) is not None:
                yield [_checked(chunk) for chunk in received]
        finally:
            await run.leave()

    def close(self) -> None:
        """Forgets the model."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._socket.unlink(missing_ok=True)


def _checked(chunk: Chunk) -> Chunk:
    if chunk.error is not None:
        raise refusal(chunk.error)
    return chunk


def _parameters(config: ChildConfig, header: GgufHeader, window: int, pool: int) -> xllamacpp.CommonParams:
    params = xllamacpp.CommonParams()
    params.model.path = str(config.path)
    if config.mmproj is not None:
        params.mmproj.path = str(config.mmproj)
    if config.chat_template is not None:
        params.chat_template = config.chat_template
    params.n_ctx = pool
    params.kv_unified = True
    params.kv_unified_per_slot = window
    params.n_parallel = config.slots
    batch = next((batch for size, batch in _BATCHES if header.size <= size), _SMALLEST_BATCH)
    params.n_batch = params.n_ubatch = batch
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = config.threads or -1
    params.cache_ram_mib = prompt_cache(header, pool)
    # Fitting a model to its devices loads it once more to see what it takes: half a second here, for nothing.
    params.fit_params = any(device["type"] != _CPU for device in xllamacpp.get_device_info())
    params.verbosity = 3 if config.log_level == "debug" else 1
    params.cors_origins = "http://127.0.0.1"
    params.ui = False
    params.endpoint_slots = False
    return params


def prompt_cache(header: GgufHeader, pool: int) -> int:
    """MiB of memory for the states of earlier conversations.

    A conversation leaves its slot when another request begins, and is read again from its first token unless it finds
    room here: the longest that there can be does, with a tenth for what is stored beside its keys and values.
    """
    return max(_PROMPT_CACHE, pool * token_size(header) * 11 // 10 // 2**20 + 1)


def model_files(config: ChildConfig) -> tuple[Path, ...]:
    """The files that are loaded."""
    return (config.path,) if config.mmproj is None else (config.path, config.mmproj)
