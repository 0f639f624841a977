"""The control protocol between real ends on a real socket."""

import asyncio
import contextlib
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from rixin.engines.control import ControlClient, ControlServer
from rixin.engines.control_messages import (
    Done,
    Ensure,
    EnsuredModel,
    ListModels,
    LoadModel,
    ModelChanged,
    ModelGone,
    Models,
    ModelStatus,
    Notice,
    Release,
    UnloadModel,
)
from rixin.errors import Kind, RixinError
from tests.support.hang import HANG


def ensured(model: str, generation: int = 1) -> EnsuredModel:
    """A model on its nth process."""
    return EnsuredModel(
        model=model, socket=f"/run/{model}-{generation}.sock", context_length=4096, pool=8192, max_output_length=1024
    )


class Backstage:
    """What stands behind the server: it notes calls and answers when the gate is open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.calls: list[Ensure | Release | LoadModel | UnloadModel | ListModels] = []
        self.left: list[int] = []
        self.somebody_left = asyncio.Event()
        self.leases: set[tuple[int, int]] = set()
        self.gate = asyncio.Event()
        self.gate.set()
        self.changed = asyncio.Condition()
        self.generation = 1
        self.server = self.make()

    def make(self) -> ControlServer:
        """A server on the path."""
        return ControlServer(
            self.path,
            {
                Ensure: self.ensure,
                Release: self.release,
                LoadModel: self.load,
                UnloadModel: self.load,
                ListModels: self.list,
            },
            greet=lambda: [ModelChanged(self.status("a"))],
            on_leave=self.leave,
        )

    def status(self, model: str) -> ModelStatus:
        """A model's state."""
        return ModelStatus(model=model, state="ready", progress=0.5)

    def leave(self, peer: int) -> None:
        """Notes that a peer has gone."""
        self.left.append(peer)
        self.somebody_left.set()
        self.leases = {(holder, number) for holder, number in self.leases if holder != peer}

    async def note(self, call: Ensure | Release | LoadModel | UnloadModel | ListModels) -> None:
        """Notes a call and wakes who waits for it."""
        async with self.changed:
            self.calls.append(call)
            self.changed.notify_all()

    async def until(self, count: int) -> None:
        """Waits for so many calls."""
        async with asyncio.timeout(HANG), self.changed:
            await self.changed.wait_for(lambda: len(self.calls) >= count)

    async def ensure(self, peer: int, request: Ensure) -> EnsuredModel:
        """Answers by the model's name."""
        if request.lease is not None:
            self.leases.add((peer, request.lease))
        await self.note(request)
        await self.gate.wait()
        if request.model == "missing":
            raise RixinError(Kind.STARTING, "still pulling", retry_after=7.5, detail="40 %", param="model")
        if request.model == "bug":
            raise ZeroDivisionError
        return ensured(request.model, self.generation)

    async def release(self, peer: int, request: Release) -> Done:
        """Gives back a lease."""
        self.leases.discard((peer, request.lease))
        await self.note(request)
        return Done()

    async def load(self, _: int, request: LoadModel | UnloadModel) -> ModelStatus:
        """Answers with the state."""
        await self.note(request)
        return self.status(request.model)

    async def list(self, _: int, request: ListModels) -> Models:
        """Answers with all states."""
        await self.note(request)
        return Models([self.status("a"), self.status("b")])


@pytest.fixture
def path() -> Iterator[Path]:
    """A path short enough for a socket on any system."""
    with tempfile.TemporaryDirectory(prefix="rixin-", dir="/tmp") as directory:
        yield Path(directory) / "c.sock"


@pytest.fixture
async def models(path: Path) -> AsyncIterator[Backstage]:
    """A running server."""
    models = Backstage(path)
    await models.server.start()
    yield models
    await models.server.aclose()


@pytest.fixture
async def client(models: Backstage) -> AsyncIterator[ControlClient]:
    """A client of that server."""
    client = ControlClient(models.path)
    yield client
    await client.aclose()


