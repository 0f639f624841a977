"""What a web worker serves where: the wire routes of every dialect, the models, and the health checks."""

from collections.abc import Callable, Iterator, Mapping

import msgspec
from msgspec import Struct

from rixin.accounts.file_links import FileLinks
from rixin.accounts.files import FileBook
from rixin.cli.drawings import open_drawer
from rixin.cli.provider_rules import DIALECTS
from rixin.clock import Clock
from rixin.core.files import Shape
from rixin.dialects import openai_files, openai_models
from rixin.dialects.anthropic import DIALECT as ANTHROPIC
from rixin.dialects.anthropic import models as anthropic_models
from rixin.dialects.base import Dialect
from rixin.dialects.gemini import DIALECT as GEMINI
from rixin.dialects.gemini import models as gemini_models
from rixin.dialects.openai_chat import DIALECT as OPENAI_CHAT
from rixin.dialects.openai_responses import DIALECT as OPENAI_RESPONSES
from rixin.dialects.sensenova_native import CHARACTERS as NATIVE_CHARACTERS
from rixin.dialects.sensenova_native import DIALECT as SENSENOVA_NATIVE
from rixin.dialects.sensenova_native import PREFIXES as NATIVE_PREFIXES
from rixin.dialects.sensenova_native import TURNS as NATIVE_TURNS
from rixin.dialects.sensenova_native import files as native_files
from rixin.dialects.sensenova_native import models as native_models
from rixin.errors import RixinError
from rixin.service.count import Counter
from rixin.service.embed import Embedder
from rixin.service.generate import Generator
from rixin.service.keeper import Keeper
from rixin.service.knowledge import KnowledgeService
from rixin.service.models import ModelService
from rixin.service.responses import ResponseService
from rixin.service.sessions import SessionService
from rixin.service.store_watch import StoreWatch
from rixin.settings import Settings
from rixin.web import console_files
from rixin.web.console import ConsoleHandler
from rixin.web.count import CountHandler
from rixin.web.draw import DrawHandler
from rixin.web.embed import EmbedHandler
from rixin.web.files import FileHandler, FilesHandler, FileShape, credential_shape
from rixin.web.front_door import FrontDoor
from rixin.web.generate import GenerateHandler
from rixin.web.health import HealthHandler, ReadyHandler
from rixin.web.intake import Intake
from rixin.web.knowledge import METHODS as KNOWLEDGE_METHODS
from rixin.web.knowledge import KnowledgeHandler
from rixin.web.models import ModelsHandler, ModelShape, ShapeOf
from rixin.web.not_served import METHODS, refuse
from rixin.web.responses import ResponsesHandler
from rixin.web.routes import Access, Endpoint, Handler
from rixin.web.sessions import SessionsHandler
from rixin.web.upgrade import UpgradeRefusal
from rixin.web.upload import Uploads

_MODEL_LISTS: dict[str, Dialect | None] = {
    "/v1": None,
    "/compatible-mode/v1": OPENAI_CHAT,
    "/compatible-mode/v2": OPENAI_CHAT,
    "/anthropic/v1": ANTHROPIC,
    "/v1beta": GEMINI,
    "/v1/llm": SENSENOVA_NATIVE,
}
"""Where models are listed, and in whose shape; None for the shape that the client knows."""
_SHAPES = {
    OPENAI_CHAT.name: ModelShape.unpaged(openai_models.render_models, openai_models.render_model),
    ANTHROPIC.name: ModelShape(anthropic_models.render_models, anthropic_models.render_model),
    GEMINI.name: ModelShape(gemini_models.render_models, gemini_models.render_model),
    SENSENOVA_NATIVE.name: ModelShape.unpaged(native_models.render_models, native_models.render_model),
}
_FILE_SHAPES: dict[Shape, FileShape] = {
    "openai": FileShape(
        page=openai_files.parse_page,
        created=openai_files.render_file,
        one=openai_files.render_file,
        many=openai_files.render_files,
        deleted=openai_files.render_deleted,
        redirects=False,
    ),
    "native": FileShape(
        page=native_files.parse_page,
        created=native_files.render_created,
        one=native_files.render_file,
        many=native_files.render_files,
        deleted=native_files.render_deleted,
        redirects=True,
    ),
}


class WireServices(Struct, frozen=True, kw_only=True):
    """What the wire routes are answered with."""

    generator: Generator
    models: ModelService
    responses: ResponseService
    sessions: SessionService | None
    """None where the server keeps none."""
    files: FileBook
    links: FileLinks
    knowledge: KnowledgeService | None = None
    """None where there are no knowledge bases."""
    obstacle: Callable[[], RixinError | None]
    """Why requests cannot be served now."""
    stores: StoreWatch
    settings: Settings
    clock: Clock


