"""The two ends of the control protocol: the supervisor's server, and the client in each web worker."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeAlias, TypeVar

import msgspec

from rixin.engines.control_messages import (
    Answer,
    Call,
    Done,
    Ensure,
    EnsuredModel,
    Failure,
    ListModels,
    LoadModel,
    ModelChanged,
    ModelGone,
    Models,
    ModelStatus,
    Notice,
    Push,
    Release,
    Reply,
    Request,
    UnloadModel,
)
from rixin.errors import Kind, RixinError

__all__ = [
    "ControlClient",
    "ControlServer",
    "Done",
    "Ensure",
    "EnsuredModel",
    "ListModels",
    "LoadModel",
    "ModelChanged",
    "ModelGone",
    "ModelStatus",
    "Models",
    "Notice",
    "Release",
    "UnloadModel",
]

Handler: TypeAlias = Callable[..., Awaitable[Reply]]
"""Called with the peer's number and the request."""

_MAX_LINE = 1 << 20
_MAX_UNREAD = 1 << 20
"""Bytes that a peer may leave unread before it is cut off: it has hung, and the news it misses would be stale."""
_encode = msgspec.json.Encoder().encode
_decode_call = msgspec.json.Decoder(Call).decode
_decode_frame = msgspec.json.Decoder(Answer | Push).decode


