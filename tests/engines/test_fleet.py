"""The fleet with real child processes and small model files; one test with the real engine."""

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest
from msgspec import Struct

from rixin.cli.engine_launcher import engine_launcher
from rixin.clock import SystemClock
from rixin.engines.base import Load
from rixin.engines.child_protocol import LOAD_PATH
from rixin.engines.control_messages import ModelChanged, ModelGone
from rixin.engines.embedder_protocol import MEMORY
from rixin.engines.fleet import Fleet
from rixin.engines.process import State
from rixin.errors import Kind, RixinError
from rixin.settings import EMBEDDER, Engine, LocalModel, Provider, Server, Settings
from tests.engines.yard import NEEDS, SIZE, Source, Yard, gguf
from tests.support.hang import HANG

SMOLLM = Path(__file__).parents[2] / ".cache" / "models" / "smollm2-135m.gguf"


class Progress(Struct, frozen=True):
    """How far a pull has come."""

    done: int
    total: int


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    """A maker of fleets, all of them closed after the test."""
    yard = Yard(tmp_path)
    yield yard
    for fleet in yard.fleets:
        await fleet.aclose(grace=HANG)


def states(fleet: Fleet) -> dict[str, str]:
    """All models' states."""
    return {status.model: status.state for status in fleet.statuses()}


def engine_pid(fleet: Fleet, model: str) -> int:
    """The process of a model's engine."""
    (pid,) = [status.pid for status in fleet.statuses() if status.model == model]
    assert pid
    return pid


async def test_model_is_loaded_on_demand(yard: Yard) -> None:
    """Nothing runs before the first request, which gets what the engine said; the default window is bounded."""
    fleet = yard.fleet(yard.model("a"), yard.model("b"))
    fleet.start()
    assert states(fleet) == {"a": "stopped", "b": "stopped"}
    ensured = await fleet.ensure("a")
    assert states(fleet) == {"a": "ready", "b": "stopped"}
    assert (ensured.model, ensured.context_length, ensured.pool, ensured.slots) == ("a", 32768, 32768, 2)
    assert ensured.max_output_length == 512
    assert fleet.statuses()[0].memory == NEEDS


async def test_unknown_model_is_refused(yard: Yard) -> None:
    """A name that no model has is MODEL_NOT_FOUND."""
    fleet = yard.fleet(yard.model("a"))
    with pytest.raises(RixinError) as caught:
        await fleet.ensure("b")
    assert caught.value.kind is Kind.MODEL_NOT_FOUND


async def test_missing_file_is_refused_at_once(yard: Yard) -> None:
    """A configured model without its file stops the start, naming both."""
    with pytest.raises(RixinError, match=r"models\.a: there is no file nowhere\.gguf"):
        yard.fleet(LocalModel(name="a", path=Path("nowhere.gguf")))


async def test_relative_path_is_found_among_the_pulled_models(yard: Yard) -> None:
    """A relative path that the working directory lacks is looked up where weights are kept."""
    (yard.path / "models").mkdir()
    (yard.path / "models" / "x.gguf").write_bytes(gguf(SIZE))
    fleet = yard.fleet(LocalModel(name="a", path=Path("x.gguf")))
    assert (await fleet.ensure("a")).model == "a"


async def test_least_recently_used_model_makes_room(yard: Yard) -> None:
    """A third model where two have room takes the place of the one unused the longest."""
    fleet = yard.fleet(yard.model("a"), yard.model("b"), yard.model("c"))
    for name in ("a", "b", "a", "c"):
        await fleet.ensure(name)
    assert states(fleet) == {"a": "ready", "b": "stopped", "c": "ready"}
    assert ModelGone("b") in yard.notices
    assert "b: unloaded to make room for c" in yard.lines


async def test_leased_model_is_not_unloaded(yard: Yard) -> None:
    """A model in use stays although another one was used later; its release frees it."""
    fleet = yard.fleet(yard.model("a"), yard.model("b"), yard.model("c"))
    await fleet.ensure("a", lease=(1, 1))
    await fleet.ensure("b")
    await fleet.ensure("c")
    assert states(fleet) == {"a": "ready", "b": "stopped", "c": "ready"}
    fleet.release(1, 1)
    await fleet.ensure("c")
    await fleet.ensure("b")
    assert states(fleet) == {"a": "stopped", "b": "ready", "c": "ready"}


