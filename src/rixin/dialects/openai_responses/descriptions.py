"""What the routes of this dialect give."""

from typing import Literal

from msgspec import Struct

from rixin.dialects.description import (
    JSON,
    Answer,
    AnyObject,
    Description,
    DialectDescription,
    Query,
    answered,
    generated,
    ranges,
)
from rixin.dialects.openai_chat.bounds import BOUNDS, MAX_STOPS
from rixin.dialects.openai_responses.resource import Status
from rixin.dialects.openai_responses.wire import ResponsesBody


class ErrorDetail(Struct, frozen=True):
    """What went wrong."""

    message: str
    type: str
    param: str | None
    """The field that is at fault, such as `input[0].role`."""
    code: str


class ErrorBody(Struct, frozen=True):
    """The body of every error."""

    error: ErrorDetail


class InputDetails(Struct, frozen=True):
    """Of the input's tokens."""

    cached_tokens: int


class OutputDetails(Struct, frozen=True):
    """Of the output's tokens."""

    reasoning_tokens: int


class Usage(Struct, frozen=True):
    """Counts of tokens."""

    input_tokens: int
    input_tokens_details: InputDetails
    output_tokens: int
    output_tokens_details: OutputDetails
    total_tokens: int


class ResponseObject(Struct, frozen=True):
    """A response; the fields of its request are told back beside these."""

    id: str
    object: Literal["response"]
    created_at: int
    status: Status
    model: str
    output: list[AnyObject]
    error: AnyObject | None
    incomplete_details: AnyObject | None
    usage: Usage | None


class Compaction(Struct, frozen=True):
    """A conversation, summed up: the input of the next request."""

    id: str
    object: Literal["response.compaction"]
    created_at: int
    output: list[AnyObject]
    usage: Usage


class InputTokens(Struct, frozen=True):
    """The length of a request's input."""

    object: Literal["response.input_tokens"]
    input_tokens: int


class ItemList(Struct, frozen=True):
    """A page of the items that a response answers."""

    object: Literal["list"]
    data: list[AnyObject]
    first_id: str | None
    last_id: str | None
    has_more: bool


class DeletedResponse(Struct, frozen=True):
    """A response that is no more."""

    id: str
    object: Literal["response"]
    deleted: Literal[True]


_ID = {"response_id": "The response's id, `resp_...`."}

DESCRIPTION = DialectDescription(
    title="OpenAI Responses",
    about="As OpenAI has them and Codex speaks them. Responses are kept for a day unless `store` is false.",
    error=ErrorBody,
    details={
        **ranges({**BOUNDS, "max_output_tokens": BOUNDS["max_tokens"]}),
        "model": {"minLength": 1},
        "stop": {"minLength": 1, "maxItems": MAX_STOPS},
    },
    routes={
        "/v1/responses": Description(
            summary="Answer, and keep the answer to go on from",
            body=ResponsesBody,
            answers=generated(ResponseObject),
            asks_model=True,
        ),
        "/v1/responses/compact": Description(
            summary="Sum up a conversation", body=ResponsesBody, answers=answered(Compaction), asks_model=True
        ),
        "/v1/responses/input_tokens": Description(
            summary="Count a request's tokens", body=ResponsesBody, answers=answered(InputTokens), asks_model=True
        ),
    },
)
UPGRADE = Description(
    summary="Say that there is no WebSocket here",
    answers={
        405: Answer(about="Requests are posted.", content={JSON: ErrorBody}),
        426: Answer(about="To a client that asks for WebSocket.", content={JSON: ErrorBody}),
    },
)
SHOW = Description(
    summary="Show a kept response",
    parameters=_ID,
    query={"stream": Query("Must not be true: a kept response is complete.")},
    answers=answered(ResponseObject),
)
DELETE = Description(summary="Delete a kept response", parameters=_ID, answers=answered(DeletedResponse))
ITEMS = Description(
    summary="List what a kept response answers",
    parameters=_ID,
    query={
        "limit": Query("From 1 to 100; 20 unless said.", int),
        "order": Query("Newest first (`desc`) or last.", Literal["asc", "desc"]),
        "after": Query("The item before the page."),
        "before": Query("The item behind the page."),
    },
    answers=answered(ItemList),
)
