"""What is told of each route of the endpoint table.

The operations of a dialect are described beside the dialect; here are the rest.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

from rixin.core.json import JsonObject
from rixin.dialects.anthropic import descriptions as anthropic
from rixin.dialects.base import Dialect
from rixin.dialects.description import JSON, Answer, Description, DialectDescription, Query, answered
from rixin.dialects.gemini import descriptions as gemini
from rixin.dialects.openai_chat import descriptions as openai_chat
from rixin.dialects.openai_responses import descriptions as openai_responses
from rixin.dialects.sensenova_native import descriptions as native
from rixin.errors import Kind
from rixin.web.reference.shapes import Health, NotReady, Ready
from rixin.web.routes import Endpoint

DIALECTS: Mapping[str, DialectDescription] = {
    "openai_chat": openai_chat.DESCRIPTION,
    "openai_responses": openai_responses.DESCRIPTION,
    "anthropic": anthropic.DESCRIPTION,
    "gemini": gemini.DESCRIPTION,
    "sensenova_native": native.DESCRIPTION,
}
"""By the dialect's name."""

_ALIASES = ("/compatible-mode/v1", "/compatible-mode/v2", "/anthropic/v1")
"""Prefixes under which the routes of `/v1` are served once more."""
_OPERATIONS = "Operations"
_MODELS = "Models"
_FILES = "Files"

_HEALTH = Description(summary="Say that the process lives", tag=_OPERATIONS, answers=answered(Health))
_READY = Description(
    summary="Say whether requests can be served",
    tag=_OPERATIONS,
    answers={
        **answered(Ready),
        503: Answer(about="Not yet.", content={JSON: NotReady}, headers={"retry-after": "Seconds."}),
    },
)
_DOCUMENT = Description(summary="Describe the API", tag=_OPERATIONS, answers=answered(dict[str, object]))
_METRICS = Description(
    summary="Tell the metrics",
    tag=_OPERATIONS,
    answers={200: Answer(about="Prometheus' text format, or OpenMetrics.", content={"text/plain": str})},
)
_PAGE = Description(
    summary="Show the API's description",
    tag=_OPERATIONS,
    answers={200: Answer(about="A page.", content={"text/html": str})},
)
_ASSET = Description(
    summary="A part of that page",
    tag=_OPERATIONS,
    parameters={"name": "Its name."},
    answers={
        200: Answer(about="The file.", content={"text/css": str, "text/javascript": str, "image/png": None}),
    },
)
_CONSOLE = Description(
    summary="Show the web console",
    tag=_OPERATIONS,
    answers={
        200: Answer(about="A page.", content={"text/html": str}),
        308: Answer(about="Where it is."),
        404: Answer(about="It is not built here.", content={"text/plain": str}),
    },
)
_CONSOLE_FILE = Description(
    summary="A page of the web console, or a part of it",
    tag=_OPERATIONS,
    parameters={"name": "Its name."},
    answers={
        200: Answer(
            about="The page, or the part.", content={"text/html": str, "text/css": str, "text/javascript": str}
        ),
        404: Answer(
            about="There is no such part, or it is not built here.",
            content={"text/plain": str, JSON: dict[str, object]},
        ),
    },
)

_MODEL_LISTS: Mapping[str, Description] = {
    "openai_chat": Description(summary="List models", tag=_MODELS, answers=answered(openai_chat.ModelList)),
    "anthropic": Description(
        summary="List models",
        tag=_MODELS,
        query={
            "limit": Query("From 1 to 1000; 20 unless said.", int),
            "after_id": Query("The model before the page."),
            "before_id": Query("The model behind the page."),
        },
        answers=answered(anthropic.ModelPage),
    ),
    "gemini": Description(
        summary="List models",
        tag=_MODELS,
        query={
            "pageSize": Query("Up to 1000; 50 unless said.", int),
            "pageToken": Query("The `nextPageToken` of the page before."),
        },
        answers=answered(gemini.ModelPage),
    ),
    "sensenova_native": Description(summary="List models", tag=_MODELS, answers=answered(native.ModelList)),
}
_ONE_MODEL = {
    "openai_chat": openai_chat.Model,
    "anthropic": anthropic.Model,
    "gemini": gemini.Model,
    "sensenova_native": native.Model,
}

