"""The OpenAPI document, made from the endpoint table and from what is told of each route."""

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import NamedTuple, cast

from rixin import __version__
from rixin.core.json import JsonObject, JsonValue
from rixin.dialects.base import Dialect, Stamp
from rixin.dialects.description import JSON, Answer, Description
from rixin.errors import Kind, RixinError
from rixin.web.reference.components import Components
from rixin.web.reference.operations import DIALECTS, operations
from rixin.web.routes import Access, Endpoint

SECURITY: JsonObject = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, or a token signed with an access key."},
    "api_key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "google_api_key": {"type": "apiKey", "in": "header", "name": "x-goog-api-key"},
    "query_key": {"type": "apiKey", "in": "query", "name": "key"},
}
_HEADERS: JsonObject = {
    "x-request-id": {"description": "The request's id, as the log has it.", "schema": {"type": "string"}},
    "retry-after": {"description": "Seconds until trying again makes sense.", "schema": {"type": "string"}},
    "x-rixin-model": {"description": "The provider and model that answered.", "schema": {"type": "string"}},
    "x-rixin-changes": {"description": "What was changed in the request.", "schema": {"type": "string"}},
}
_ON_ANSWERS = ("x-rixin-model", "x-rixin-changes")

_KNOWN_CLIENT = frozenset({Kind.UNAUTHENTICATED, Kind.PERMISSION_DENIED, Kind.RATE_LIMITED, Kind.OVERLOADED})
_BODY = frozenset({Kind.INVALID_REQUEST, Kind.TOO_LARGE, Kind.UNSUPPORTED_MEDIA_TYPE, Kind.REQUEST_TIMEOUT})
_MODEL = frozenset(Kind) - {Kind.CANCELLED, Kind.METHOD_NOT_ALLOWED, Kind.CONFLICT, Kind.CONCURRENT, *_BODY}
_PARAMETER = re.compile(r"\{(\w+)\}")
_PUNCTUATION = re.compile(r"\W+")
_STAMP = Stamp(request_id="", created=0, new_id=str)


class _Operation(NamedTuple):
    endpoint: Endpoint
    path: str
    about: Description


def wire_document(endpoints: Iterable[Endpoint]) -> JsonObject:
    """The document of the wire routes.

    Raises:
        LookupError: A route is not described.
    """
    table = tuple(endpoints)
    told = [_Operation(endpoint, path, about) for endpoint in table for path, about in operations(endpoint)]
    components = Components(_shapes(told), {name: dialect.details for name, dialect in DIALECTS.items()})
    errors = _Errors(table, components)
    paths: dict[str, JsonValue] = defaultdict(dict)
    for operation in told:
        by_method = cast("JsonObject", paths[operation.path])
        by_method[operation.endpoint.method.lower()] = _operation(operation, components, errors)
    tags: list[JsonValue] = [{"name": dialect.title, "description": dialect.about} for dialect in DIALECTS.values()]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Rixin",
            "version": __version__,
            "description": "The APIs of SenseNova, OpenAI, Anthropic and Google over a local model or any upstream.",
        },
        "tags": tags,
        "paths": dict(paths),
        "components": {
            "schemas": components.schemas,
            "responses": errors.responses,
            "headers": _HEADERS,
            "securitySchemes": SECURITY,
        },
    }


def join(wire: JsonObject, admin: JsonObject) -> JsonObject:
    """The document of the wire routes with the admin API's paths and components in it."""
    ours, theirs = _objects(wire["components"]), _objects(admin["components"])
    components: JsonObject = {kind: {**theirs.get(kind, {}), **ours.get(kind, {})} for kind in {**ours, **theirs}}
    return {**wire, "paths": {**_objects(wire["paths"]), **_objects(admin["paths"])}, "components": components}


def _objects(value: JsonValue) -> dict[str, JsonObject]:
    return cast("dict[str, JsonObject]", value)


def _shapes(told: Iterable[_Operation]) -> Iterator[object]:
    for dialect in DIALECTS.values():
        yield dialect.error
    for _, _, about in told:
        if about.body is not None:
            yield about.body
        for answer in about.answers.values():
            yield from (shape for shape in answer.content.values() if shape is not None)
        yield from (field.kind for field in about.query.values())


