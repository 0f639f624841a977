"""`rixin skills`: skills of agents, installed, watched and removed; and how those of SenseNova reach this server."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from rixin.cli import options, output
from rixin.cli.client import Target, find_target
from rixin.clients.skills import env_file
from rixin.clients.skills.agents import AGENTS, Agent, find_agent, present_agents
from rixin.clients.skills.discovery import Fetched, fetch
from rixin.clients.skills.folder import Action, Change, Outcome, SkillsFolder
from rixin.clients.skills.installed import Installed
from rixin.clients.skills.source import SourceName, name_source
from rixin.clock import SystemClock
from rixin.core.json import JsonObject
from rixin.errors import Kind, RixinError
from rixin.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False)

KEY, BASE_URL = "SN_API_KEY", "SN_BASE_URL"
_NEARER = ("SN_TEXT_", "SN_VISION_", "SN_CHAT_", "SN_IMAGE_GEN_")
"""How variables begin that the skills of SenseNova look at before those two."""
_UNDONE = {Action.ADDED: "would be added", Action.REPLACED: "would be replaced", Action.REMOVED: "would be removed"}

_WHOSE = f"Whose skills: {', '.join(AGENTS)}, or a directory"
Whose: TypeAlias = Annotated[list[str], typer.Option("--agent", help=f"{_WHOSE}; may be repeated.", metavar="AGENT")]
AnyWhose: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--agent", help=f"{_WHOSE}; all agents of this machine unless given.", metavar="AGENT"),
]
EnvWhose: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--agent", help="Whose file of variables: openclaw or hermes; may be repeated.", metavar="AGENT"),
]
Names: TypeAlias = Annotated[list[str], typer.Argument(help="The skills' names.", metavar="NAME...")]
AnyNames: TypeAlias = Annotated[list[str] | None, typer.Argument(help="Which skills; all unless given.")]
Force: TypeAlias = Annotated[
    bool, typer.Option("--force", help="Replace or remove what was edited or comes from elsewhere; a backup is kept.")
]
DryRun: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")]


@app.callback()
def skills() -> None:
    """Install, check and update agents' skills. OpenClaw, hermes, Claude Code and Codex find them when they start."""


@app.command()
def install(
    agent: Whose,
    source: Annotated[
        str | None,
        typer.Argument(help="A git URL or a directory; Rixin's own skill unless given.", show_default=False),
    ] = None,
    skill: Annotated[
        list[str] | None, typer.Option("--skill", help="One of its skills; may be repeated; all unless given.")
    ] = None,
    ref: Annotated[str | None, typer.Option("--ref", help="A branch, tag or commit of the repository.")] = None,
    path: Annotated[str, typer.Option("--path", help="The folder of the source in which to look.")] = "",
    force: Force = False,
    dry_run: DryRun = False,
    json: options.Json = False,
) -> None:
    """Install skills from a source. They are copies, and remember where they came from."""
    agents = _agents(agent)
    fetched = fetch(name_source(source, ref=ref, path=path), skill or ())
    now = SystemClock().now()
    outcomes = {
        whose.name: SkillsFolder(whose.skills).install([fetched], now=now, force=force, dry_run=dry_run)
        for whose in agents
    }
    for warning in (warning for found in fetched.skills for warning in found.warnings):
        output.note(output.printable(f"within a skill, {warning}"))
    if not dry_run:
        output.note("Agents find new skills when they are started again.")
    _finish(outcomes, dry_run=dry_run, json=json)


@app.command("list")
def list_skills(agent: AnyWhose = None, json: options.Json = False) -> None:
    """List what was installed, and from where."""
    rows = [(whose, skill) for whose, installed in _holdings(agent, None) for skill in installed]
    if json:
        output.print_json([_tree(whose, skill) for whose, skill in rows])
        return
    output.print_table(
        ("agent", "name", "from", "version", "installed", "state"),
        (
            (
                whose.name,
                skill.name,
                str(skill.marker.source) if skill.marker else "-",
                (skill.marker.version or skill.marker.digest)[:12] if skill.marker else "-",
                skill.marker.installed_at if skill.marker else "-",
                str(skill.drift()) or "as installed",
            )
            for whose, skill in rows
        ),
    )