_FILE = {"file_id": "The file's id."}
_UPLOAD: JsonObject = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "purpose": {"type": "string", "description": "What for, in OpenAI's words; a file has it or a `scheme`."},
        "scheme": {"type": "string", "description": "What for, in the native platform's words."},
        "description": {"type": "string", "maxLength": 1024},
        "user_provided_filename": {"type": "string"},
        "expires_after[anchor]": {"type": "string", "enum": ["created_at"]},
        "expires_after[seconds]": {"type": "integer", "minimum": 3600, "maximum": 2592000},
    },
}
_TABLE: Mapping[tuple[str, str], Mapping[str, Description]] = {
    ("GET", "/"): {"": _HEALTH},
    ("GET", "/health"): {"": _HEALTH},
    ("GET", "/readyz"): {"": _READY},
    ("GET", "/metrics"): {"": _METRICS},
    ("GET", "/openapi.json"): {"": _DOCUMENT},
    ("GET", "/docs"): {"": _PAGE},
    ("GET", "/docs/"): {"{name}": _ASSET},
    ("GET", "/console"): {"": _CONSOLE},
    ("GET", "/console/"): {"{name}": _CONSOLE_FILE},
    ("GET", "/v1/responses"): {"": openai_responses.UPGRADE},
    ("GET", "/v1/responses/"): {
        "{response_id}": openai_responses.SHOW,
        "{response_id}/input_items": openai_responses.ITEMS,
    },
    ("DELETE", "/v1/responses/"): {"{response_id}": openai_responses.DELETE},
    ("POST", "/v1/llm/chat/sessions"): {"": native.BEGIN_SESSION},
    ("GET", "/v1/files"): {
        "": Description(
            summary="List files",
            tag=_FILES,
            query={
                "shape": Query("In whose shape; that of the credential unless said.", Literal["openai", "native"]),
                "limit": Query("From 1 to 10000.", int),
                "order": Query("Newest first (`desc`) or last.", Literal["asc", "desc"]),
                "after": Query("The file before the page."),
                "purpose": Query("Only files of this purpose."),
            },
            answers=answered((openai_chat.FileList, native.FileList)),
        )
    },
    ("POST", "/v1/files"): {
        "": Description(
            summary="Send a file",
            tag=_FILES,
            form=_UPLOAD,
            answers=answered((openai_chat.FileObject, native.FileObject)),
            errors=frozenset({Kind.QUOTA_EXHAUSTED}),
        )
    },
    ("GET", "/v1/files/"): {
        "{file_id}": Description(
            summary="Show a file",
            tag=_FILES,
            parameters=_FILE,
            answers=answered((openai_chat.FileObject, native.FileAnswer)),
        ),
        "{file_id}/content": Description(
            summary="Give a file back",
            tag=_FILES,
            parameters=_FILE,
            query={
                "expires": Query("Of a link: until when it counts, in seconds since the epoch."),
                "signature": Query("Of a link: the proof that stands for a credential."),
            },
            answers={
                200: Answer(about="The content.", content={"*/*": None}),
                302: Answer(about="Where the content is.", headers={"location": "A link to it."}),
            },
        ),
    },
    ("DELETE", "/v1/files/"): {
        "{file_id}": Description(
            summary="Delete a file",
            tag=_FILES,
            parameters=_FILE,
            answers=answered((openai_chat.DeletedFile, native.Empty)),
        )
    },
    ("GET", "/v1/llm/knowledge-bases"): {"": native.LIST_BASES},
    ("POST", "/v1/llm/knowledge-bases"): {"": native.CREATE_BASE},
    ("GET", "/v1/llm/knowledge-bases/"): {
        "{knowledge_base_id}": native.SHOW_BASE,
        "{knowledge_base_id}/files": native.LIST_BASE_FILES,
        "{knowledge_base_id}/files/{file_id}": native.SHOW_BASE_FILE,
    },
    ("POST", "/v1/llm/knowledge-bases/"): {"{knowledge_base_id}/files": native.ATTACH_FILE},
    ("PUT", "/v1/llm/knowledge-bases/"): {"{knowledge_base_id}": native.CHANGE_BASE},
    ("DELETE", "/v1/llm/knowledge-bases/"): {
        "{knowledge_base_id}": native.DELETE_BASE,
        "{knowledge_base_id}/files/{file_id}": native.DETACH_FILE,
    },
}
"""By method and path of an endpoint: what follows the path, and what is told of it."""


def operations(endpoint: Endpoint) -> Iterator[tuple[str, Description]]:
    """The paths that an endpoint serves, as templates, and what is told of each.

    Raises:
        LookupError: Nothing is.
    """
    found = _found(endpoint)
    if found is None:
        raise LookupError(f"nothing describes {endpoint.method} {endpoint.path}; add it to {__name__} or its dialect")
    for rest, description in found.items():
        yield endpoint.path + rest, description


def _found(endpoint: Endpoint) -> Mapping[str, Description] | None:
    dialect, path = endpoint.dialect, endpoint.path
    if (description := _of_dialect(dialect, path)) is not None and endpoint.method == "POST":
        return {"": description}
    if path.endswith("/models"):
        return {"": _model_list(dialect)}
    if path.endswith("/models/"):
        return {"{model}": _one_model(dialect)}
    alias = next((prefix for prefix in _ALIASES if path.startswith(f"{prefix}/")), None)
    plain = path if alias is None else "/v1" + path.removeprefix(alias)
    if (found := _TABLE.get((endpoint.method, plain))) is not None:
        return found
    return {"{path}": native.NOT_SERVED} if dialect is not None and path.endswith("/") else None


def _of_dialect(dialect: Dialect | None, path: str) -> Description | None:
    if dialect is None:
        return None
    first = next((route.paths[0] for route in dialect.routes if path in route.paths), "")
    return DIALECTS[dialect.name].routes.get(first)


def _model_list(dialect: Dialect | None) -> Description:
    if dialect is not None:
        return _MODEL_LISTS[dialect.name]
    lists = _MODEL_LISTS.values()
    return Description(
        summary="List models, in the shape that the client's headers speak",
        tag=_MODELS,
        query={name: field for description in lists for name, field in description.query.items()},
        answers=answered(tuple(description.answers[200].content[JSON] for description in lists)),
    )


def _one_model(dialect: Dialect | None) -> Description:
    shape = tuple(_ONE_MODEL.values()) if dialect is None else _ONE_MODEL[dialect.name]
    return Description(
        summary="Show a model",
        tag=_MODELS,
        parameters={"model": "The model's name."},
        answers=answered(shape),
        errors=frozenset({Kind.MODEL_NOT_FOUND}),
    )
