"""Names that are given to models: by the settings file, and by habit."""

from pydantic import BaseModel, ConfigDict

from rixin.routing.catalog import BUILTIN_PATTERNS
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.services import Services

router = guarded_router("models")


class AliasView(BaseModel):
    """Another name of a model."""

    name: str
    """A name, or a glob."""
    target: str


class TargetView(BaseModel):
    """One of the models that answer together for a name."""

    model_config = ConfigDict(from_attributes=True)

    model: str
    priority: int | None
    """The provider's unless given."""
    weight: float | None
    """The provider's unless given."""


class RouteView(BaseModel):
    """A name that several models answer."""

    name: str
    targets: list[TargetView]


class HabitView(BaseModel):
    """Names that clients ask for by habit, which the default model of an operation answers."""

    pattern: str
    operation: str


class NameList(BaseModel):
    """All names of the settings file, and those of habit. Names that providers give are among their settings."""

    aliases: list[AliasView]
    routes: list[RouteView]
    habits: list[HabitView]


@router.get("/names")
async def list_names(services: Services) -> NameList:
    """Lists the names that the settings file gives to models, in its order, and those of habit."""
    return NameList(
        aliases=[AliasView(name=name, target=target) for name, target in services.aliases().items()],
        routes=[
            RouteView(name=name, targets=[TargetView.model_validate(target) for target in targets])
            for name, targets in services.routes().items()
        ],
        habits=[HabitView(pattern=name, operation=operation) for name, operation in BUILTIN_PATTERNS.items()],
    )
