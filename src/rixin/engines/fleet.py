"""The local models of one server: pulled, loaded on demand, kept within a memory budget, unloaded by least use."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import TypeAlias

from msgspec import structs

from rixin.clock import Clock
from rixin.engines.background_pull import BackgroundPull, Pull
from rixin.engines.control import Handler
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
    Request,
    UnloadModel,
)
from rixin.engines.embedder_protocol import MEMORY
from rixin.engines.fleet_model import FleetModel, told
from rixin.engines.gguf import read_header
from rixin.engines.launcher import Launcher, ReadyModel
from rixin.engines.memory import estimate_memory, machine_memory
from rixin.engines.process import ChildProcess, State
from rixin.engines.process_pipes import Program
from rixin.errors import Kind, RixinError
from rixin.settings import DEFAULT_OUTPUT, DEFAULT_WINDOW, EMBEDDER, LOCAL, LocalModel, Settings

Log: TypeAlias = Callable[[str, str], None]
"""Takes a line and who says it."""


_GRACE = 5.0
"""Seconds that an engine without work gets to end."""
_BUSY_RETRY = 5.0
"""Seconds after which a model in use may have become idle."""
_LONGEST_RETRY = 60.0


class Fleet:
    """The local models of a server.

    Args:
        settings: Names the models, the budget and the deadlines.
        pull: Fetches the default model's weights.
        launcher: How an engine is started.
        directory: Where the engines' sockets are made.
        clock: The time.
        log: Takes the engines' logs and what happens to them.
        push: Told of every change.

    Raises:
        RixinError: `CONFIGURATION` where the file of a configured model is missing.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        pull: Pull,
        launcher: Launcher,
        directory: Path,
        clock: Clock,
        log: Log,
        push: Callable[[Notice], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._launcher = launcher
        self._directory = directory
        self._clock = clock
        self._log = log
        self._push = push
        self._budget = settings.engine.memory_budget or machine_memory() * 3 // 4
        self._models = {model.name: model for model in self._all(settings, pull)}
        self._admission = asyncio.Lock()
        self._uses = 0
        self._tasks: set[asyncio.Task[object]] = set()

    def start(self) -> None:
        """Begins to load the models that are wanted from the start, whoever else answers."""
        alone = not self._settings.providers and len(self._settings.models) == 1
        for model in self._models.values():
            if model.spec.keep_loaded or (alone and not model.embeds):
                self._spawn(self._hold(model))

    def start_default(self) -> None:
        """Begins to pull and load the default model, where nothing else can answer."""
        if not self._settings.models:
            for model in self._models.values():
                if not model.embeds:
                    self._spawn(self._hold(model))

    def handlers(self) -> dict[type[Request], Handler]:
        """Who answers which request of the control protocol."""

        async def ensure(peer: int, request: Ensure) -> EnsuredModel:
            return await self.ensure(request.model, None if request.lease is None else (peer, request.lease))

        async def release(peer: int, request: Release) -> Done:
            self.release(peer, request.lease)
            return Done()

        async def load(_: int, request: LoadModel) -> ModelStatus:
            return self.load(request.model)

        async def unload(_: int, request: UnloadModel) -> ModelStatus:
            return await self.unload(request.model)

        async def models(_: int, __: ListModels) -> Models:
            return Models(self.statuses())

        return {Ensure: ensure, Release: release, LoadModel: load, UnloadModel: unload, ListModels: models}

    async def ensure(self, name: str, lease: tuple[int, int] | None = None) -> EnsuredModel:
        """A model that is ready, loaded first where need be.

        Args:
            name: The model's name.
            lease: Who needs it and which of their leases this is: the model stays loaded until `release` or `leave`.

        Raises:
            RixinError: `MODEL_NOT_FOUND`; `STARTING` with the progress while it is being pulled; `OVERLOADED` when no
                room can be made for it or it cannot be started; `CONFIGURATION` when its file is broken or it does
                not fit the budget even alone.
        """
        model = self._model(name)
        model.asking += 1
        self._touch(model)
        if lease:
            # Held from the start: its release may come before the model is ready, and must find it.
            model.leases.add(lease)
        try:
            path = await model.pull.require() if model.pull else model.spec.path
            child = await self._admit(model, path)
            ready = await child.ensure()
            model.failure = None
        except BaseException:
            if lease:
                model.leases.discard(lease)
            raise
        finally:
            model.asking -= 1
            self._rest(model)
        return EnsuredModel(
            model=name,
            socket=str(self._socket(model)),
            context_length=ready.context_length,
            pool=ready.pool,
            max_output_length=ready.max_output_length,
            slots=ready.slots,
            vision=ready.vision,
        )

    def release(self, peer: int, number: int) -> None:
        """Takes a lease back; an unknown one is none of ours any more."""
        self._release(lambda lease: lease == (peer, number))

    def leave(self, peer: int) -> None:
        """Takes back the leases of a peer that has gone."""
        self._release(lambda lease: lease[0] == peer)

    def load(self, name: str) -> ModelStatus:
        """Begins to load a model; its state tells how that goes on.

        Raises:
            RixinError: `MODEL_NOT_FOUND`.
        """
        model = self._model(name)
        model.asking += 1  # before the task begins, so that the answer tells of it

        async def load() -> None:
            try:
                await self._bring_up(model)
            finally:
                model.asking -= 1
                self._changed(model)

        self._spawn(load())
        return model.status()

    async def unload(self, name: str) -> ModelStatus:
        """Unloads a model, in use or not.

        Raises:
            RixinError: `MODEL_NOT_FOUND`.
        """
        model = self._model(name)
        model.unloads += 1
        if model.child:
            await model.child.stop(_GRACE)
        model.failure = None
        return model.status()

    def statuses(self) -> list[ModelStatus]:
        """All models."""
        return [model.status() for model in self._models.values()]

    def greeting(self) -> list[Notice]:
        """What a new client is told first."""
        return [ModelChanged(status) for status in self.statuses()]

    async def aclose(self, grace: float = _GRACE) -> None:
        """Ends all pulls and engines, these by SIGKILL after `grace` seconds."""
        for model in self._models.values():
            if model.resting:
                model.resting.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(model.pull.aclose() for model in self._models.values() if model.pull))
        await asyncio.gather(*(model.child.stop(grace) for model in self._models.values() if model.child))

    def kill(self) -> None:
        """Ends all engines at once; `aclose` still has to be awaited."""
        for model in self._models.values():
            if model.child:
                model.child.kill()

    async def _admit(self, model: FleetModel, path: Path) -> ChildProcess[ReadyModel]:
        """Makes room for a model and begins to start it, unless it is there."""
        if model.child and model.child.state in (State.STARTING, State.READY, State.BACKING_OFF):
            return model.child
        async with self._admission:
            child = model.child = model.child or await self._prepare(model, path)
            while child.state is State.STOPPING:
                await child.changed()
            needed = model.memory or 0
            if child.state is State.STOPPED or (child.state is State.FAILED and not child.retry_after):
                await self._make_room(model, needed)
                child.start()
            return child

    async def _make_room(self, model: FleetModel, needed: int) -> None:
        if needed > self._budget:
            raise RixinError(
                Kind.CONFIGURATION,
                f"the model `{model.name}` needs about {_gigabytes(needed)} of memory, the budget is "
                f"{_gigabytes(self._budget)} (engine.memory_budget)",
            )
        while sum(other.held_memory for other in self._models.values()) + needed > self._budget:
            idle = [other for other in self._models.values() if other.idle]
            if not idle:
                raise RixinError(
                    Kind.OVERLOADED,
                    f"there is no memory for the model `{model.name}` while other models are in use",
                    retry_after=_BUSY_RETRY,
                )
            least_used = min(idle, key=lambda other: other.use)
            self._log(least_used.name, f"unloaded to make room for {model.name}")
            if least_used.child:
                await least_used.child.stop(_GRACE)

    async def _prepare(self, model: FleetModel, path: Path) -> ChildProcess[ReadyModel]:
        """Looks at a model's file and makes its child process, not yet started."""
        if model.embeds and self._launcher.embedder:
            model.memory = MEMORY
            return self._child(model, self._launcher.embedder(self._socket(model)))
        spec = model.spec
        try:
            header = await asyncio.to_thread(read_header, path)
            window = spec.context_length or min(header.context_length or DEFAULT_WINDOW, DEFAULT_WINDOW)
            spec = structs.replace(spec, path=path, context_length=window, pool=spec.pool or window)
            program = self._launcher.program(spec, self._socket(model))
        except RixinError as error:
            raise RixinError(
                Kind.CONFIGURATION, f"the model `{model.name}` cannot be loaded", detail=error.message
            ) from None
        projector_size = spec.mmproj.stat().st_size if spec.mmproj else 0
        model.memory = estimate_memory(header, spec.pool or window, projector_size)
        return self._child(model, program)

    def _child(self, model: FleetModel, program: Program) -> ChildProcess[ReadyModel]:
        return ChildProcess(
            f"the model `{model.name}`",
            program,
            self._launcher.decode,
            clock=self._clock,
            start_deadline=self._settings.engine.load_deadline,
            log=lambda line: self._log(model.name, line),
            on_change=lambda: self._changed(model),
        )

    async def _hold(self, model: FleetModel) -> None:
        """Loads a model and brings it back whenever it failed, until somebody unloads it."""
        while True:
            retry_after = await self._bring_up(model)
            if retry_after is None and model.child:
                while model.child.state not in (State.FAILED, State.STOPPED):
                    await model.child.changed()
                if model.child.state is State.STOPPED:
                    return
                retry_after = model.child.retry_after
            await asyncio.sleep(retry_after or 0.0)

    async def _bring_up(self, model: FleetModel) -> float | None:
        """Pulls and loads a model; gives the seconds until another try where it cannot be loaded."""
        unloads = model.unloads
        try:
            if model.pull:
                await model.pull.wait()
            await self.ensure(model.name)
        except RixinError as error:
            if model.unloads != unloads:
                return None  # it could not be loaded because somebody unloaded it
            model.failure = error
            self._changed(model)
            self._log(model.name, told(error))
            return error.retry_after or _LONGEST_RETRY
        return None

    def _all(self, settings: Settings, pull: Pull) -> Iterator[FleetModel]:
        """The local models that the settings ask for: those listed, or else the default one; and the embedder."""
        for spec in settings.models:
            mmproj = _find(spec, spec.mmproj, settings) if spec.mmproj else None
            yield FleetModel(structs.replace(spec, path=_find(spec, spec.path, settings), mmproj=mmproj))
        if not settings.models:
            yield self._default(settings, pull)
        if self._launcher.embedder:
            if any(spec.name == EMBEDDER for spec in settings.models):
                raise RixinError(Kind.CONFIGURATION, f"models.{EMBEDDER}: the embedded embedding model has this name")
            yield FleetModel(LocalModel(name=EMBEDDER, path=Path()), embeds=True)

    def _default(self, settings: Settings, pull: Pull) -> FleetModel:
        weights = settings.engine.default_model
        default = FleetModel(
            LocalModel(
                name=LOCAL,
                path=settings.models_dir / f"{weights}.gguf",
                max_output_length=DEFAULT_OUTPUT,
            )
        )
        default.pull = BackgroundPull(
            LOCAL,
            lambda on_progress: pull(weights, settings.models_dir, on_progress),
            clock=self._clock,
            log=lambda line: self._log(LOCAL, line),
            on_change=lambda: self._changed(default),
        )
        return default

    def _model(self, name: str) -> FleetModel:
        model = self._models.get(name)
        if model is None:
            raise RixinError(Kind.MODEL_NOT_FOUND, f"there is no local model `{name}`", param="model")
        return model

    def _socket(self, model: FleetModel) -> Path:
        return self._directory / f"m{list(self._models).index(model.name)}.sock"

    def _touch(self, model: FleetModel) -> None:
        self._uses += 1
        model.use = self._uses
        model.last_used = self._clock.now()

    def _release(self, match: Callable[[tuple[int, int]], bool]) -> None:
        for model in self._models.values():
            ended = {lease for lease in model.leases if match(lease)}
            if ended:
                model.leases -= ended
                self._touch(model)
                self._rest(model)

    def _rest(self, model: FleetModel) -> None:
        """Unloads the embedder once nobody has used it for a while: it is back sooner than anybody minds."""
        if not model.embeds:
            return

        def unload() -> None:
            if model.idle and model.child:
                self._log(model.name, "unloaded, since nobody uses it")
                self._spawn(model.child.stop(_GRACE))

        if model.resting:
            model.resting.cancel()
        loop = asyncio.get_running_loop()
        model.resting = loop.call_later(self._settings.engine.embedder_idle, unload)

    def _changed(self, model: FleetModel) -> None:
        is_ready = model.state == State.READY
        if model.was_ready and not is_ready:
            self._push(ModelGone(model.name))
        model.was_ready = is_ready
        self._push(ModelChanged(model.status()))

    def _spawn(self, work: Coroutine[None, None, object]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _find(spec: LocalModel, path: Path, settings: Settings) -> Path:
    """The file that a model's relative path means: in the working directory, else among the pulled models."""
    for candidate in (Path.cwd() / path, settings.models_dir / path):
        if candidate.is_file():
            return candidate
    raise RixinError(Kind.CONFIGURATION, f"models.{spec.name}: there is no file {path}")


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
