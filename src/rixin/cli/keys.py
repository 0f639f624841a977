"""`rixin keys`: API keys and access keys, whether the server runs or not."""

import importlib.resources
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from rixin.accounts.access_keys import CreatedAccessKey, MintedToken
from rixin.accounts.account import SCOPES
from rixin.accounts.api_keys import CreatedKey
from rixin.accounts.key_rules import KeyWish
from rixin.accounts.keys import KeyRing
from rixin.cli import options, output
from rixin.cli.durations import parse_expiry
from rixin.cli.key_ring import open_ring
from rixin.cli.opened import run_with
from rixin.cli.paging import every
from rixin.cli.provider_rules import DIALECTS
from rixin.clock import SystemClock
from rixin.dialects.sensenova_native.tokens import LIFETIME
from rixin.errors import Kind, RixinError
from rixin.profiles.plans import load_plans
from rixin.settings import Settings
from rixin.store.keys import Key

app = typer.Typer(no_args_is_help=True, add_completion=False)

Which = Annotated[str, typer.Argument(help="The key's id, its name, or how it begins (sk-rx-...).", metavar="KEY")]
WhichAccessKey = Annotated[
    str | None,
    typer.Argument(help="The key's id, its name, or its access key id (ak-rx-...).", metavar="KEY", show_default=False),
]


@app.callback()
def keys() -> None:
    """Make, list, disable and delete keys. A running server heeds it within seconds."""


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help=f"What it may do: {', '.join(sorted(SCOPES))}; inference unless given."),
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", help="A model or glob that it may use; all unless given.")
    ] = None,
    plan: Annotated[str | None, typer.Option("--plan", help="The plan that limits it.")] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", help="When it ends: 30d, 12h, or a date.", metavar="TIME")
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", help="Whose it is, by id; nobody's unless given: it is the operator's.")
    ] = None,
    team: Annotated[str | None, typer.Option("--team", help="The team that it counts for, by id.")] = None,
    dialect: Annotated[
        list[str] | None, typer.Option("--dialect", help="A dialect that it may speak; every one unless given.")
    ] = None,
    network: Annotated[
        list[str] | None,
        typer.Option("--network", help="An address or network that it may be used from; anywhere unless given."),
    ] = None,
    access_key: Annotated[
        bool,
        typer.Option("--access-key", help="Make an id and a secret that signs tokens (JWT), instead of an API key."),
    ] = False,
    config: options.Config = None,
    data_dir: options.DataDir = None,
    json: options.Json = False,
) -> None:
    """Make a key. It is shown this once."""
    settings = options.load_settings(config, data_dir)
    check_plan(plan, settings)
    expires_at = parse_expiry(expires, SystemClock().now()) if expires else None
    unknown = sorted(set(dialect or ()) - DIALECTS.keys())
    if unknown:
        message = f"there is no dialect {unknown[0]!r}; those that there are: {', '.join(sorted(DIALECTS))}"
        raise RixinError(Kind.INVALID_REQUEST, message, param="dialect")
    wish = KeyWish(
        name=name,
        scopes=tuple(scope or ("inference",)),
        models=tuple(model or ()),
        plan=plan,
        expires_at=expires_at,
        user=user,
        team=team,
        dialects=tuple(dialect or ()),
        networks=tuple(network or ()),
    )

    async def work(ring: KeyRing) -> CreatedKey | CreatedAccessKey:
        return await (ring.create_access_key(wish) if access_key else ring.create_api_key(wish))

    created = run_with(open_ring(settings), work)
    if json:
        output.print_json(created)
        return
    if isinstance(created, CreatedKey):
        output.print_line(created.key)
    else:
        output.print_line(f"SENSENOVA_ACCESS_KEY_ID={created.access_key_id}")
        output.print_line(f"SENSENOVA_SECRET_ACCESS_KEY={created.secret_access_key}")
    output.note(f"This is the key {name} ({created.id}). It is shown this once; keep it.")