async def test_lease_given_back_early_does_not_stay(yard: Yard) -> None:
    """A lease released, or refused, before its model was ready keeps nothing loaded."""
    fleet = yard.fleet(yard.model("a"), yard.model("broken"))
    asking = asyncio.create_task(fleet.ensure("a", lease=(1, 1)))
    await yard.until(lambda: states(fleet)["a"] == "starting")
    fleet.release(1, 1)
    await asking
    with pytest.raises(RixinError):
        await fleet.ensure("broken", lease=(1, 2))
    assert [status.leases for status in fleet.statuses()] == [0, 0]


async def test_no_room_while_all_are_in_use(yard: Yard) -> None:
    """When every loaded model is leased the next is refused as OVERLOADED, until a peer with leases leaves."""
    fleet = yard.fleet(yard.model("a"), yard.model("b"), yard.model("c"))
    await fleet.ensure("a", lease=(1, 1))
    await fleet.ensure("b", lease=(2, 1))
    with pytest.raises(RixinError, match="no memory for the model `c`") as caught:
        await fleet.ensure("c", lease=(3, 1))
    assert caught.value.kind is Kind.OVERLOADED
    assert caught.value.retry_after
    fleet.leave(2)
    await fleet.ensure("c", lease=(3, 2))
    assert states(fleet) == {"a": "ready", "b": "stopped", "c": "ready"}


async def test_kept_model_is_loaded_first_and_stays(yard: Yard) -> None:
    """`keep_loaded` loads a model at the start, and no other one takes its place."""
    fleet = yard.fleet(yard.model("a", keep_loaded=True), yard.model("b"), yard.model("c"))
    fleet.start()
    await yard.until(lambda: states(fleet)["a"] == "ready")
    await fleet.ensure("b")
    await fleet.ensure("c")
    assert states(fleet) == {"a": "ready", "b": "stopped", "c": "ready"}


async def test_model_larger_than_the_budget_is_refused(yard: Yard) -> None:
    """A model that does not fit even alone is refused with both figures, and nothing is unloaded for it."""
    fleet = yard.fleet(yard.model("a"), yard.model("huge", size=3 * SIZE))
    await fleet.ensure("a")
    with pytest.raises(RixinError, match=r"engine\.memory_budget") as caught:
        await fleet.ensure("huge")
    assert caught.value.kind is Kind.CONFIGURATION
    assert states(fleet)["a"] == "ready"


async def test_models_asked_for_at_once_keep_the_budget(yard: Yard) -> None:
    """Four models asked for at the same time, with room for two, are never loaded together."""
    fleet = yard.fleet(*(yard.model(name) for name in "abcd"))
    most = 0

    def watch() -> bool:
        nonlocal most
        loaded = [status for status in fleet.statuses() if status.pid]
        most = max(most, sum(status.memory or 0 for status in loaded))
        return False

    watcher = asyncio.create_task(yard.until(watch))
    results = await asyncio.gather(*(fleet.ensure(name) for name in "abcd"), return_exceptions=True)
    watcher.cancel()
    assert 0 < most <= 2 * NEEDS
    assert any(not isinstance(result, BaseException) for result in results)
    assert {result.kind for result in results if isinstance(result, RixinError)} <= {Kind.OVERLOADED}


async def test_killed_engine_is_told_and_comes_back(yard: Yard) -> None:
    """After SIGKILL clients are told that the model has gone, and the next request gets a new engine."""
    fleet = yard.fleet(yard.model("a"))
    await fleet.ensure("a")
    before = engine_pid(fleet, "a")
    os.kill(before, signal.SIGKILL)
    await yard.until(lambda: ModelGone("a") in yard.notices)
    await fleet.ensure("a")
    assert engine_pid(fleet, "a") != before


async def test_broken_file_is_explained_to_the_operator(yard: Yard) -> None:
    """A file that is no model gives a client its name only, and the reason as detail."""
    model = yard.model("a")
    model.path.write_bytes(b"nothing of the kind")
    fleet = yard.fleet(model)
    with pytest.raises(RixinError, match="the model `a` cannot be loaded") as caught:
        await fleet.ensure("a")
    assert "is not a GGUF file" in (caught.value.detail or "")
    assert str(model.path) not in caught.value.message


