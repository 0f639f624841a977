"""Agents, wired to this server: what their files must say, and, for the owner on this machine, having that written."""

import asyncio
import os
import re
import shutil
from pathlib import Path
from typing import Annotated, Final

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from rixin.clients.connect.agent import Agent
from rixin.clients.connect.agents import AGENTS
from rixin.clients.connect.connection import Connection, Model, tokens_of
from rixin.clients.connect.wiring import Wiring, is_connected, prepare, restore, sheets
from rixin.core.cards import ModelCard
from rixin.errors import Kind, RixinError, invalid
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.services import AdminServices, Services

router = guarded_router("agents")

KEY: Final = "RIXIN-API-KEY"
"""What stands in sheets in place of the key, which the server is not told."""
_ORIGIN = r"^https?://[A-Za-z0-9.:_\[\]-]{1,255}$"
_HOME = {"HOME": "~"}


class AgentView(BaseModel):
    """An agent that can be wired to this server."""

    name: str
    title: str
    program: str
    """The command that starts it."""
    home: str
    """Where it keeps its configuration, unless `home_variable` says otherwise."""
    home_variable: str
    key_variable: str | None
    """The only variable that it takes a key from; absent where any can be named."""
    first_turn_tokens: int
    """About how long its first request is."""
    least_window: int
    """Tokens below which it refuses a model; 0 where it takes any."""
    runs_once: bool
    """Whether `rixin connect --run` starts it with its files untouched."""


class AgentList(BaseModel):
    """All of them."""

    data: list[AgentView]


class SheetsWish(BaseModel):
    """For which server and models an agent's files are to be shown."""

    model_config = ConfigDict(extra="forbid", strict=True)

    origin: Annotated[str, Field(pattern=_ORIGIN)]
    """The server's address as the agent reaches it, without a path."""
    model: str
    small_model: str | None = None
    """For titles and summaries; the same one unless given."""


class SheetView(BaseModel):
    """A file as it is where the agent had none."""

    path: str
    text: str


class Sheets(BaseModel):
    """An agent's files."""

    key: str
    """What stands in them where the key is to be put."""
    data: list[SheetView]


class WiringWish(BaseModel):
    """How an agent of this machine shall reach this server."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: str
    small_model: str | None = None
    key: str
    """An API key of this server; it is written into the agent's files."""


class ConnectWish(WiringWish):
    """The same, to be written."""

    digest: str
    """Of the difference that was looked at."""


class WiringView(BaseModel):
    """What wiring an agent would change."""

    home: str
    installed: bool
    """Whether the agent's program is found."""
    connected: bool
    """Whether its files were wired before, and can be given back."""
    diff: str
    """As a unified diff, credentials hidden; empty where nothing would change."""
    digest: str


class Written(BaseModel):
    """Files that became different, by their paths."""

    paths: list[str]


class RestoreWish(BaseModel):
    """How files shall be given back."""

    model_config = ConfigDict(extra="forbid", strict=True)

    force: bool = False
    """Whether what was edited since may be lost."""


@router.get("/agents")
async def list_agents() -> AgentList:
    """Lists the agents that can be wired."""
    return AgentList(data=[_view(agent) for agent in AGENTS.values()])


@router.post("/agents/{name}/sheets")
async def show_sheets(services: Services, name: str, wish: SheetsWish) -> Sheets:
    """Shows what an agent's files must say, where it had none. The server's own files are not looked at."""
    agent = _agent(name)
    connection = _connection(services, wish.origin, KEY, wish.model, wish.small_model)
    shown = await asyncio.to_thread(sheets, agent, connection, agent.home(_HOME))
    return Sheets(key=KEY, data=[SheetView(path=sheet.path.as_posix(), text=sheet.text) for sheet in shown])


@router.post("/agents/{name}/diff")
async def show_wiring(services: Services, name: str, request: Request, wish: WiringWish) -> WiringView:
    """Shows what wiring an agent of this machine would change. Nothing is written."""
    agent = _agent(name)
    wiring = await _wiring(services, agent, request, wish)
    home = agent.home(services.environ)
    return WiringView(
        home=str(home),
        installed=shutil.which(agent.program, path=services.environ.get("PATH", os.defpath)) is not None,
        connected=await asyncio.to_thread(is_connected, home),
        diff=wiring.diff(),
        digest=wiring.digest(),
    )


@router.post("/agents/{name}/connect")
async def connect_agent(services: Services, name: str, request: Request, wish: ConnectWish) -> Written:
    """Wires an agent of this machine, as it was shown. Its files can be given back as they were."""
    wiring = await _wiring(services, _agent(name), request, wish)
    if wiring.digest() != wish.digest:
        raise RixinError(Kind.CONFLICT, "The agent's files have changed since. Look at the difference again.")
    written = await asyncio.to_thread(wiring.apply)
    return Written(paths=[str(file.path) for file in written])


@router.post("/agents/{name}/restore")
async def restore_agent(services: Services, name: str, wish: RestoreWish | None = None) -> Written:
    """Gives back the files of an agent of this machine as they were before it was wired."""
    agent = _agent(name)
    force = wish is not None and wish.force
    restored = await asyncio.to_thread(lambda: restore(agent, agent.home(services.environ), force=force))
    return Written(paths=[str(file.path) for file in restored])


async def _wiring(services: AdminServices, agent: Agent, request: Request, wish: WiringWish) -> Wiring:
    """What wiring an agent comes to; the guard has made sure that the request names this machine.

    Raises:
        RixinError: `INVALID_REQUEST` for a key that is not this server's; as `_connection` and `prepare`.
    """
    try:
        account = await services.keys.authenticate(wish.key, None)
    except RixinError as error:
        raise (invalid(error.message, "key") if error.kind is Kind.UNAUTHENTICATED else error) from None
    if "inference" not in account.scopes:
        raise invalid("This key has no scope `inference`.", "key")
    origin = f"http://{request.headers['host']}"
    if not re.fullmatch(_ORIGIN, origin):
        raise invalid("The header `host` is no host and port.")
    connection = _connection(services, origin, wish.key, wish.model, wish.small_model)
    return await asyncio.to_thread(prepare, agent, connection, agent.home(services.environ))


def _connection(services: AdminServices, origin: str, key: str, model: str, small_model: str | None) -> Connection:
    """How an agent reaches the server. Raises `INVALID_REQUEST` for a model that the server does not have for chat."""
    cards = {card.name: card for card in services.models() if card.supports("generate")}
    return Connection(
        origin=origin,
        key=key,
        model=Model.of(_card(cards, model, "model")),
        small_model=_card(cards, small_model or model, "small_model").name,
        others=tuple(Model.of(card) for card in cards.values()),
    )


def _card(cards: dict[str, ModelCard], name: str, field: str) -> ModelCard:
    if name not in cards:
        raise invalid(f"There is no model {name[:100]!r} for chat.", field)
    return cards[name]


def _agent(name: str) -> Agent:
    if name not in AGENTS:
        raise RixinError(Kind.NOT_FOUND, f"There is no such agent; there are {', '.join(AGENTS)}.")
    return AGENTS[name]


def _view(agent: Agent) -> AgentView:
    return AgentView(
        name=agent.name,
        title=agent.title,
        program=agent.program,
        home=Path(agent.home(_HOME)).as_posix(),
        home_variable=agent.home_variable,
        key_variable=agent.key_variable,
        first_turn_tokens=tokens_of(agent.first_turn),
        least_window=agent.least_window,
        runs_once=agent.launch is not None,
    )
