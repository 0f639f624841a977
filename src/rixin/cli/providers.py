"""`rixin providers`: upstreams that are stored, whether the server runs or not."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar

import msgspec
import typer

from rixin.cli import options, output
from rixin.cli.opened import run_with
from rixin.cli.provider_book import open_book
from rixin.cli.provider_rules import DIALECTS, provider_rules
from rixin.clock import SystemClock
from rixin.core.cards import ModelCard
from rixin.core.json import JsonObject
from rixin.engines.base import ListedModel
from rixin.engines.remote import Remote
from rixin.errors import Kind, RixinError
from rixin.profiles.cards import load_models
from rixin.profiles.explanation import Layer
from rixin.routing.known_provider import KnownProvider, known_provider
from rixin.routing.learned import LearnedRules
from rixin.routing.provider_import import Reading, ReadProvider, read_text
from rixin.routing.provider_view import Rewrites, provider_view, rewrites
from rixin.routing.providers import ProviderBook
from rixin.settings import Provider, Settings

app = typer.Typer(no_args_is_help=True, add_completion=False)
T = TypeVar("T")

CHECK_DEADLINE = 20.0
"""Seconds that a provider may take to list its models."""

Name: TypeAlias = Annotated[str, typer.Argument(help="The provider's name.", metavar="NAME")]
KeyVariables: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--api-key-env", help="A variable that holds a key; several make a pool.", metavar="VAR", show_default=False
    ),
]
KeyStdin: TypeAlias = Annotated[bool, typer.Option("--api-key-stdin", help="Read keys from stdin, one a line.")]
KeyTexts: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--api-key", help="A key itself; your shell keeps it in its history.", metavar="KEY"),
]
Check: TypeAlias = Annotated[bool, typer.Option("--check/--no-check", help="Ask it for its models first.")]


class Format(StrEnum):
    """Whose file is imported."""

    MIMO2CODEX = "mimo2codex"
    LITELLM = "litellm"


@app.callback()
def providers() -> None:
    """Add, list and remove upstreams. A running server heeds it within seconds."""


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What to call it, or the name of a preset such as sensenova.")],
    base_url: Annotated[
        str | None, typer.Option("--base-url", help="Where its routes are, with /v1.", metavar="URL")
    ] = None,
    preset: Annotated[
        str | None, typer.Option("--preset", help="What is known of it; found from the address unless given.")
    ] = None,
    api_key_env: KeyVariables = None,
    api_key_stdin: KeyStdin = False,
    api_key: KeyTexts = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", help="A model that it serves; those that it lists unless given.")
    ] = None,
    check: Check = True,
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of a stored one of this name.")] = False,
    config: options.Config = None,
    data_dir: options.DataDir = None,
    json: options.Json = False,
) -> None:
    """Add a provider. `rixin providers add sensenova` takes address and key from what is known of it."""
    settings = options.load_settings(config, data_dir)
    provider = Provider(
        name=name,
        base_url=base_url or "",
        preset=preset,
        api_keys=_keys(api_key_env, api_key, from_stdin=api_key_stdin),
        models=tuple(model or ()),
    )
    entry = known_provider(provider, provider_rules(os.environ), source="stored")
    listed = asyncio.run(_check(entry)) if check else []

    async def work(book: ProviderBook) -> KnownProvider:
        if replace and any(other.name == name and other.source == "stored" for other in book.all):
            return await book.replace(entry.provider)
        return await book.add(entry.provider)

    added = _with_book(settings, work)
    known = rewrites(added, _cards(), _names(added, listed))
    if json:
        output.print_json({**_tree(added), "rewrites": known})
        return
    keys = ", ".join(provider_view(added).api_keys)
    output.stdout.print(
        f"added {name} at {added.provider.base_url}, {f'with the key {keys}' if keys else 'without a key'}"
    )
    _show_listed(added, listed)
    _show_rewrites(added, known)


@app.command("list")
def list_providers(config: options.Config = None, data_dir: options.DataDir = None, json: options.Json = False) -> None:
    """List the providers. Those of the configuration file are among them."""
    found = _with_book(options.load_settings(config, data_dir), _all)
    if json:
        output.print_json([_tree(entry) for entry in found])
        return
    output.print_table(
        ("name", "from", "address", "preset", "keys", "models", "state"),
        (
            (
                view.name,
                "file" if view.source == "configured" else "store",
                view.base_url,
                view.preset,
                " ".join(view.api_keys) or "-",
                " ".join(view.models) or "as it lists",
                view.problem or ("served" if view.enabled else "disabled"),
            )
            for view in map(provider_view, found)
        ),
    )


@app.command()
def show(
    name: Name,
    model: Annotated[str | None, typer.Option("--model", help="What holds for this model of it.")] = None,
    config: options.Config = None,
    data_dir: options.DataDir = None,
    json: options.Json = False,
) -> None:
    """Show a provider. Tells what is done to its requests, and whose word that is."""
    entry, learned = asyncio.run(_find(name, model, options.load_settings(config, data_dir)))
    models = [model] if model is not None else _names(entry, [])
    known = rewrites(entry, _cards(), models, learned)
    if model is not None:
        known = known[-1:]
    if json:
        output.print_json({**_tree(entry), "rewrites": known})
        return
    for label, value in _tree(entry).items():
        if value not in (None, [], {}):
            output.stdout.print(output.printable(f"{label}: {_text(value)}"))
    _show_rewrites(entry, known, whose=True)


@app.command()
def remove(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: options.Config = None,
    data_dir: options.DataDir = None,
) -> None:
    """Remove a stored provider and its keys."""
    settings = options.load_settings(config, data_dir)
    if not yes:
        asyncio.run(_find(name, None, settings))  # nobody is asked about a provider that there is not
        typer.confirm(f"Remove the provider {name} and its keys?", abort=True, err=True)
    _with_book(settings, lambda book: book.remove(name))
    output.stdout.print(f"removed {output.printable(name)}")


@app.command("set-key")
def set_key(
    name: Name,
    api_key_env: KeyVariables = None,
    api_key_stdin: KeyStdin = False,
    api_key: KeyTexts = None,
    check: Check = True,
    config: options.Config = None,
    data_dir: options.DataDir = None,
) -> None:
    """Replace the keys of a stored provider."""
    keys = _keys(api_key_env, api_key, from_stdin=api_key_stdin)
    if not keys:
        raise RixinError(Kind.INVALID_REQUEST, "give a key: --api-key-env VAR, or --api-key-stdin")

    async def work(book: ProviderBook) -> KnownProvider:
        provider = msgspec.structs.replace(book.find(name).provider, api_keys=keys)
        if check:
            await _check(known_provider(provider, book.rules, source="stored"))
        return await book.replace(provider)

    changed = _with_book(options.load_settings(config, data_dir), work)
    output.stdout.print(f"{name} has the key {', '.join(provider_view(changed).api_keys)}")


@app.command()
def disable(name: Name, config: options.Config = None, data_dir: options.DataDir = None) -> None:
    """Send no requests to a provider. Its settings and keys stay."""
    _switch(name, options.load_settings(config, data_dir), on=False)


@app.command()
def enable(name: Name, config: options.Config = None, data_dir: options.DataDir = None) -> None:
    """Send requests to a provider again."""
    _switch(name, options.load_settings(config, data_dir), on=True)


@app.command("import")
def import_providers(
    file: Annotated[Path, typer.Argument(help="mimo2codex's providers.json, or LiteLLM's YAML.", metavar="FILE")],
    form: Annotated[
        Format | None, typer.Option("--format", help="Whose file it is; found from its name unless given.")
    ] = None,
    check: Check = True,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of stored ones of the same names.")
    ] = False,
    config: options.Config = None,
    data_dir: options.DataDir = None,
    json: options.Json = False,
) -> None:
    """Import another program's providers."""
    settings = options.load_settings(config, data_dir)
    reading = _read_file(file, form)
    warnings = list(reading.warnings)

    async def work(book: ProviderBook) -> list[KnownProvider]:
        stored = {entry.name for entry in book.all if entry.source == "stored"}
        ready: list[Provider] = []
        for read in reading.providers:
            if read.provider.name in stored and not replace:
                raise RixinError(
                    Kind.CONFLICT, f"There is a provider named {read.provider.name} already; --replace replaces it."
                )
            entry = known_provider(read.provider, book.rules, source="stored")
            ready.append(await _with_models(entry, read, warnings) if check else read.settled)
        return [await (book.replace(provider) if provider.name in stored else book.add(provider)) for provider in ready]

    added = _with_book(settings, work)
    if json:
        output.print_json({"providers": [_tree(entry) for entry in added], "warnings": warnings})
        return
    for entry in added:
        output.stdout.print(output.printable(f"added {entry.name} at {entry.provider.base_url}"))
    for warning in warnings:
        output.note(output.printable(warning))


