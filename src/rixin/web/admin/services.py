"""What the admin API needs of the house, filled in by the composition root."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Protocol

from fastapi import Depends, Request
from msgspec import Struct

from rixin.accounts.account import Account
from rixin.accounts.audit import Actor
from rixin.accounts.file_register import FileRegister
from rixin.accounts.keys import KeyRing
from rixin.accounts.ledger import Ledger
from rixin.accounts.oidc import OidcLogin
from rixin.accounts.people import People
from rixin.accounts.request_log import RequestLog
from rixin.clock import Clock
from rixin.core.cards import ModelCard, SamplingPreset
from rixin.engines.base import Load
from rixin.engines.control_messages import ModelStatus
from rixin.errors import RixinError
from rixin.limits.base import Limiter
from rixin.limits.plans import Plans
from rixin.routing.catalog import Resolution
from rixin.routing.gate import Gate
from rixin.routing.learned import LearnedRules
from rixin.routing.providers import ProviderBook
from rixin.service.configuration import Configuration
from rixin.service.doctor.examiner import Examiner
from rixin.service.installation import Installation
from rixin.service.knowledge_register import KnowledgeRegister
from rixin.settings import RouteTarget, Server
from rixin.web.authenticator import Authenticator


class LocalModels(Protocol):
    """The models that this machine runs, such as the supervisor's `ControlClient` shows them."""

    async def list_models(self) -> list[ModelStatus]:
        """All of them."""
        ...

    async def load(self, model: str) -> ModelStatus:
        """Begins to load one. Raises `MODEL_NOT_FOUND`."""
        ...

    async def unload(self, model: str) -> ModelStatus:
        """Unloads one, in use or not. Raises `MODEL_NOT_FOUND`."""
        ...


class AdminServices(Struct, frozen=True, kw_only=True):
    """Everything that the admin routes work on."""

    keys: KeyRing
    people: People
    authenticator: Authenticator
    """Recognises who asks."""
    oidc: OidcLogin | None
    """Logs people in by a provider of identities; None where there is none."""
    dialects: frozenset[str]
    """The names of the dialects that keys can be kept to."""
    ledger: Ledger
    requests: RequestLog
    plans: Plans
    presets: Mapping[str, SamplingPreset]
    """What is recommended for kinds of work, by name."""
    resolutions: Callable[[], Sequence[Resolution]]
    """What all names stand for that can be asked for."""
    aliases: Callable[[], Mapping[str, str]]
    """The aliases of the settings, in their order."""
    routes: Callable[[], Mapping[str, Sequence[RouteTarget]]]
    """The routes of the settings, in their order."""
    limiter: Limiter
    engines: LocalModels
    load_of: Callable[[str], Awaitable[Load | None]]
    """How busy a local model is; None where it cannot be asked."""
    providers: ProviderBook
    gate_of: Callable[[str], Gate | None]
    """Finds the way to a provider that is served."""
    documented: Mapping[str, ModelCard]
    """What is documented of models, by name."""
    problems: Callable[[], Sequence[str]]
    """What of the configuration does not count, and why."""
    learned: LearnedRules
    examiner: Examiner
    files: FileRegister
    knowledge: KnowledgeRegister
    configuration: Configuration
    installation: Installation
    environ: Mapping[str, str]
    """The environment that agents on the server's machine are started in."""
    obstacle: Callable[[], RixinError | None]
    """Why requests cannot be served yet, or None."""
    settings: Server
    clock: Clock
    started_at: float
    """Seconds since the epoch."""

    def models(self) -> list[ModelCard]:
        """The cards of all names that can be asked for."""
        return [resolution.card for resolution in self.resolutions()]


def services_of(request: Request) -> AdminServices:
    """What the application of a request works on."""
    return request.app.state.services


def _caller(request: Request) -> Account:
    return request.state.account


def _actor(request: Request) -> Actor:
    return request.state.actor


Services = Annotated[AdminServices, Depends(services_of)]
Caller = Annotated[Account, Depends(_caller)]
"""Who asks, as the guard has recognised them."""
By = Annotated[Actor, Depends(_actor)]
"""The same, and from where, for the audit log."""