async def test_engine_that_cannot_start_gives_its_memory_back(yard: Yard) -> None:
    """A model whose engine fails is OVERLOADED with its reason in the status, and takes no room."""
    fleet = yard.fleet(yard.model("broken"), yard.model("b"), yard.model("c"))
    with pytest.raises(RixinError) as caught:
        await fleet.ensure("broken")
    assert (caught.value.kind, caught.value.detail) == (Kind.OVERLOADED, "no such tensor")
    status = fleet.statuses()[0]
    assert (status.state, status.message) == ("failed", "no such tensor")
    await fleet.ensure("b")
    await fleet.ensure("c")
    assert states(fleet) == {"broken": "failed", "b": "ready", "c": "ready"}


async def test_load_and_unload_by_hand(yard: Yard) -> None:
    """`load` begins and returns, `unload` returns when the engine is gone."""
    fleet = yard.fleet(yard.model("a"))
    begun = fleet.load("a")
    assert (begun.model, begun.state) == ("a", "starting")
    await yard.until(lambda: states(fleet)["a"] == "ready")
    pid = engine_pid(fleet, "a")
    assert (await fleet.unload("a")).state == "stopped"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_load_by_hand_that_comes_to_nothing_says_why(yard: Yard) -> None:
    """Before there is a process too; the next success, or unloading it, ends that."""
    fleet = yard.fleet(yard.model("a"), budget=NEEDS - 1)
    fleet.load("a")
    await yard.until(lambda: states(fleet)["a"] == "failed")
    (status,) = fleet.statuses()
    assert "the model `a` needs about" in (status.message or "")
    assert yard.notices[-1] == ModelChanged(status)
    assert (await fleet.unload("a")).state == "stopped"


async def test_unloading_a_model_on_its_way_is_no_failure(yard: Yard) -> None:
    """Whoever had it loaded finds it unloaded, and it stays so."""
    fleet = yard.fleet(yard.model("slow"))
    fleet.load("slow")
    await yard.until(lambda: fleet.statuses()[0].pid is not None)
    assert states(fleet)["slow"] == "starting"
    await fleet.unload("slow")
    await yard.until(lambda: states(fleet)["slow"] == "stopped")
    assert fleet.statuses()[0].message is None


async def test_part_of_a_start_is_told(yard: Yard) -> None:
    """What the engine says of its progress is its model's, until it is ready."""
    fleet = yard.fleet(yard.model("slow"))
    fleet.load("slow")
    await yard.until(lambda: fleet.statuses()[0].progress == 0.5)
    assert states(fleet)["slow"] == "starting"


async def test_default_model_is_pulled_at_the_start_where_nothing_else_answers(yard: Yard) -> None:
    """Without providers and models `local` is pulled and loaded unasked; requests meanwhile hear how far it is."""
    fleet = yard.fleet()
    fleet.start_default()
    await yard.source.begun.wait()
    assert yard.source.asked == [("qwen2.5-coder-0.5b", yard.path / "models")]
    yard.source.on_progress(Progress(40, 100))
    with pytest.raises(RixinError, match=r"`local` is being downloaded \(40%\)") as caught:
        await fleet.ensure("local")
    assert caught.value.kind is Kind.STARTING
    assert caught.value.retry_after
    assert [(status.state, status.progress) for status in fleet.statuses()] == [("pulling", 0.4)]
    yard.source.arrived.set_result(yard.model("weights").path)
    await yard.until(lambda: states(fleet)["local"] == "ready")
    assert (await fleet.ensure("local")).model == "local"


async def test_progress_is_told_once_a_percent(yard: Yard) -> None:
    """A pull in small steps does not flood the clients."""
    fleet = yard.fleet()
    fleet.start_default()
    await yard.source.begun.wait()
    yard.notices.clear()
    for done in range(10_000):
        yard.source.on_progress(Progress(done, 10_000))
    assert len(yard.notices) == 100
    assert isinstance(yard.notices[-1], ModelChanged)


async def test_beside_a_provider_the_default_model_waits_for_its_first_request(yard: Yard) -> None:
    """With a provider `local` is not pulled at the start; a request finds weights that are already here at once."""
    fleet = yard.fleet(providers=(Provider(name="p", base_url="http://127.0.0.1:1"),))
    fleet.start()
    await asyncio.sleep(0)
    assert not yard.source.asked
    yard.source.arrived.set_result(yard.model("weights").path)
    assert (await fleet.ensure("local")).model == "local"