def _switch(name: str, settings: Settings, *, on: bool) -> None:
    async def work(book: ProviderBook) -> KnownProvider:
        return await book.replace(msgspec.structs.replace(book.find(name).provider, enabled=on))

    _with_book(settings, work)
    output.stdout.print(output.printable(f"{'enabled' if on else 'disabled'} {name}"))


def _read_file(path: Path, form: Format | None) -> Reading:
    """The providers of a file.

    Raises:
        RixinError: `CONFIGURATION`, naming the file and what is wrong with it.
    """
    form = form or (Format.LITELLM if path.suffix in (".yaml", ".yml") else Format.MIMO2CODEX)
    try:
        return read_text(path.read_text(encoding="utf-8"), lambda _: os.environ, form.value)
    except (OSError, UnicodeDecodeError) as error:
        raise RixinError(Kind.CONFIGURATION, f"cannot read {path}: {error}") from None
    except RixinError as error:
        raise RixinError(Kind.CONFIGURATION, f"{path}: {error.message}") from None


def _keys(variables: list[str] | None, texts: list[str] | None, *, from_stdin: bool) -> tuple[str, ...]:
    """The keys that a command line gives."""
    keys: list[str] = []
    for variable in variables or ():
        value = os.environ.get(variable)
        if not value:
            raise RixinError(Kind.INVALID_REQUEST, f"the variable {variable} is not set")
        keys.append(value.strip())
    if from_stdin:
        lines = [line.strip() for line in sys.stdin.read().splitlines()]
        keys += [line for line in lines if line]
        if not any(lines):
            raise RixinError(Kind.INVALID_REQUEST, "there is no key on stdin")
    if texts:
        keys += texts
        output.note("The key is in your shell's history now; --api-key-env and --api-key-stdin keep it out of there.")
    return tuple(keys)


