"""Files that clients left with the server: whose they are, what room they take, links to their content, deletion.

They are sent to `POST /v1/files`, which takes them while they come.
"""

from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict

from rixin.accounts.file_purposes import PURPOSES, SCHEMES, Purpose
from rixin.core.files import Shape, Status
from rixin.settings import Files
from rixin.store.owned_files import FileFilter, OwnedFile
from rixin.store.owners import OwnerKind
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.reach import reach_of
from rixin.web.admin.services import Caller, Services

router = guarded_router("files")

MAX_LISTED = 200
MAX_SEARCH = 200


class OwnerView(BaseModel):
    """Whose something is."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    kind: OwnerKind
    """A `key`, a `user`, or `local`: whoever asks a server that wants no keys."""
    name: str | None
    """Absent for `local`, and where the owner is gone."""


class FileView(BaseModel):
    """A file. Sizes are bytes, instants seconds since the epoch."""

    id: str
    name: str
    owner: OwnerView
    size: int
    media_type: str
    """As its first bytes tell, whatever its sender said."""
    shape: Shape
    """Whose API it was made by."""
    purpose: str
    """One of OpenAI's, or a scheme of the native platform's, as `shape` says."""
    status: Status
    description: str
    created_at: float
    expires_at: float | None


class FilePage(BaseModel):
    """Some files, the newest first."""

    data: list[FileView]
    next: str | None
    """The `after` of the next page; absent on the last one."""


class PurposeView(BaseModel):
    """What files for a purpose must be."""

    name: str
    field: Literal["scheme", "purpose"]
    """In which field of an upload it stands."""
    families: list[str]
    """Any of `image`, `video`, `text`, `document`; empty for everything."""
    max_bytes: int
    lifetime: float | None
    """Seconds after which such a file goes, unless its sender says otherwise."""


class FileRoom(BaseModel):
    """The room that who asks has for files. Sizes are bytes."""

    used_bytes: int
    used_files: int
    max_bytes: int
    max_files: int
    max_file_bytes: int
    purposes: list[PurposeView]


class LinkView(BaseModel):
    """Where the content of a file can be had, without any other credential."""

    model_config = ConfigDict(from_attributes=True)

    url: str
    """Without a host, unless the settings say under which address clients reach the server."""
    expires_at: float


@router.get("/files")
async def list_files(
    services: Services,
    caller: Caller,
    search: Annotated[str, Query(description="Text in the name, whatever its case.", max_length=MAX_SEARCH)] = "",
    owner: Annotated[str | None, Query(description="The id of the key or user whose they are.", max_length=200)] = None,
    purpose: Annotated[str | None, Query(description="A purpose or scheme.", max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 50,
    after: Annotated[str | None, Query(description="The `next` of the page before.", max_length=100)] = None,
) -> FilePage:
    """Lists files, the newest first; to a member, their own, and those of keys that they see."""
    wanted = FileFilter(reach=reach_of(caller), owner=owner, search=search, purpose=purpose)
    found = await services.files.list(wanted, limit, after)
    return FilePage(data=[_view(each) for each in found], next=found[-1].file.id if len(found) == limit else None)


@router.get("/files/room")
async def show_room(services: Services, caller: Caller) -> FileRoom:
    """Shows the room that who asks has for files, and what they may be for."""
    settings, taken = services.files.settings, await services.files.taken(caller.id)
    return FileRoom(
        used_bytes=taken.bytes,
        used_files=taken.files,
        max_bytes=settings.max_account_bytes,
        max_files=settings.max_account_files,
        max_file_bytes=settings.max_file_bytes,
        purposes=[
            *(_purpose("purpose", name, purpose, settings) for name, purpose in PURPOSES.items()),
            *(_purpose("scheme", name, purpose, settings) for name, purpose in SCHEMES.items()),
        ],
    )


@router.post("/files/{file_id}/link")
async def link_file(services: Services, caller: Caller, file_id: str) -> LinkView:
    """Makes a link to the content of a file, which counts for a day."""
    return LinkView.model_validate(await services.files.link(file_id, reach_of(caller)))


@router.delete("/files/{file_id}", status_code=204)
async def delete_file(services: Services, caller: Caller, file_id: str) -> None:
    """Deletes a file for good."""
    await services.files.delete(file_id, reach_of(caller))


def _view(owned: OwnedFile) -> FileView:
    file = owned.file
    return FileView(
        id=file.id,
        name=file.name,
        owner=OwnerView.model_validate(owned.owner),
        size=file.size,
        media_type=file.media_type,
        shape=file.shape,
        purpose=file.purpose,
        status=file.status,
        description=file.description,
        created_at=file.created_at,
        expires_at=file.expires_at,
    )


def _purpose(field: Literal["scheme", "purpose"], name: str, purpose: Purpose, settings: Files) -> PurposeView:
    return PurposeView(
        name=name,
        field=field,
        families=list(purpose.families),
        max_bytes=min(settings.max_file_bytes, purpose.max_bytes or settings.max_file_bytes),
        lifetime=purpose.lifetime,
    )