@app.command()
def update(
    names: AnyNames = None,
    agent: AnyWhose = None,
    force: Force = False,
    dry_run: DryRun = False,
    json: options.Json = False,
) -> None:
    """Fetch installed skills again. Exit code 1 if one had to stay as it is."""
    outcomes = {
        whose.name: _updated(SkillsFolder(whose.skills), installed, force=force, dry_run=dry_run)
        for whose, installed in _holdings(agent, names)
    }
    _finish(outcomes, dry_run=dry_run, json=json)


@app.command()
def remove(
    names: Names, agent: Whose, force: Force = False, dry_run: DryRun = False, json: options.Json = False
) -> None:
    """Remove installed skills. Files that were added to them stay, and a backup is kept."""
    now = SystemClock().now()
    outcomes = {
        whose.name: SkillsFolder(whose.skills).remove(names, now=now, force=force, dry_run=dry_run)
        for whose in _agents(agent)
    }
    _finish(outcomes, dry_run=dry_run, json=json)


@app.command()
def verify(names: AnyNames = None, agent: AnyWhose = None, json: options.Json = False) -> None:
    """Compare skills with what was installed. Exit code 1 if a file was changed, is missing or was added."""
    found = [(whose, skill) for whose, installed in _holdings(agent, names) for skill in installed]
    drifted = [(whose, skill) for whose, skill in found if skill.drift()]
    if json:
        output.print_json([_tree(whose, skill) for whose, skill in found])
    else:
        for whose, skill in drifted:
            output.stdout.print(output.printable(f"{whose.name}: {skill.name}: {skill.drift()}"))
        output.note(f"{len(found) - len(drifted)} of {len(found)} skills are as they were installed")
    if drifted:
        raise typer.Exit(1)


@app.command()
def env(
    agent: EnvWhose = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", help="The .env file to write, where the agent has none of its own.", metavar="FILE"),
    ] = None,
    base_url: options.BaseUrl = None,
    api_key: options.ApiKey = None,
    dry_run: DryRun = False,
    config: options.Config = None,
    data_dir: options.DataDir = None,
) -> None:
    """Point SenseNova's skills at this server. Sets SN_BASE_URL and SN_API_KEY where they read them."""
    settings = options.load_settings(config, data_dir)
    target = find_target(settings, base_url=base_url, api_key=api_key, environ=os.environ)
    values = {KEY: _key(target, settings), BASE_URL: target.base_url}
    if file is None and not agent:
        raise RixinError(Kind.INVALID_REQUEST, "say where: --agent openclaw, --agent hermes, or --file PATH")
    for path in [file] if file is not None else [_env_file(whose) for whose in _agents(agent)]:
        before = env_file.read_text(path) or ""
        after = env_file.with_variables(before, values)
        told = f"{BASE_URL}={target.base_url} and {KEY} (not shown) in {path}"
        if after == before:
            output.stdout.print(output.printable(f"unchanged: {told}"))
        elif dry_run:
            output.stdout.print(output.printable(f"would set {told}"))
        else:
            backup = env_file.replace_text(path, after, SystemClock().now())
            output.stdout.print(output.printable(f"set {told}" + (f"; as it was: {backup}" if backup else "")))
        nearer = sorted(name for name in env_file.variables(after) if name.startswith(_NEARER))
        if nearer:
            output.note(f"The skills look at {', '.join(nearer)} first, which {path} sets too.")


def _agents(names: Sequence[str] | None) -> list[Agent]:
    if not names:
        return present_agents(os.environ, Path.home())
    return [find_agent(name, os.environ, Path.home()) for name in dict.fromkeys(names)]


def _holdings(agents: Sequence[str] | None, names: Sequence[str] | None) -> list[tuple[Agent, list[Installed]]]:
    """What is installed for the agents that are meant, of the skills that are named; agents without any are left out.

    Raises:
        RixinError: `NOT_FOUND` for a skill that none of them has.
    """
    found = [(whose, SkillsFolder(whose.skills).installed()) for whose in _agents(agents)]
    missing = set(names or ()).difference(skill.name for _, installed in found for skill in installed)
    if missing:
        raise RixinError(
            Kind.NOT_FOUND, f"{', '.join(sorted(missing))}: not installed by rixin for any of these agents"
        )
    chosen = [(whose, [skill for skill in installed if not names or skill.name in names]) for whose, installed in found]
    return [(whose, installed) for whose, installed in chosen if installed]


