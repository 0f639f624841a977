"""The engine for local models, between a real control socket and a scripted engine child on a Unix socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest

from rixin.core.cards import ModelCard
from rixin.core.requests import Generate
from rixin.core.responses import collect
from rixin.dialects.openai_chat import DIALECT
from rixin.engines.base import Batch, Counts, Lists, Load, Reports, Sign
from rixin.engines.child_protocol import encode_sign
from rixin.engines.control import (
    ControlClient,
    ControlServer,
    Done,
    Ensure,
    EnsuredModel,
    ListModels,
    ModelGone,
    Models,
    ModelStatus,
    Release,
)
from rixin.engines.llama_cpp import LlamaCpp
from rixin.errors import Kind, RixinError
from rixin.settings import Engine as EngineSettings
from tests.engines.chat import chat, streaming
from tests.support.hang import HANG
from tests.upstreams.scripted import (
    DONE,
    Cut,
    Delay,
    Reply,
    Request,
    ScriptedUpstream,
    Stall,
    answer,
    completion_events,
    event,
    stream,
)

LOCAL = ModelCard(name="local", target="local", provider="local")
assert DIALECT.upstream is not None
UPSTREAM = DIALECT.upstream
WHOLE = stream([*completion_events(model="local"), DONE])


class Supervisor:
    """The supervisor's end of a control socket, for one model whose socket a test moves about."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "engine-1.sock"
        self.ensured = 0
        self.held: set[int] = set()
        self.state = "ready"
        self.failure: RixinError | None = None
        self._server = ControlServer(
            folder / "control.sock",
            {Ensure: self._ensure, Release: self._release, ListModels: self._list},
            greet=list,
        )
        self.client = ControlClient(folder / "control.sock")
        self.engine = LlamaCpp("local", self.client, UPSTREAM, EngineSettings())

    async def start(self) -> None:
        """Begins to listen."""
        await self._server.start()

    async def aclose(self) -> None:
        """Ends both ends."""
        await self.engine.aclose()
        await self.client.aclose()
        await self._server.aclose()

    def move(self, socket: Path) -> None:
        """The child was restarted: what clients knew of the old one is void."""
        self.socket = socket
        self._server.push(ModelGone("local"))

    async def _ensure(self, _peer: int, request: Ensure) -> EnsuredModel:
        self.ensured += 1
        if self.failure is not None:
            raise self.failure
        if request.lease is not None:
            self.held.add(request.lease)
        return EnsuredModel(
            model="local", socket=str(self.socket), context_length=4096, pool=4096, max_output_length=512
        )

    async def _release(self, _peer: int, request: Release) -> Done:
        self.held.discard(request.lease)
        return Done()

    async def _list(self, _peer: int, _request: ListModels) -> Models:
        return Models([ModelStatus(model="local", state=self.state)])


@pytest.fixture
async def supervisor(tmp_path: Path) -> AsyncIterator[Supervisor]:
    """A supervisor that listens."""
    supervisor = Supervisor(tmp_path)
    await supervisor.start()
    yield supervisor
    await supervisor.aclose()


async def batches_of(engine: LlamaCpp, request: Generate) -> list[Batch]:
    """All batches of an answer."""
    async with asyncio.timeout(HANG), aclosing(engine.stream(request)) as batches:
        return [batch async for batch in batches]


def text_of(batches: list[Batch]) -> str:
    """The words of an answer."""
    return collect(event for batch in batches for event in batch.events).choices[0].text


async def test_a_request_goes_to_the_child_that_has_the_model(supervisor: Supervisor):
    """The child gets a Chat Completions request over its socket, and its stream becomes events, never raw bytes."""
    async with ScriptedUpstream(WHOLE, socket=supervisor.socket) as child:
        request = msgspec.structs.replace(streaming(LOCAL), fairness_key="account-1")
        batches = await batches_of(supervisor.engine, request)
    assert text_of(batches) == "Paris 巴黎"
    assert all(batch.raw is None for batch in batches)
    assert child.requests[0].path == "/v1/chat/completions"
    assert child.requests[0].headers["x-rixin-key"] == "account-1"
    assert child.requests[0].json["stream"] is True