async def told(client: ControlClient, model: str, state: str) -> None:
    """Waits until the client knows a model's state, by asking for something else."""
    async with asyncio.timeout(HANG):
        while model not in client.models or client.models[model].state != state:
            await client.list_models()


async def test_socket_is_for_this_user_only(models: Backstage) -> None:
    """The socket has mode 0600."""
    assert models.path.stat().st_mode & 0o777 == 0o600


async def test_every_request_gets_its_reply(client: ControlClient) -> None:
    """Each of the client's methods returns what its handler answered."""
    assert await client.ensure("a") == ensured("a")
    assert (await client.load("a")).model == "a"
    assert (await client.unload("b")).model == "b"
    assert [status.model for status in await client.list_models()] == ["a", "b"]


async def test_connecting_tells_all_states(client: ControlClient) -> None:
    """After `connect` the client knows the states with which the server greets."""
    await client.connect()
    assert client.models["a"].progress == 0.5


async def test_concurrent_requests_share_the_connection(models: Backstage, client: ControlClient) -> None:
    """A slow request does not hold up a quick one, and each gets its own reply."""
    models.gate.clear()
    slow = [asyncio.create_task(client.ensure(name)) for name in "abc"]
    await models.until(3)
    assert (await client.load("quick")).model == "quick"
    models.gate.set()
    assert [(await task).model for task in slow] == ["a", "b", "c"]
    await client.aclose()
    await asyncio.wait_for(models.somebody_left.wait(), HANG)
    assert models.left == [1]


async def test_errors_travel_whole(client: ControlClient) -> None:
    """A handler's error arrives with kind, message, seconds, detail and parameter."""
    with pytest.raises(RixinError, match="still pulling") as caught:
        await client.ensure("missing")
    error = caught.value
    assert (error.kind, error.retry_after, error.detail, error.param) == (Kind.STARTING, 7.5, "40 %", "model")


async def test_bug_in_a_handler_is_an_answer(client: ControlClient) -> None:
    """A handler that breaks gives INTERNAL to its caller and is reported to the loop; the connection lives on."""
    reports: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reports.append(context))
    with pytest.raises(RixinError) as caught:
        await client.ensure("bug")
    assert caught.value.kind is Kind.INTERNAL
    assert [type(report["exception"]) for report in reports] == [ZeroDivisionError]
    assert await client.ensure("a")


async def test_ensured_model_is_remembered_until_it_goes(models: Backstage, client: ControlClient) -> None:
    """`ensure` asks once, and again after the notice that the model has gone."""
    assert await client.ensure("a") == await client.ensure("a")
    assert models.calls == [Ensure("a")]
    models.generation = 2
    models.server.push(ModelGone("a"))
    await client.list_models()
    assert await client.ensure("a") == ensured("a", 2)


async def test_the_end_of_a_model_can_be_waited_for(models: Backstage, client: ControlClient) -> None:
    """Who found nobody listening goes on with the notice, or at once where it has come, or at the deadline."""
    await client.gone("a", HANG)
    await client.ensure("a")
    await client.gone("a", 0.01)
    waiting = asyncio.create_task(client.gone("a", HANG))
    await client.list_models()
    assert not waiting.done()
    models.server.push(ModelGone("a"))
    await waiting
    await client.gone("a", HANG)


async def test_notices_reach_every_client(models: Backstage, client: ControlClient) -> None:
    """A pushed change is seen by all clients, in `models` and by the callback."""
    seen: list[Notice] = []
    other = ControlClient(models.path, on_notice=seen.append)
    await client.connect()
    await other.connect()
    change = ModelChanged(ModelStatus(model="b", state="pulling", progress=0.25))
    models.server.push(change)
    await told(client, "b", "pulling")
    await told(other, "b", "pulling")
    assert change in seen
    await other.aclose()


async def test_users_share_one_lease(models: Backstage, client: ControlClient) -> None:
    """Users at the same time hold one lease, given back by the last of them."""
    async with client.lease("a") as first, client.lease("a") as second:
        assert first == second == ensured("a")
        assert len(models.leases) == 1
    await models.until(2)
    assert models.leases == set()
    assert [type(call) for call in models.calls] == [Ensure, Release]