def _updated(folder: SkillsFolder, installed: Sequence[Installed], *, force: bool, dry_run: bool) -> Outcome:
    """Fetches the sources of skills, each once, and installs what they have of them."""
    changes: list[Change] = []
    sources: dict[SourceName, list[str]] = {}
    for skill in installed:
        if skill.marker is None:
            changes.append(
                Change(name=skill.name, action=Action.KEPT, reason="its marker is damaged; install it again")
            )
        else:
            sources.setdefault(skill.marker.source, []).append(skill.name)
    fetched: list[Fetched] = []
    for source, wanted in sources.items():
        found = fetch(source, wanted, missing=True)
        fetched.append(found)
        gone = set(wanted).difference(skill.name for skill in found.skills)
        changes += [Change(name=name, action=Action.GONE, reason=f"{source} has it no longer") for name in gone]
    done = folder.install(fetched, now=SystemClock().now(), force=force, dry_run=dry_run)
    return Outcome(changes=tuple(sorted([*changes, *done.changes], key=lambda change: change.name)), backup=done.backup)


def _finish(outcomes: dict[str, Outcome], *, dry_run: bool, json: bool) -> None:
    """Tells what was done. Exit code 1 if something had to stay as it is."""
    if json:
        output.print_json([{"agent": name, **_outcome(outcome)} for name, outcome in outcomes.items()])
    else:
        for name, outcome in outcomes.items():
            _show(name, outcome, dry_run=dry_run)
    actions = {change.action for outcome in outcomes.values() for change in outcome.changes}
    if actions & {Action.KEPT, Action.GONE}:
        raise typer.Exit(1)


def _show(whose: str, outcome: Outcome, *, dry_run: bool) -> None:
    for change in outcome.changes:
        done = _UNDONE.get(change.action, change.action.value) if dry_run else change.action.value
        reason = f" ({change.reason})" if change.reason else ""
        left = f"; left there: {', '.join(change.left)}" if change.left else ""
        output.stdout.print(output.printable(f"{whose}: {change.name} {done}{reason}{left}"))
    if any(change.action is Action.KEPT for change in outcome.changes):
        output.note("What was kept is replaced or removed with --force.")
    if outcome.backup is not None:
        output.note(f"What was there before is in {outcome.backup}")


def _outcome(outcome: Outcome) -> JsonObject:
    return {
        "changes": [
            {"name": change.name, "action": change.action.value, "reason": change.reason, "left": list(change.left)}
            for change in outcome.changes
        ],
        "backup": str(outcome.backup) if outcome.backup else None,
    }


def _tree(whose: Agent, skill: Installed) -> JsonObject:
    drift = skill.drift()
    marker = skill.marker
    return {
        "agent": whose.name,
        "name": skill.name,
        "path": str(skill.path),
        "source": str(marker.source) if marker else None,
        "version": marker.version if marker else None,
        "digest": marker.digest if marker else None,
        "installed_at": marker.installed_at if marker else None,
        "changed": list(drift.changed),
        "missing": list(drift.missing),
        "extra": list(drift.extra),
        "damaged": drift.damaged,
    }


def _env_file(whose: Agent) -> Path:
    if whose.env_file is None:
        raise RixinError(
            Kind.INVALID_REQUEST,
            f"{whose.name} keeps no file of variables for its skills; name the .env of the directory "
            "in which it works: --file PATH",
        )
    return whose.env_file


def _key(target: Target, settings: Settings) -> str:
    if target.api_key:
        return target.api_key
    if target.local and settings.server.auth == "off":
        return "none"  # the skills refuse to start without one, and this server does not look at it
    raise RixinError(Kind.CONFIGURATION, "there is no key to write; make one with: rixin keys create NAME")