def endpoints(services: WireServices) -> list[Endpoint]:
    """All of them. Of prefixes the first that fits counts."""
    return [
        Endpoint.public("/", FrontDoor()),
        Endpoint.public("/health", HealthHandler()),
        Endpoint.public("/readyz", ReadyHandler(services.obstacle, services.stores.obstacle)),
        *_console(),
        *_models(services.models),
        *_operations(services),
        *_responses(services.responses, services.clock),
        *_sessions(services),
        *_files(services),
        *_knowledge(services),
        *(_private(method, prefix, SENSENOVA_NATIVE, refuse) for prefix in NATIVE_PREFIXES for method in METHODS),
    ]


def _console() -> Iterator[Endpoint]:
    handler = ConsoleHandler()
    for path in (console_files.PATH.rstrip("/"), console_files.PATH):
        yield Endpoint.public(path, handler)


def spoken(headers: Mapping[str, str]) -> Dialect:
    """The dialect of a client, as far as its headers tell; for paths that are nobody's or several dialects'."""
    if anthropic_models.asks_in_this_shape(headers):
        return ANTHROPIC
    if gemini_models.asks_in_this_shape(headers):
        return GEMINI
    return SENSENOVA_NATIVE if credential_shape(headers) == "native" else OPENAI_CHAT


def _models(models: ModelService) -> Iterator[Endpoint]:
    for prefix, dialect in _MODEL_LISTS.items():
        handler = ModelsHandler(models, _shape_for(dialect))
        yield _private("GET", f"{prefix}/models", dialect, handler)
        yield _private("GET", f"{prefix}/models/", dialect, handler)


def _shape_for(dialect: Dialect | None) -> ShapeOf:
    return lambda headers: _SHAPES[(dialect or spoken(headers)).name]


def _operations(services: WireServices) -> Iterator[Endpoint]:
    generator, links, clock = services.generator, services.links, services.clock
    server = services.settings.server
    drawer = open_drawer(services.settings, generator, services.files)
    counter = Counter(generator.serving.catalog, generator.serving.router)
    embedder = Embedder(generator.serving)
    for dialect, keeper in _spoken_and_kept(services.responses, services.sessions):
        for route in dialect.routes:
            intake = Intake(dialect, route, services.models, server, clock, keeper)
            if route.operation == "count":
                handler = CountHandler(dialect, intake, counter, clock)
            elif route.operation == "embed":
                handler = EmbedHandler(dialect, intake, embedder, generator.refuse, clock)
            elif route.operation == "draw":
                handler = DrawHandler(dialect, intake, drawer, generator.refuse, links, server, clock)
            else:
                handler = GenerateHandler(dialect, intake, generator, server, clock, keeper)
            for path in route.paths:
                yield _private("POST", path, dialect, handler)


def _spoken_and_kept(
    responses: ResponseService, sessions: SessionService | None
) -> Iterator[tuple[Dialect, Keeper | None]]:
    """What clients may speak, and who keeps their conversations for them."""
    for dialect in (*DIALECTS.values(), NATIVE_CHARACTERS):
        yield dialect, responses if dialect is OPENAI_RESPONSES else None
    if sessions is not None:
        yield NATIVE_TURNS, sessions


def _responses(responses: ResponseService, clock: Clock) -> Iterator[Endpoint]:
    """What there is to a response besides asking for it."""
    kept, no_socket = ResponsesHandler(responses), UpgradeRefusal(OPENAI_RESPONSES, clock)
    for path in OPENAI_RESPONSES.routes[0].paths:
        yield _private("GET", path, OPENAI_RESPONSES, no_socket)
        for method in ("GET", "DELETE"):
            yield _private(method, f"{path}/", OPENAI_RESPONSES, kept)


def _sessions(services: WireServices) -> Iterator[Endpoint]:
    """Where sessions begin. A server that keeps none does not serve the platform's routes for them."""
    if services.sessions is not None:
        handler = SessionsHandler(services.sessions, services.settings.server)
        yield _private("POST", "/v1/llm/chat/sessions", SENSENOVA_NATIVE, handler)


def _files(services: WireServices) -> Iterator[Endpoint]:
    files, settings = services.files, services.settings
    many = FilesHandler(files, _FILE_SHAPES, Uploads(files, settings))
    one = FileHandler(files, services.links, _FILE_SHAPES, settings.server)
    for method in ("GET", "POST"):
        yield _private(method, "/v1/files", None, many)
    yield _private("DELETE", "/v1/files/", None, one)
    yield msgspec.structs.replace(_private("GET", "/v1/files/", None, one), proven=one.proven)


def _knowledge(services: WireServices) -> Iterator[Endpoint]:
    if services.knowledge is not None:
        handler = KnowledgeHandler(services.knowledge, services.links, services.settings.server)
        for path, methods in KNOWLEDGE_METHODS.items():
            yield from (_private(method, path, SENSENOVA_NATIVE, handler) for method in methods)


def _private(method: str, path: str, dialect: Dialect | None, handler: Handler) -> Endpoint:
    return Endpoint(
        method=method,
        path=path,
        access=Access.INFERENCE,
        dialect=dialect,
        handler=handler,
        query_key=dialect is GEMINI,
    )
