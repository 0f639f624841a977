"""What can be said of an upstream: the fields of profiles, in words."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from rixin.profiles.explanation import profile_fields
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.phrases import PhraseView

router = guarded_router("providers")


class ChoiceView(BaseModel):
    """A value that a field may have."""

    model_config = ConfigDict(from_attributes=True)

    value: Any
    meaning: str
    """What it does to requests or answers, as a sentence."""
    phrase: PhraseView


class RewriteFieldView(BaseModel):
    """A field of a profile."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    kind: str
    """`choice`, `names`, `table`, `text` or `number`."""
    choices: list[ChoiceView]
    """All that it may be, where it is a choice."""


class RewriteFieldList(BaseModel):
    """All fields, in their order."""

    data: list[RewriteFieldView]


@router.get("/rewrite-fields")
async def list_rewrite_fields() -> RewriteFieldList:
    """Lists what can be said of an upstream, and what that does to requests and answers."""
    return RewriteFieldList(data=[RewriteFieldView.model_validate(field) for field in profile_fields()])