@app.command()
def token(
    which: WhichAccessKey = None,
    expires: Annotated[
        str, typer.Option("--expires", help="When it ends: 30m, 12h, or a date.", metavar="TIME")
    ] = f"{LIFETIME // 60}m",
    config: options.Config = None,
    data_dir: options.DataDir = None,
    json: options.Json = False,
) -> None:
    """Sign a token with an access key.

    Where there is one access key only, it need not be named.
    """
    now = SystemClock().now()
    lifetime = int(parse_expiry(expires, now) - now)

    async def work(ring: KeyRing) -> MintedToken:
        found = [key for key in await every(ring.list) if key.kind == "access"]
        return await ring.mint_token(_find_access_key(which, found).prefix, lifetime)

    minted = run_with(open_ring(options.load_settings(config, data_dir)), work)
    if json:
        output.print_json(minted)
    else:
        output.print_line(minted.token)


@app.command("list")
def list_keys(config: options.Config = None, data_dir: options.DataDir = None, json: options.Json = False) -> None:
    """List the keys. Their secrets are known to nobody."""
    settings = options.load_settings(config, data_dir)
    found = run_with(open_ring(settings), lambda ring: every(ring.list))
    if json:
        output.print_json(found)
        return
    now = SystemClock().now()
    output.print_table(
        ("id", "name", "begins", "state", "scopes", "models", "plan", "made", "expires", "last used"),
        (
            (
                key.id,
                key.name,
                key.prefix,
                _state(key, now),
                ",".join(key.scopes),
                ",".join(key.models) or "all",
                key.plan or "-",
                output.time_text(key.created_at),
                output.time_text(key.expires_at),
                output.time_text(key.last_used_at),
            )
            for key in found
        ),
    )


@app.command()
def disable(which: Which, config: options.Config = None, data_dir: options.DataDir = None) -> None:
    """Disable a key until it is enabled again."""
    _change(which, options.load_settings(config, data_dir), KeyRing.disable, "disabled")


@app.command()
def enable(which: Which, config: options.Config = None, data_dir: options.DataDir = None) -> None:
    """Let a disabled key count again."""
    _change(which, options.load_settings(config, data_dir), KeyRing.enable, "enabled")


@app.command()
def delete(
    which: Which,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: options.Config = None,
    data_dir: options.DataDir = None,
) -> None:
    """Delete a key for good."""
    if not yes:
        typer.confirm(f"Delete the key {which} for good?", abort=True, err=True)
    _change(which, options.load_settings(config, data_dir), KeyRing.delete, "deleted")


def _change(which: str, settings: Settings, change: Callable[[KeyRing, str], Awaitable[None]], done: str) -> None:
    async def work(ring: KeyRing) -> Key:
        key = _find(which, await every(ring.list))
        await change(ring, key.id)
        return key

    key = run_with(open_ring(settings), work)
    output.stdout.print(f"{done} {output.printable(key.name)} ({key.id})")


def _find(which: str, found: list[Key]) -> Key:
    by_id = [key for key in found if key.id == which]
    matches = by_id or [key for key in found if key.name == which or (which and which.startswith(key.prefix))]
    if len(matches) == 1:
        return matches[0]
    if matches:
        ids = ", ".join(key.id for key in matches)
        raise RixinError(Kind.CONFLICT, f"several keys fit; name one by its id: {ids}")
    raise RixinError(Kind.NOT_FOUND, "there is no such key; `rixin keys list` shows those that there are")


def _find_access_key(which: str | None, found: list[Key]) -> Key:
    if which is not None:
        return _find(which, found)
    if not found:
        raise RixinError(Kind.NOT_FOUND, "there is no access key; `rixin keys create NAME --access-key` makes one")
    if len(found) > 1:
        ids = ", ".join(key.prefix for key in found)
        raise RixinError(Kind.INVALID_REQUEST, f"there are several access keys; name one: {ids}")
    return found[0]


def _state(key: Key, now: float) -> str:
    if key.disabled_at is not None:
        return "disabled"
    return "expired" if key.expires_at is not None and key.expires_at <= now else "active"


def check_plan(plan: str | None, settings: Settings) -> None:
    """Raises `INVALID_REQUEST` unless there is such a plan, or none is wished for."""
    if plan is None:
        return
    published = load_plans(importlib.resources.files("rixin.profiles").joinpath("plans.toml").read_bytes())
    known = sorted({*published, *settings.plans})
    if plan not in known:
        raise RixinError(
            Kind.INVALID_REQUEST, f"there is no plan {plan!r}; those that there are: {', '.join(known)}", param="plan"
        )