async def test_lease_after_the_model_went_is_a_new_one(models: Backstage, client: ControlClient) -> None:
    """Whoever comes after a model's exit leases its next process, while earlier users keep what they have."""
    async with client.lease("a") as old:
        models.generation = 2
        models.server.push(ModelGone("a"))
        await client.list_models()
        async with client.lease("a") as new:
            assert (old, new) == (ensured("a", 1), ensured("a", 2))


async def test_failed_lease_is_not_kept(models: Backstage, client: ControlClient) -> None:
    """All who wait for a lease get its error, and the next user asks anew."""

    async def use() -> None:
        async with client.lease("missing"):
            pass

    results = await asyncio.gather(use(), use(), return_exceptions=True)
    assert [type(result) for result in results] == [RixinError, RixinError]
    with pytest.raises(RixinError, match="still pulling"):
        await use()
    assert [type(call) for call in models.calls].count(Ensure) == 2


async def test_cancelled_user_gives_its_lease_back(models: Backstage, client: ControlClient) -> None:
    """A user that gives up before the model is ready leaves no lease behind."""
    models.gate.clear()

    async def use() -> None:
        async with client.lease("a"):
            pass

    user = asyncio.create_task(use())
    await models.until(1)
    user.cancel()
    await asyncio.wait({user})
    models.gate.set()
    await client.list_models()
    assert models.leases == set()


async def test_end_of_a_client_ends_its_leases(models: Backstage, client: ControlClient) -> None:
    """The server is told when a peer that held leases has gone."""
    async with client.lease("a"):
        await client.aclose()
        await asyncio.wait_for(models.somebody_left.wait(), HANG)
        assert models.leases == set()


async def test_client_reconnects_once(models: Backstage, client: ControlClient) -> None:
    """After a restart of the server the next call finds it, without trusting what was remembered."""
    await client.ensure("a")
    await models.server.aclose()
    models.server = models.make()
    models.generation = 2
    await models.server.start()
    assert (await client.load("b")).model == "b"
    assert await client.ensure("a") == ensured("a", 2)


async def test_unreachable_supervisor_is_an_overload(path: Path) -> None:
    """Without a server the error says that trying again makes sense."""
    with pytest.raises(RixinError) as caught:
        await ControlClient(path).ensure("a")
    assert caught.value.kind is Kind.OVERLOADED
    assert caught.value.retry_after == 1.0


async def test_server_that_goes_fails_the_callers(models: Backstage, client: ControlClient) -> None:
    """Callers that wait while the server closes get an error instead of a hang."""
    models.gate.clear()
    caller = asyncio.create_task(client.ensure("a"))
    await models.until(1)
    await models.server.aclose()
    with pytest.raises(RixinError) as caught:
        await asyncio.wait_for(caller, HANG)
    assert caught.value.kind is Kind.OVERLOADED


@pytest.mark.parametrize("line", [b"nonsense\n", b'{"request":{"type":"reboot"},"id":1}\n', b"x" * (2 << 20)])
async def test_peer_without_manners_is_cut_off(models: Backstage, client: ControlClient, line: bytes) -> None:
    """Bytes that are no request end their connection and no other."""
    reader, writer = await asyncio.open_unix_connection(models.path)
    writer.write(line)
    assert msgspec.json.decode(await reader.readline())["type"] == "push"
    with contextlib.suppress(ConnectionResetError):  # what the server left unread comes back as a reset
        assert await asyncio.wait_for(reader.read(), HANG) == b""
    writer.close()
    assert await client.ensure("a")


async def test_peer_that_does_not_read_is_cut_off(models: Backstage, client: ControlClient) -> None:
    """A peer that leaves everything unread loses its connection instead of filling the memory."""
    await client.connect()
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.connect(str(models.path))
        await client.list_models()
        change = ModelChanged(ModelStatus(model="b", state="failed", message="x" * 100_000))
        async with asyncio.timeout(HANG):
            while not models.left:
                models.server.push(change)
                await client.list_models()
        assert models.left == [2]