async def _check(entry: KnownProvider) -> list[ListedModel]:
    """The models that a provider lists.

    Raises:
        RixinError: It does not, and what to do.
    """
    engine = Remote.connect(entry.provider, DIALECTS[entry.provider.dialect], os.environ)
    try:
        async with asyncio.timeout(CHECK_DEADLINE):
            return await engine.models()
    except TimeoutError:
        raise RixinError(
            Kind.UPSTREAM_TIMEOUT, f"{entry.name} has not listed its models in time; --no-check adds it all the same"
        ) from None
    except RixinError as error:
        hint = "--no-check adds it all the same"
        if not entry.provider.api_keys and error.kind is Kind.UPSTREAM_CREDENTIAL:
            variables = " or ".join(entry.preset.key_variables)
            hint = f"it has no key: {f'set {variables}, or ' if variables else ''}give --api-key-env or --api-key-stdin"
        raise RixinError(error.kind, f"{entry.name} does not list its models: {error.message} ({hint})") from None
    finally:
        await engine.aclose()


async def _with_models(entry: KnownProvider, read: ReadProvider, warnings: list[str]) -> Provider:
    """A provider of a file with the models that it has: those that are named, else what it lists, else its default."""
    try:
        await _check(entry)
    except RixinError as error:
        warnings.append(f"{error.message}")
        return read.settled
    return read.provider


def _names(entry: KnownProvider, listed: list[ListedModel]) -> list[str]:
    """Models of which something may be known: the provider's own, and those that its preset and settings name."""
    names = entry.provider.models or tuple(model.name for model in listed)
    return list(names or (*(facts.name for facts in entry.preset.models), *(name for name, _ in entry.overrides)))


def _tree(entry: KnownProvider) -> JsonObject:
    tree: JsonObject = msgspec.to_builtins(provider_view(entry))
    return tree


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _show_listed(entry: KnownProvider, listed: list[ListedModel]) -> None:
    if not listed:
        return
    names = [model.name for model in listed]
    output.stdout.print(
        output.printable(f"it lists {len(names)} models: {', '.join(names[:8])}{', ...' if names[8:] else ''}")
    )
    missing = [name for name in entry.provider.models if name not in names]
    if missing:
        output.note(output.printable(f"it does not list {', '.join(missing)}"))


def _show_rewrites(entry: KnownProvider, known: list[Rewrites], *, whose: bool = False) -> None:
    """What is done to requests, as lists; `whose` tells who says so of each."""
    if not any(group.facts for group in known):
        output.stdout.print(
            f"nothing is known of {output.printable(entry.name)}: requests go out as clients write them"
        )
        return
    docs = f", documented at {entry.preset.docs_url}" if entry.preset.docs_url else ""
    output.stdout.print(f"\nWhat this server does for it (preset {entry.preset.name}: {entry.preset.title}{docs}):")
    general = known[0].facts if known[1:] else ()
    for group in known:
        if group.models:
            output.stdout.print(output.printable(f"\n{', '.join(group.models)}:"))
        for fact in group.facts:
            if group.models and fact in general:
                continue
            source = f"; says {', '.join(fact.sources)}" if whose else ""
            output.stdout.print(output.printable(f"  - {fact.meaning} ({fact.field}{source})"))


def _cards() -> dict[str, ModelCard]:
    return load_models(files("rixin.profiles").joinpath("models.toml").read_bytes()).cards


async def _find(name: str, model: str | None, settings: Settings) -> tuple[KnownProvider, dict[str, list[Layer]]]:
    """A provider, and what was learned of its models, or of one of them."""
    async with open_book(settings) as (book, database, _):
        entry = book.find(name)
        rules = LearnedRules(database, book.address_of, SystemClock())
        await rules.poll()
        models = dict.fromkeys(rule.model for rule in rules.rules(name, model))
        return entry, {target: rules.layers(name, target) for target in models}


async def _all(book: ProviderBook) -> list[KnownProvider]:
    return list(book.all)


def _with_book(settings: Settings, work: Callable[[ProviderBook], Awaitable[T]]) -> T:
    return run_with(open_book(settings), lambda opened: work(opened.book))
