"""`rixin models`: what can be asked for, what is loaded, what is on the disk."""

import asyncio
import os
from contextlib import closing
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
import typer

from rixin.cli import options, output
from rixin.cli.client import Client, Target, find_target
from rixin.cli.progress import ModelBars
from rixin.core.json import JsonObject
from rixin.engines.process import State
from rixin.engines.weights import known_weights, pulled_models, remove
from rixin.errors import Kind, RixinError

app = typer.Typer(no_args_is_help=True, add_completion=False)

_POLL = 0.2
"""Seconds between two looks at a model that is on its way."""

Name = Annotated[str, typer.Argument(help="The model's name.")]


@app.callback()
def models() -> None:
    """List, load, unload and remove models."""


@app.command("list")
def list_models(
    pulled: Annotated[
        bool, typer.Option("--pulled", help="Those whose weights are on this machine; needs no running server.")
    ] = False,
    base_url: options.BaseUrl = None,
    api_key: options.ApiKey = None,
    config: options.Config = None,
    data_dir: options.DataDir = None,
    json: options.Json = False,
) -> None:
    """List the models of a running server."""
    if pulled:
        _list_pulled(config, data_dir, json=json)
        return
    target = _target(base_url, api_key, config, data_dir)
    rows = _data(asyncio.run(_ask(target, "GET", f"{target.base_url}/models")))
    if json:
        output.print_json(rows)
        return
    output.print_table(
        ("name", "owned by", "context", "max output", "input"),
        (
            (
                _text(row.get("id")),
                _text(row.get("owned_by")),
                _text(row.get("context_length")),
                _text(row.get("max_output_length")),
                ",".join(map(str, row.get("input_modalities") or ())) or "-",
            )
            for row in rows
        ),
    )


@app.command()
def ps(
    base_url: options.BaseUrl = None,
    api_key: options.ApiKey = None,
    config: options.Config = None,
    data_dir: options.DataDir = None,
    json: options.Json = False,
) -> None:
    """Show a running server's local models. Tells which are loaded, and what memory they take."""
    target = _target(base_url, api_key, config, data_dir)
    rows = _data(asyncio.run(_ask(target, "GET", f"{target.admin_url}/engines")))
    if json:
        output.print_json(rows)
        return
    output.print_table(
        ("name", "state", "progress", "memory", "in use", "last used", "load"),
        (
            (
                _text(row.get("model")),
                _text(row.get("state")),
                f"{row['progress']:.0%}" if row.get("progress") is not None else "-",
                output.size_text(row["memory"]) if row.get("memory") is not None else "-",
                _text(row.get("leases")),
                output.time_text(row.get("last_used")),
                _load_text(row.get("load")),
            )
            for row in rows
        ),
    )
    for row in rows:
        if row.get("message"):
            output.note(output.printable(f"{row.get('model')}: {row['message']}"))


@app.command()
def load(
    name: Name,
    wait: Annotated[bool, typer.Option(help="Wait until it is loaded.")] = True,
    base_url: options.BaseUrl = None,
    api_key: options.ApiKey = None,
    config: options.Config = None,
    data_dir: options.DataDir = None,
) -> None:
    """Load a local model. The running server answers by it from then on."""
    shown = output.printable(name)
    target = _target(base_url, api_key, config, data_dir)
    _change(name, "load", target)
    if not wait:
        output.stdout.print(f"loading {shown}; `rixin models ps` shows how far it is")
        return
    asyncio.run(_until_ready(target, name))
    output.stdout.print(f"loaded {shown}")


@app.command()
def unload(
    name: Name,
    base_url: options.BaseUrl = None,
    api_key: options.ApiKey = None,
    config: options.Config = None,
    data_dir: options.DataDir = None,
) -> None:
    """Unload a local model. The running server gives back its memory."""
    _change(name, "unload", _target(base_url, api_key, config, data_dir))
    output.stdout.print(f"unloaded {output.printable(name)}")


def _pulled_names() -> list[str]:
    return [model.name for model in pulled_models(options.load_settings(None, None).models_dir)]


@app.command()
def rm(
    name: Annotated[str, typer.Argument(help="A model that was pulled.", autocompletion=_pulled_names)],
    config: options.Config = None,
    data_dir: options.DataDir = None,
) -> None:
    """Remove a model's weights from the disk."""
    freed = remove(name, options.load_settings(config, data_dir).models_dir)
    output.stdout.print(f"removed {name}, {output.size_text(freed)} are free again")


def _list_pulled(config: options.Config, data_dir: options.DataDir, *, json: bool) -> None:
    found = pulled_models(options.load_settings(config, data_dir).models_dir)
    if json:
        output.print_json([{"name": model.name, "path": str(model.path), "size": model.size} for model in found])
        return
    output.print_table(("name", "size", "path"), ((m.name, output.size_text(m.size), str(m.path)) for m in found))
    here = {model.name for model in found}
    others = [f"{name} ({output.size_text(known.size)})" for name, known in known_weights().items() if name not in here]
    if others:
        output.note(f"rixin pull can get: {', '.join(others)}")


def _target(base_url: str | None, api_key: str | None, config: options.Config, data_dir: options.DataDir) -> Target:
    settings = options.load_settings(config, data_dir)
    return find_target(settings, base_url=base_url, api_key=api_key, environ=os.environ)


def _change(name: str, verb: str, target: Target) -> None:
    asyncio.run(_ask(target, "POST", f"{target.admin_url}/engines/{quote(name, safe='')}/{verb}", {}))


async def _until_ready(target: Target, name: str) -> None:
    """Waits until a model answers, with a bar where stderr is a terminal.

    Raises:
        RixinError: `OVERLOADED` where it does not come to that, and why.
    """
    async with Client(target) as client:
        with closing(ModelBars(output.stderr)) as bars:
            while True:
                rows = _data(await client.ask("GET", f"{target.admin_url}/engines"))
                row: dict[str, Any] = next((row for row in rows if row.get("model") == name), dict[str, Any]())
                match row.get("state"):
                    case State.READY:
                        return
                    case State.FAILED:
                        reason = row.get("message") or "the server's log says why"
                        raise RixinError(Kind.OVERLOADED, f"{name} cannot be loaded: {reason}")
                    case None | State.STOPPED:
                        raise RixinError(Kind.OVERLOADED, f"{name} was unloaded before it was ready")
                    case state:
                        bars.show(name, str(state), row.get("progress"))
                await asyncio.sleep(_POLL)


async def _ask(target: Target, method: str, url: str, body: JsonObject | None = None) -> bytes:
    async with Client(target) as client:
        return await client.ask(method, url, body)


def _data(answer: bytes) -> list[dict[str, Any]]:
    try:
        tree = msgspec.json.decode(answer, type=dict[str, Any])
        return msgspec.convert(tree["data"], list[dict[str, Any]])
    except (msgspec.MsgspecError, KeyError):
        raise RixinError(Kind.UPSTREAM_INVALID, "the server's answer is no list of models") from None


def _load_text(load: dict[str, Any] | None) -> str:
    """How busy a model is, as people read it: `2 of 4 running, 1 waiting, reading 43%`."""
    if load is None:
        return "-"
    waiting = [f"{load['waiting']} waiting"] if load["waiting"] else []
    reading = ["reading " + " ".join(f"{part:.0%}" for part in load["reading"])] if load["reading"] else []
    return ", ".join([f"{load['running']} of {load['slots']} running", *waiting, *reading])


def _text(value: object) -> str:
    return "-" if value is None or value == "" else str(value)
