"""Skills of the agents on this machine: looked at before they are installed, installed as they were looked at, removed.

All of it is for the owner on this machine only: it reads and writes in their home, and has git fetch what they name.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from rixin.clients.connect.agent import home_in
from rixin.clients.skills.agents import AGENTS, Agent, find_agent
from rixin.clients.skills.discovery import Fetched, fetch
from rixin.clients.skills.folder import Action, Change, Outcome, SkillsFolder
from rixin.clients.skills.git_url import is_git_url
from rixin.clients.skills.installed import Installed
from rixin.clients.skills.skill import SKILL_FILE, Skill, digest
from rixin.clients.skills.source import SourceName, name_source
from rixin.errors import Kind, RixinError, invalid
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.services import Services

router = guarded_router("skills")

MAX_SHOWN = 64 * 1024
"""Characters of a skill's own text that are shown."""
_Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=100)]
AgentName: TypeAlias = Literal["openclaw", "hermes", "claude", "codex"]


class InstalledSkill(BaseModel):
    """A skill that Rixin installed."""

    name: str
    source: str | None
    """Absent where its marker is damaged; so are the next two."""
    version: str | None
    installed_at: str | None
    """RFC 3339, in UTC."""
    changed: list[str]
    """Files that are not as they were installed."""
    missing: list[str]
    extra: list[str]
    """Files that were added."""
    damaged: bool
    """Whether the marker is, so that nothing can be told."""


class SkillsAgent(BaseModel):
    """An agent and its skills."""

    name: str
    folder: str
    present: bool
    """Whether it has a folder for skills."""
    skills: list[InstalledSkill]


class SkillsList(BaseModel):
    """All agents."""

    data: list[SkillsAgent]


class SkillsWish(BaseModel):
    """Where skills are."""

    model_config = ConfigDict(extra="forbid", strict=True)

    agent: AgentName
    source: Annotated[str, Field(max_length=1000)] | None = None
    """The URL of a git repository; Rixin's own skills unless given."""
    ref: Annotated[str, Field(max_length=200)] | None = None
    """A branch, tag or commit of it."""
    path: Annotated[str, Field(max_length=500)] = ""
    """The folder of it in which to look."""


class SkillFileView(BaseModel):
    """A file that a skill brings."""

    path: str
    size: int
    """Bytes."""
    executable: bool


class FoundSkill(BaseModel):
    """A skill as its source has it, and what installing it would do."""

    name: str
    description: str
    digest: str
    """Of all its files."""
    text: str
    """What it tells the agent: its `SKILL.md`."""
    files: list[SkillFileView]
    nested: list[str]
    """Folders in it that are skills themselves."""
    warnings: list[str]
    action: Action
    """`added`, `replaced`, `unchanged`, or `kept` where it stays unless it is forced."""
    reason: str


class FoundSkills(BaseModel):
    """What a source has."""

    source: str
    version: str | None
    """The commit, or the version of Rixin."""
    data: list[FoundSkill]


class InstallWish(SkillsWish):
    """Which skills shall be installed."""

    skills: Annotated[dict[_Name, str], Field(min_length=1, max_length=500)]
    """The digest of each that was looked at, by name."""
    force: bool = False
    """Replace what was edited or comes from elsewhere; a backup is kept."""


class RemoveWish(BaseModel):
    """Which skills shall be removed."""

    model_config = ConfigDict(extra="forbid", strict=True)

    agent: AgentName
    names: Annotated[list[_Name], Field(min_length=1, max_length=500)]
    force: bool = False
    """Also take away what was edited; a backup is kept."""


class SkillChange(BaseModel):
    """What became of one skill."""

    name: str
    action: Action
    """`added`, `replaced`, `removed`, `unchanged`, or `kept`."""
    reason: str
    left: list[str]
    """Files that were not installed, and stay where they are."""


class SkillChanges(BaseModel):
    """What was done."""

    data: list[SkillChange]
    backup: str | None
    """Where what was replaced or removed lies now."""


@router.get("/skills")
async def list_skills(services: Services) -> SkillsList:
    """Lists the agents of this machine, and the skills that were installed for them."""
    agents = [_agent(name, services.environ) for name in AGENTS]
    return SkillsList(data=await asyncio.to_thread(lambda: [_agent_view(agent) for agent in agents]))