async def test_who_asks_is_not_told_where_nobody_is_known(supervisor: Supervisor):
    """Without a fairness key no header is made up."""
    async with ScriptedUpstream(WHOLE, socket=supervisor.socket) as child:
        await batches_of(supervisor.engine, chat(LOCAL))
    assert "x-rixin-key" not in child.requests[0].headers


async def test_the_model_is_held_while_it_answers(supervisor: Supervisor):
    """A lease keeps the model loaded from the request to the end of its answer, also when the client leaves."""
    engine = supervisor.engine
    async with ScriptedUpstream(stream(completion_events()[:2], end=Stall()), socket=supervisor.socket) as child:
        async with aclosing(engine.stream(streaming(LOCAL))) as batches:
            async for batch in batches:
                if batch.events:
                    break
            assert len(supervisor.held) == 1
        await asyncio.wait_for(child.left.wait(), HANG)
        await supervisor.client.list_models()  # the release was sent before it
        assert not supervisor.held


async def test_comments_are_signs_of_life(supervisor: Supervisor):
    """Progress on the prompt, told by comments, gives batches without events."""
    signs = [Sign(queued=0.5), Sign(queued=0.75, read=0.5)]
    pieces = [*(piece for sign in signs for piece in (encode_sign(sign), Delay(0.02))), *completion_events(), DONE]
    async with ScriptedUpstream(stream(pieces), socket=supervisor.socket):
        batches = await batches_of(supervisor.engine, streaming(LOCAL))
    assert [(batch.events, batch.sign) for batch in batches[:2]] == [([], sign) for sign in signs]
    assert text_of(batches) == "Paris 巴黎"


async def test_a_child_that_dies_in_mid_stream_interrupts(supervisor: Supervisor):
    """A connection that breaks is never an end, and nothing is asked again."""
    async with ScriptedUpstream(stream(completion_events()[:2], end=Cut()), socket=supervisor.socket) as child:
        with pytest.raises(RixinError) as caught:
            await batches_of(supervisor.engine, streaming(LOCAL))
    assert caught.value.kind is Kind.UPSTREAM_INTERRUPTED
    assert len(child.requests) == 1


async def test_a_child_that_is_gone_is_ensured_once_more(supervisor: Supervisor, tmp_path: Path):
    """A refused connection asks the supervisor again, and the answer comes from where the model is by then."""
    engine = supervisor.engine
    async with ScriptedUpstream(WHOLE, socket=supervisor.socket):
        await batches_of(engine, streaming(LOCAL))
    async with ScriptedUpstream(WHOLE, socket=tmp_path / "engine-2.sock"):
        supervisor.move(tmp_path / "engine-2.sock")
        assert text_of(await batches_of(engine, streaming(LOCAL))) == "Paris 巴黎"


async def test_a_child_that_stays_gone_is_unreachable(supervisor: Supervisor):
    """After the second refusal the error is told, without the socket's path."""
    with pytest.raises(RixinError) as caught:
        await batches_of(supervisor.engine, streaming(LOCAL))
    assert caught.value.kind is Kind.UPSTREAM_UNREACHABLE
    assert caught.value.message == "The embedded engine could not be reached."
    assert supervisor.ensured == 2


async def test_a_model_that_cannot_be_loaded_says_why(supervisor: Supervisor):
    """The supervisor's own error reaches the caller, with its time to come back."""
    supervisor.failure = RixinError(Kind.STARTING, "the model is being pulled", retry_after=3)
    for attempt in (supervisor.engine.ready(), batches_of(supervisor.engine, chat(LOCAL))):
        with pytest.raises(RixinError) as caught:
            await attempt
        assert (caught.value.kind, caught.value.retry_after) == (Kind.STARTING, 3)