class _Errors:
    """The answers that are errors, each told once by dialect and status."""

    def __init__(self, endpoints: Sequence[Endpoint], components: Components) -> None:
        self.responses: JsonObject = {}
        self._components = components
        self._dialects = {found.name: found for endpoint in endpoints if (found := endpoint.dialect) is not None}

    def of(self, dialect: Dialect | None, kinds: Iterable[Kind], others: Container[int]) -> JsonObject:
        """By status, where the answers of these kinds of errors are told, but for the `others` that are told already.

        Without a dialect they may be anyone's.
        """
        dialects = list(self._dialects.values()) if dialect is None else [dialect]
        by_status: dict[int, set[Kind]] = defaultdict(set)
        for kind in kinds:
            for speaker in dialects:
                by_status[speaker.render_error(RixinError(kind, ""), _STAMP).status].add(kind)
        return {
            str(status): {"$ref": f"#/components/responses/{self._told(dialect, status, by_status[status])}"}
            for status in sorted(by_status)
            if status not in others
        }

    def _told(self, dialect: Dialect | None, status: int, kinds: set[Kind]) -> str:
        words = ", ".join(sorted(kind.value.replace("_", " ") for kind in kinds)).capitalize()
        shape = (
            tuple(DIALECTS[name].error for name in self._dialects) if dialect is None else DIALECTS[dialect.name].error
        )
        name = f"{'any' if dialect is None else dialect.name}.{status}.{_PUNCTUATION.sub('_', words)}"
        headers = ["x-request-id", *(["retry-after"] if status in (429, 503, 529) else [])]
        self.responses[name] = {
            "description": f"{words}.",
            "headers": _headers(headers),
            "content": {JSON: {"schema": self._components.schema(shape)}},
        }
        return name


def _operation(operation: _Operation, components: Components, errors: _Errors) -> JsonObject:
    endpoint, path, about = operation
    public = endpoint.access is Access.PUBLIC
    told: JsonObject = {
        "tags": [about.tag or (DIALECTS[endpoint.dialect.name].title if endpoint.dialect else "Operations")],
        "summary": about.summary,
        "operationId": _PUNCTUATION.sub("_", f"{endpoint.method.lower()}{path}").strip("_"),
        "parameters": [*_parameters(path, about), *_query(about, components)],
    }
    if (content := _request_content(about, components)) is not None:
        told["requestBody"] = {"required": not about.body_optional, "content": content}
    told["responses"] = {
        **{str(status): _answer(answer, about, components) for status, answer in about.answers.items()},
        **errors.of(endpoint.dialect, _kinds(path, about, public=public), about.answers),
    }
    told["security"] = [] if public else _security(endpoint)
    return told


def _kinds(path: str, about: Description, *, public: bool) -> set[Kind]:
    """What can go wrong, by what a route asks for."""
    kinds = {Kind.INTERNAL, *about.errors, *(() if public else _KNOWN_CLIENT)}
    if about.body is not None or about.form is not None:
        kinds |= _BODY
    if about.query:
        kinds.add(Kind.INVALID_REQUEST)
    if _PARAMETER.search(path):
        kinds.add(Kind.NOT_FOUND)
    return kinds | _MODEL if about.asks_model else kinds


def _security(endpoint: Endpoint) -> list[JsonValue]:
    ways: list[JsonValue] = [{name: []} for name in SECURITY if name != "query_key" or endpoint.query_key]
    return [*ways, {}] if endpoint.proven is not None else ways


def _parameters(path: str, about: Description) -> Iterator[JsonValue]:
    for name in _PARAMETER.findall(path):
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": about.parameters[name],
            "schema": {"type": "string", "minLength": 1},
        }


def _query(about: Description, components: Components) -> Iterator[JsonValue]:
    for name, field in about.query.items():
        yield {"name": name, "in": "query", "description": field.about, "schema": components.schema(field.kind)}


def _request_content(about: Description, components: Components) -> JsonObject | None:
    if about.form is not None:
        return {"multipart/form-data": {"schema": about.form}}
    return None if about.body is None else {JSON: {"schema": components.schema(about.body)}}


def _answer(answer: Answer, about: Description, components: Components) -> JsonObject:
    own: JsonObject = {
        name: {"description": said, "schema": {"type": "string"}} for name, said in answer.headers.items()
    }
    told: JsonObject = {
        "description": answer.about,
        "headers": {**_headers(["x-request-id", *(_ON_ANSWERS if about.asks_model else ())]), **own},
    }
    if answer.content:
        told["content"] = {
            media: {"schema": {} if shape is None else components.schema(shape)}
            for media, shape in answer.content.items()
        }
    return told


def _headers(names: Iterable[str]) -> JsonObject:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
