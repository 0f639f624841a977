"""Knowledge bases: whose they are, what they are made of, how far indexing is, and what a search finds in them."""

from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field

from rixin.core.knowledge import DocumentStatus
from rixin.knowledge.search import Mode
from rixin.service.knowledge import MAX_DESCRIPTION, ROOM
from rixin.service.knowledge_register import HeldBase
from rixin.store.owned_bases import OwnedBase
from rixin.web.admin.files import OwnerView
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.reach import reach_of
from rixin.web.admin.services import Caller, Services

router = guarded_router("knowledge")

MAX_LISTED = 100
MAX_HITS = 50
MAX_QUESTION = 2000


class BaseSummary(BaseModel):
    """A knowledge base without its files. Instants are seconds since the epoch."""

    id: str
    owner: OwnerView
    description: str
    created_at: float
    updated_at: float
    waiting: int
    """Files that are still being read."""
    valid: int
    """Files that can be searched."""
    invalid: int
    """Files that cannot be read."""


class BasePage(BaseModel):
    """Some knowledge bases, the newest first."""

    data: list[BaseSummary]
    next: str | None
    """The `after` of the next page; absent on the last one."""


class DocumentView(BaseModel):
    """A file of a knowledge base."""

    model_config = ConfigDict(from_attributes=True)

    file_id: str
    name: str
    status: DocumentStatus
    passages: int | None
    """Pieces that it was cut into; absent until it is."""
    indexed: int
    """How many of them can be found by now."""
    error: str | None
    """Why it cannot be read."""
    created_at: float
    updated_at: float


class BaseView(BaseModel):
    """A knowledge base with its files."""

    id: str
    owner: OwnerView
    description: str
    created_at: float
    updated_at: float
    documents: list[DocumentView]


class NewBase(BaseModel):
    """A wish for a knowledge base."""

    model_config = ConfigDict(extra="forbid", strict=True)

    description: Annotated[str, Field(max_length=MAX_DESCRIPTION)] = ""
    files: Annotated[list[str], Field(max_length=ROOM.documents)] = []
    """The ids of files, of who asks."""


class BaseChange(BaseModel):
    """What shall change of a knowledge base."""

    model_config = ConfigDict(extra="forbid", strict=True)

    description: Annotated[str, Field(max_length=MAX_DESCRIPTION)]


class Attachment(BaseModel):
    """A file that is put into a knowledge base."""

    model_config = ConfigDict(extra="forbid", strict=True)

    file_id: str
    """Of the base's owner."""


class SearchWish(BaseModel):
    """What is looked for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: Annotated[str, Field(min_length=1, max_length=MAX_QUESTION)]
    mode: Mode = "hybrid"
    """By words (`text`), by meaning (`vector`), or by both."""
    limit: Annotated[int, Field(ge=1, le=MAX_HITS)] = 10


class HitView(BaseModel):
    """A passage that was found."""

    model_config = ConfigDict(from_attributes=True)

    file_id: str
    document: str
    """The name of the file that it is from."""
    text: str
    heading: str
    """The headings that it stands under, outermost first."""
    page: int | None
    score: float
    """From 0 to 1; comparable within one search only."""
    text_rank: int | None
    """Its place among what was found by words, counted from 1; absent where it was not."""
    vector_rank: int | None
    """The same of what was found by meaning."""


class SearchResult(BaseModel):
    """What was found, the best first."""

    hits: list[HitView]
    answer: str | None
    """What the base answers to the nearest question that is often asked; absent where it has none."""
    answer_score: float | None
    """How near that question is: 1 for the same, 0 for any other."""


@router.get("/knowledge-bases")
async def list_knowledge_bases(
    services: Services,
    caller: Caller,
    owner: Annotated[str | None, Query(description="The id of the key or user whose they are.", max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 50,
    after: Annotated[str | None, Query(description="The `next` of the page before.", max_length=100)] = None,
) -> BasePage:
    """Lists knowledge bases, the newest first; to a member, their own, and those of keys that they see."""
    found = await services.knowledge.list(reach_of(caller), owner, limit, after)
    return BasePage(data=[_summary(base) for base in found], next=found[-1].id if len(found) == limit else None)


@router.post("/knowledge-bases", status_code=201)
async def create_knowledge_base(services: Services, caller: Caller, request: Request, wish: NewBase) -> BaseView:
    """Makes a knowledge base."""
    made = await services.knowledge.create(caller.id, wish.description, wish.files)
    request.state.target = made.base.id
    return _view(made)


@router.get("/knowledge-bases/{base_id}")
async def show_knowledge_base(services: Services, caller: Caller, base_id: str) -> BaseView:
    """Shows a knowledge base, and how far its files are."""
    return _view(await services.knowledge.get(base_id, reach_of(caller)))


@router.patch("/knowledge-bases/{base_id}")
async def change_knowledge_base(services: Services, caller: Caller, base_id: str, change: BaseChange) -> BaseView:
    """Says anew what a knowledge base is about."""
    return _view(await services.knowledge.describe(base_id, reach_of(caller), change.description))


@router.delete("/knowledge-bases/{base_id}", status_code=204)
async def delete_knowledge_base(services: Services, caller: Caller, base_id: str) -> None:
    """Deletes a knowledge base; its files stay."""
    await services.knowledge.delete(base_id, reach_of(caller))


@router.post("/knowledge-bases/{base_id}/files")
async def attach_file(services: Services, caller: Caller, base_id: str, wish: Attachment) -> BaseView:
    """Puts a file into a knowledge base, which begins to read it."""
    return _view(await services.knowledge.attach(base_id, reach_of(caller), wish.file_id))


@router.delete("/knowledge-bases/{base_id}/files/{file_id}", status_code=204)
async def detach_file(services: Services, caller: Caller, base_id: str, file_id: str) -> None:
    """Takes a file from a knowledge base; the file itself stays."""
    await services.knowledge.detach(base_id, reach_of(caller), file_id)


@router.post("/knowledge-bases/{base_id}/search")
async def search_knowledge_base(services: Services, caller: Caller, base_id: str, wish: SearchWish) -> SearchResult:
    """Looks for passages as a model would be given them."""
    found = await services.knowledge.search(base_id, reach_of(caller), wish.question, wish.limit, wish.mode)
    nearest = found.answers[0] if found.answers else None
    return SearchResult(
        hits=[HitView.model_validate(hit) for hit in found.hits],
        answer=None if nearest is None else nearest.text,
        answer_score=None if nearest is None else nearest.score,
    )


def _summary(base: OwnedBase) -> BaseSummary:
    return BaseSummary(
        id=base.id,
        owner=OwnerView.model_validate(base.owner),
        description=base.description,
        created_at=base.created_at,
        updated_at=base.updated_at,
        waiting=base.documents.get("uploaded", 0),
        valid=base.documents.get("valid", 0),
        invalid=base.documents.get("invalid", 0),
    )


def _view(held: HeldBase) -> BaseView:
    base = held.base
    return BaseView(
        id=base.id,
        owner=OwnerView.model_validate(held.owner),
        description=base.description,
        created_at=base.created_at,
        updated_at=base.updated_at,
        documents=[DocumentView.model_validate(document) for document in base.documents],
    )
