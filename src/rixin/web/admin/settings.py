"""What is set on the server and where it comes from; what the server is made of and where it keeps things."""

import asyncio
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from rixin import __version__
from rixin.service import installation
from rixin.service.configuration import Source
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.services import Services

router = guarded_router("settings")


class SettingView(BaseModel):
    """One setting, or a list or map of them."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    """Such as `server.port` or `providers`."""
    value: JsonValue
    """In force; secrets in it are hidden."""
    source: Source
    origin: str | None
    """The path of the file, or the name of the variable."""
    restart: bool
    """Whether another value counts from the next start on."""
    pending: bool
    """Whether the file or the environment says another value by now, which the next start will take."""


class SettingsView(BaseModel):
    """All settings."""

    file: str | None
    """The configuration file that is looked at while the server runs, there or not."""
    file_exists: bool
    data: list[SettingView]


class ReloadResult(BaseModel):
    """What became of reading the configuration file again."""

    problem: str | None
    """Why it does not count; what counted before counts on. Absent where it does."""


class InstallationView(BaseModel):
    """What the server is made of, and where it keeps things."""

    version: str
    python: str
    system: str
    config_file: str | None
    data_dir: str
    models_dir: str
    files: str
    """A directory, or the address of a bucket."""
    database: Literal["sqlite", "postgresql"]
    database_place: str
    counters: Literal["process", "database", "redis"]
    """Where limits are counted: `process` has rates in memory and longer windows in the database."""
    counters_place: str | None
    parts: dict[str, str]
    """The versions of packages that matter, by name."""


@router.get("/settings")
async def show_settings(services: Services) -> SettingsView:
    """Shows what is set, and where it comes from."""
    configuration = services.configuration
    told = await asyncio.to_thread(configuration.told)
    file = configuration.file
    return SettingsView(
        file=None if file is None else str(file),
        file_exists=file is not None and await asyncio.to_thread(file.is_file),
        data=[SettingView.model_validate(setting) for setting in told],
    )


@router.post("/settings/reload")
async def reload_settings(services: Services) -> ReloadResult:
    """Reads the configuration file again at once. Providers, aliases and routes count from then on."""
    return ReloadResult(problem=await services.configuration.reload())


@router.get("/installation")
async def show_installation(services: Services) -> InstallationView:
    """Shows what the server is made of, and where it keeps things."""
    made = services.installation
    return InstallationView(
        version=__version__,
        python=installation.python(),
        system=installation.system(),
        config_file=None if made.config_file is None else str(made.config_file),
        data_dir=str(made.data_dir),
        models_dir=str(made.models_dir),
        files=made.files,
        database=made.database,
        database_place=made.database_place,
        counters=made.counters,
        counters_place=made.counters_place,
        parts=await asyncio.to_thread(installation.parts),
    )