async def test_failed_pull_is_explained_and_tried_again(yard: Yard) -> None:
    """While no source answers, requests get OVERLOADED with the reason for the operator; the pull goes on later."""
    yard.source.error = RixinError(Kind.UPSTREAM_UNREACHABLE, "no source could give the model")
    fleet = yard.fleet()
    fleet.start_default()
    await yard.until(lambda: states(fleet)["local"] == "failed")
    with pytest.raises(RixinError, match="weights of the model `local`") as caught:
        await fleet.ensure("local")
    assert (caught.value.kind, caught.value.detail) == (Kind.OVERLOADED, "no source could give the model")
    assert fleet.statuses()[0].message == "no source could give the model"
    assert len(yard.source.asked) == 1


async def test_closing_ends_engines_and_pulls(yard: Yard) -> None:
    """After `aclose` no engine runs."""
    fleet = yard.fleet(yard.model("a"), yard.model("b", keep_loaded=True))
    fleet.start()
    await fleet.ensure("a")
    await yard.until(lambda: states(fleet)["b"] == "ready")
    pids = [engine_pid(fleet, name) for name in "ab"]
    await fleet.aclose()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def slots_told_on(path: str) -> int:
    """Asks an engine on its socket for its slots."""
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(path)) as session,
        session.get(f"http://engine{LOAD_PATH}") as answer,
    ):
        assert answer.status == 200
        return msgspec.json.decode(await answer.read(), type=Load).slots


async def test_real_engine_is_loaded_killed_and_loaded_again() -> None:
    """A real model answers on its socket, comes back after SIGKILL on the same one, and is gone when it is unloaded."""
    with tempfile.TemporaryDirectory(prefix="rixin-", dir="/tmp") as directory:
        settings = Settings(
            server=Server(data_dir=Path(directory)),
            engine=Engine(slots=3),
            models=(LocalModel(name="small", path=SMOLLM, context_length=2048),),
        )
        told = asyncio.Event()
        fleet = Fleet(
            settings,
            pull=Source().pull,
            launcher=engine_launcher(settings),
            directory=Path(directory),
            clock=SystemClock(),
            log=lambda _, __: None,
            push=lambda notice: told.set() if isinstance(notice, ModelGone) else None,
        )
        try:
            ensured = await fleet.ensure("small")
            assert (ensured.context_length, ensured.pool, ensured.slots) == (2048, 2048, 3)
            assert await slots_told_on(ensured.socket) == 3
            first = engine_pid(fleet, "small")
            os.kill(first, signal.SIGKILL)
            with contextlib.suppress(aiohttp.ClientError):
                await slots_told_on(ensured.socket)
            await asyncio.wait_for(told.wait(), HANG)
            again = await fleet.ensure("small")
            assert engine_pid(fleet, "small") != first
            assert await slots_told_on(again.socket) == 3
            assert (await fleet.unload("small")).state == "stopped"
        finally:
            await fleet.aclose()


async def test_the_embedder_rests_once_nobody_uses_it(yard: Yard) -> None:
    """It stays while a lease holds it, goes soon after, and comes back for the next."""
    fleet = yard.fleet(budget=10 * NEEDS + MEMORY, embedder_idle=0.05)
    for lease in (1, 2):
        await fleet.ensure(EMBEDDER, (1, lease))
        await fleet.ensure(EMBEDDER)
        assert states(fleet)[EMBEDDER] == State.READY
        fleet.release(1, lease)
        await yard.until(lambda: states(fleet)[EMBEDDER] == State.STOPPED)
    assert f"{EMBEDDER}: unloaded, since nobody uses it" in yard.lines


async def test_the_embedder_is_not_loaded_from_the_start(yard: Yard) -> None:
    """Unlike the one model of a server that has no other."""
    fleet = yard.fleet(yard.model("only"), budget=10 * NEEDS + MEMORY, embedder_idle=60.0)
    fleet.start()
    await yard.until(lambda: states(fleet)["only"] == State.READY)
    assert states(fleet)[EMBEDDER] == State.STOPPED


async def test_no_model_may_have_the_embedders_name(yard: Yard) -> None:
    """It would be asked for embeddings."""
    with pytest.raises(RixinError, match="has this name"):
        yard.fleet(yard.model(EMBEDDER), embedder_idle=60.0)