async def test_ready_loads_the_model(supervisor: Supervisor):
    """Making ready ensures the model."""
    await supervisor.engine.ready()
    assert supervisor.ensured == 1


STOPPING = {"message": "stopping", "type": "shutting_down", "code": "shutting_down"}
ERRORS: list[tuple[int, dict[str, object], RixinError]] = [
    (
        400,
        {"message": "too long", "code": "context_overflow", "limit": 4096, "requested": 5000},
        RixinError(Kind.CONTEXT_OVERFLOW, "too long", limit=4096, requested=5000),
    ),
    (
        429,
        {"message": "the queue is full", "code": "queue_full", "retry_after": 2},
        RixinError(Kind.QUEUE_FULL, "the queue is full", retry_after=2),
    ),
    (
        400,
        {"message": "no such role", "code": "invalid_request", "param": "messages[0].role"},
        RixinError(Kind.INVALID_REQUEST, "no such role", param="messages[0].role"),
    ),
]


@pytest.mark.parametrize(("status", "body", "expected"), ERRORS)
async def test_the_childs_errors_are_ours(
    supervisor: Supervisor, status: int, body: dict[str, object], expected: RixinError
):
    """An error of the child arrives as it was raised there."""
    reply = answer(json.dumps({"error": {"type": body["code"], **body}}), status=status)
    async with ScriptedUpstream(reply, socket=supervisor.socket):
        with pytest.raises(RixinError) as caught:
            await batches_of(supervisor.engine, chat(LOCAL))
    assert vars(caught.value) == vars(expected)
    assert str(caught.value) == str(expected)


async def test_the_childs_error_in_mid_stream_is_ours_too(supervisor: Supervisor):
    """An error event of the child keeps its kind."""
    pieces = [*completion_events()[:2], event({"error": STOPPING}), DONE]
    async with ScriptedUpstream(stream(pieces), socket=supervisor.socket):
        with pytest.raises(RixinError, match="stopping") as caught:
            await batches_of(supervisor.engine, streaming(LOCAL))
    assert caught.value.kind is Kind.SHUTTING_DOWN


async def test_prompts_are_counted_by_the_child(supervisor: Supervisor):
    """`count` asks the child what it would be asked to generate."""
    async with ScriptedUpstream(answer('{"prompt_tokens": 12}'), socket=supervisor.socket) as child:
        assert await supervisor.engine.count(chat(LOCAL)) == 12
    assert child.requests[0].path == "/v1/count"
    assert child.requests[0].json["messages"][0]["content"] == "The capital of France?"


@pytest.mark.parametrize("body", ["12", "{}", "<html>", ""])
async def test_an_answer_of_the_wrong_form_is_an_error(supervisor: Supervisor, body: str):
    """A count that is none is the child's fault."""
    async with ScriptedUpstream(answer(body), socket=supervisor.socket):
        with pytest.raises(RixinError) as caught:
            await supervisor.engine.count(chat(LOCAL))
    assert caught.value.kind is Kind.UPSTREAM_INVALID


async def test_load_is_the_childs(supervisor: Supervisor):
    """`load` tells what the child does now; a model that is not loaded does nothing, and stays so."""
    engine = supervisor.engine
    assert await engine.load() == Load(running=0, waiting=0, slots=0)
    assert supervisor.ensured == 0

    def load(_request: Request) -> Reply:
        return answer('{"running": 2, "waiting": 1, "slots": 4}')

    supervisor.client.models["local"] = ModelStatus(model="local", state="ready")
    async with ScriptedUpstream(load, socket=supervisor.socket) as child:
        assert await engine.load() == Load(running=2, waiting=1, slots=4)
    assert (child.requests[0].method, child.requests[0].path) == ("GET", "/v1/load")


def test_what_it_can_do_is_told_by_its_protocols(tmp_path: Path):
    """It counts and reports, and lists nothing."""
    engine = Supervisor(tmp_path).engine
    assert isinstance(engine, Counts)
    assert isinstance(engine, Reports)
    assert not isinstance(engine, Lists)
    assert engine.name == "local/local"