@router.post("/skills/look")
async def look_at_skills(services: Services, request: Request, wish: SkillsWish) -> FoundSkills:
    """Fetches a source and shows what its skills bring. Nothing is installed."""
    folder = SkillsFolder(_agent(wish.agent, services.environ).skills)
    source, now = _source(wish), services.clock.now()
    request.state.target = str(source)

    def look() -> FoundSkills:
        fetched = fetch(source)
        planned = {change.name: change for change in folder.install([fetched], now=now, dry_run=True).changes}
        return FoundSkills(
            source=str(fetched.source),
            version=fetched.version,
            data=[_found(skill, planned[skill.name]) for skill in fetched.skills],
        )

    return await asyncio.to_thread(look)


@router.post("/skills/install")
async def install_skills(services: Services, request: Request, wish: InstallWish) -> SkillChanges:
    """Installs skills of a source, if they are as they were looked at."""
    folder = SkillsFolder(_agent(wish.agent, services.environ).skills)
    source, now = _source(wish), services.clock.now()
    request.state.target = f"{wish.agent}: {', '.join(wish.skills)}"

    def install() -> Outcome:
        fetched = fetch(source, wish.skills)
        _check_same(fetched, wish.skills)
        return folder.install([fetched], now=now, force=wish.force)

    return _changes(await asyncio.to_thread(install))


@router.post("/skills/remove")
async def remove_skills(services: Services, request: Request, wish: RemoveWish) -> SkillChanges:
    """Removes installed skills. Files that were added to them stay, and a backup is kept."""
    folder = SkillsFolder(_agent(wish.agent, services.environ).skills)
    now = services.clock.now()
    request.state.target = f"{wish.agent}: {', '.join(wish.names)}"
    return _changes(await asyncio.to_thread(lambda: folder.remove(wish.names, now=now, force=wish.force)))


def _agent(name: str, environ: Mapping[str, str]) -> Agent:
    return find_agent(name, environ, home_in(environ))


def _source(wish: SkillsWish) -> SourceName:
    """The source that is meant. Directories are for the command line: no page names paths of this machine.

    Raises:
        RixinError: `INVALID_REQUEST` for what is no git URL.
    """
    if wish.source is not None and not is_git_url(wish.source):
        raise invalid("source must be a git URL; `rixin skills install` takes directories, too.", "source")
    return name_source(wish.source, ref=wish.ref, path=wish.path)


def _check_same(fetched: Fetched, looked_at: Mapping[str, str]) -> None:
    for skill in fetched.skills:
        if _digest(skill) != looked_at[skill.name]:
            raise RixinError(Kind.CONFLICT, f"The skill {skill.name} is another one by now. Look at it again.")


def _digest(skill: Skill) -> str:
    return digest(skill.records.items())


def _found(skill: Skill, planned: Change) -> FoundSkill:
    text = next(file.content for file in skill.files if file.path == SKILL_FILE)
    return FoundSkill(
        name=skill.name,
        description=skill.description,
        digest=_digest(skill),
        text=text.decode("utf-8", "replace")[:MAX_SHOWN],
        files=[
            SkillFileView(path=file.path, size=len(file.content), executable=file.executable) for file in skill.files
        ],
        nested=list(skill.nested),
        warnings=list(skill.warnings),
        action=planned.action,
        reason=planned.reason,
    )


def _changes(outcome: Outcome) -> SkillChanges:
    return SkillChanges(
        data=[
            SkillChange(name=change.name, action=change.action, reason=change.reason, left=list(change.left))
            for change in outcome.changes
        ],
        backup=None if outcome.backup is None else str(outcome.backup),
    )


def _agent_view(agent: Agent) -> SkillsAgent:
    there = Path(agent.skills).is_dir()
    installed = SkillsFolder(agent.skills).installed() if there else []
    return SkillsAgent(
        name=agent.name, folder=str(agent.skills), present=there, skills=[_installed(skill) for skill in installed]
    )


def _installed(skill: Installed) -> InstalledSkill:
    drift, marker = skill.drift(), skill.marker
    return InstalledSkill(
        name=skill.name,
        source=None if marker is None else str(marker.source),
        version=None if marker is None else marker.version or marker.digest[:12],
        installed_at=None if marker is None else marker.installed_at,
        changed=list(drift.changed),
        missing=list(drift.missing),
        extra=list(drift.extra),
        damaged=drift.damaged,
    )