class ControlServer:
    """The supervisor's end.

    Args:
        path: Where the socket is made, with mode 0600; what is left there of an earlier one is removed.
        handlers: Who answers which request. Errors they raise travel to the caller.
        greet: The notices with which a new connection begins.
        on_leave: Told the number of a peer whose connection has ended.
    """

    def __init__(
        self,
        path: Path,
        handlers: Mapping[type[Request], Handler],
        *,
        greet: Callable[[], list[Notice]] = list,
        on_leave: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._path = path
        self._handlers = handlers
        self._greet = greet
        self._on_leave = on_leave
        self._numbers = itertools.count(1)
        self._peers: dict[int, asyncio.StreamWriter] = {}
        self._talks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begins to listen."""
        self._server = await asyncio.start_unix_server(self._accept, self._path, limit=_MAX_LINE)
        self._path.chmod(0o600)

    def push(self, notice: Notice) -> None:
        """Tells every client."""
        frame = _encode(Push(notice)) + b"\n"
        for writer in list(self._peers.values()):
            self._write(writer, frame)

    async def aclose(self) -> None:
        """Ends all connections and removes the socket."""
        if self._server:
            self._server.close()
        for talk in self._talks:
            talk.cancel()
        if self._talks:
            await asyncio.wait(self._talks)
        self._path.unlink(missing_ok=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk  # noqa: S101 - a coroutine runs in a task
        self._talks.add(talk)
        number = next(self._numbers)
        self._peers[number] = writer
        for notice in self._greet():
            self._write(writer, _encode(Push(notice)) + b"\n")
        work: set[asyncio.Task[None]] = set()
        try:
            while line := await reader.readline():
                call = _decode_call(line)
                task = asyncio.ensure_future(self._handle(number, writer, call))
                work.add(task)
                task.add_done_callback(work.discard)
                task.add_done_callback(lambda task, call=call: self._report(writer, call, task))
        except (OSError, ValueError, msgspec.DecodeError, asyncio.CancelledError):
            pass  # a peer that went away or does not speak our language, or the end of this server
        finally:
            del self._peers[number]
            for task in list(work):
                task.cancel()
            self._talks.discard(talk)
            writer.close()
            self._on_leave(number)

    async def _handle(self, number: int, writer: asyncio.StreamWriter, call: Call) -> None:
        try:
            reply = await self._handlers[type(call.request)](number, call.request)
        except RixinError as error:
            reply = Failure.of(error)
        # Nothing is awaited between the handler's last look at the model and this: no news can overtake the reply.
        self._answer(writer, call, reply)

    def _report(self, writer: asyncio.StreamWriter, call: Call, task: "asyncio.Task[None]") -> None:
        """Answers a call whose handler has a bug, so that nobody waits for it."""
        if not task.cancelled() and (error := task.exception()):
            asyncio.get_running_loop().call_exception_handler({"message": "a control call failed", "exception": error})
            self._answer(
                writer, call, Failure(Kind.INTERNAL, "the supervisor failed to answer", detail=type(error).__name__)
            )

    def _answer(self, writer: asyncio.StreamWriter, call: Call, reply: Reply) -> None:
        if call.id is not None:
            self._write(writer, _encode(Answer(call.id, reply)) + b"\n")

    def _write(self, writer: asyncio.StreamWriter, frame: bytes) -> None:
        if writer.is_closing():
            return
        writer.write(frame)
        if writer.transport.get_write_buffer_size() > _MAX_UNREAD:
            writer.transport.abort()


T = TypeVar("T")


class _Lease:
    """One model kept loaded for any number of users in this program."""

    def __init__(self, number: int, ensured: "asyncio.Task[EnsuredModel]") -> None:
        self.number = number
        self.ensured = ensured
        self.users = 0


class ControlClient:
    """A program's end: one connection, opened by the first call and again when it was lost.

    Args:
        path: The supervisor's socket.
        on_notice: Told of every notice, after `models` has been brought up to date.
    """

    def __init__(self, path: Path | str, *, on_notice: Callable[[Notice], None] = lambda _: None) -> None:
        self.models: dict[str, ModelStatus] = {}
        """Every local model as it last was told; filled once connected."""
        self._path = path
        self._on_notice = on_notice
        self._numbers = itertools.count(1)
        self._ensured: dict[str, EnsuredModel] = {}
        self._leases: dict[str, _Lease] = {}
        self._awaited: dict[str, asyncio.Event] = {}
        self._connection: _Connection | None = None
        self._connecting = asyncio.Lock()

    async def connect(self) -> None:
        """Connects, and learns all models' states."""
        await self.list_models()

    async def ensure(self, model: str) -> EnsuredModel:
        """A model that is ready; loaded first where need be, remembered until it goes.

        The model may be unloaded for another one's sake at any time: whoever sends it a request holds a `lease`.

        Raises:
            RixinError: `STARTING` while the model is being pulled, `OVERLOADED` where it cannot be loaded now or the
                supervisor cannot be reached, `MODEL_NOT_FOUND`, `CONFIGURATION`.
        """
        return self._ensured.get(model) or await self._ask(Ensure(model), EnsuredModel)

    @contextlib.asynccontextmanager
    async def lease(self, model: str) -> AsyncGenerator[EnsuredModel, None]:
        """A model that is ready and stays loaded while the context lasts; users at the same time share one lease.

        Raises:
            RixinError: As `ensure`.
        """
        lease = self._leases.get(model)
        if lease is None:
            number = next(self._numbers)
            lease = _Lease(number, asyncio.ensure_future(self._ask(Ensure(model, number), EnsuredModel)))
            lease.ensured.add_done_callback(lambda ensured: self._forget_failed(model, ensured))
            self._leases[model] = lease
        lease.users += 1
        try:
            yield await asyncio.shield(lease.ensured)
        finally:
            lease.users -= 1
            if not lease.users:
                if self._leases.get(model) is lease:
                    del self._leases[model]
                lease.ensured.cancel()
                if self._connection:
                    self._connection.send(Call(Release(lease.number)))

    async def gone(self, model: str, deadline: float) -> None:
        """Waits until the supervisor has noticed that a model's engine is no more, at most for `deadline` seconds.

        Who finds that nobody listens any more may be quicker than the news of it.
        """
        if model in self._ensured:
            news = self._awaited.setdefault(model, asyncio.Event())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(deadline):
                    await news.wait()

    async def load(self, model: str) -> ModelStatus:
        """Begins to load a model."""
        return await self._ask(LoadModel(model), ModelStatus)

    async def unload(self, model: str) -> ModelStatus:
        """Unloads a model, also under its users."""
        return await self._ask(UnloadModel(model), ModelStatus)

    async def list_models(self) -> list[ModelStatus]:
        """All local models."""
        return (await self._ask(ListModels(), Models)).models

    async def aclose(self) -> None:
        """Ends the connection."""
        if self._connection:
            await self._connection.aclose()

    async def _ask(self, request: Request, expected: type[T]) -> T:
        for last_try in (False, True):
            try:
                connection = await self._connected()
                reply = await connection.ask(next(self._numbers), request)
            except OSError as error:
                if last_try:
                    raise RixinError(
                        Kind.OVERLOADED, "the local models cannot be reached", retry_after=1.0, detail=str(error)
                    ) from None
                continue
            if isinstance(reply, Failure):
                raise reply.error()
            if isinstance(reply, expected):
                return reply
            break
        raise RixinError(Kind.INTERNAL, "the supervisor gave an answer of the wrong kind")

    async def _connected(self) -> "_Connection":
        async with self._connecting:
            if self._connection is None or self._connection.lost:
                reader, writer = await asyncio.open_unix_connection(self._path, limit=_MAX_LINE)
                self._connection = _Connection(reader, writer, self._heard, self._forget)
            return self._connection

    def _heard(self, frame: Answer | Push) -> None:
        """Takes a frame in the order of the wire."""
        if isinstance(frame, Answer):
            if isinstance(frame.reply, EnsuredModel):
                self._ensured[frame.reply.model] = frame.reply
            return
        match frame.notice:
            case ModelGone(model=model):
                self._ensured.pop(model, None)
                self._leases.pop(model, None)
                if news := self._awaited.pop(model, None):
                    news.set()
            case ModelChanged(status=status):
                self.models[status.model] = status
        self._on_notice(frame.notice)

    def _forget(self) -> None:
        """What was remembered may change unseen now, and the leases have ended with the connection."""
        self._ensured.clear()
        self._leases.clear()
        while self._awaited:
            self._awaited.popitem()[1].set()

    def _forget_failed(self, model: str, ensured: "asyncio.Future[EnsuredModel]") -> None:
        lease = self._leases.get(model)
        if (ensured.cancelled() or ensured.exception()) and lease and lease.ensured is ensured:
            del self._leases[model]


class _Connection:
    """One connection, until it is lost."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        heard: Callable[[Answer | Push], None],
        on_loss: Callable[[], None],
    ) -> None:
        self.lost = False
        self._writer = writer
        self._heard = heard
        self._on_loss = on_loss
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._listener = asyncio.ensure_future(self._listen(reader))

    async def ask(self, number: int, request: Request) -> Reply:
        """Sends a request and waits for its reply. Raises ConnectionError when the connection is lost before that."""
        if self.lost:
            raise ConnectionResetError("the connection was lost")
        reply = asyncio.get_running_loop().create_future()
        self._waiting[number] = reply
        try:
            self.send(Call(request, number))
            return await reply
        finally:
            del self._waiting[number]

    def send(self, call: Call) -> None:
        """Sends what needs no reply; to nobody, once the connection is lost."""
        if not self.lost:
            self._writer.write(_encode(call) + b"\n")

    async def aclose(self) -> None:
        """Ends the connection."""
        self._listener.cancel()
        await asyncio.wait({self._listener})

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                frame = _decode_frame(line)
                self._heard(frame)
                if isinstance(frame, Answer) and (waiting := self._waiting.get(frame.id)) and not waiting.done():
                    waiting.set_result(frame.reply)
        except (OSError, ValueError, msgspec.DecodeError):
            pass  # broken, which is the same as ended
        finally:
            self.lost = True
            self._on_loss()
            self._writer.close()
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(ConnectionResetError("the supervisor ended the connection"))
