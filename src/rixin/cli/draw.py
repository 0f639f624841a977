"""`rixin draw`: pictures from a prompt, into files."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec import Struct

from rixin.cli import options, output
from rixin.cli.client import Client, Target, find_target
from rixin.cli.drawn_images import ask_images
from rixin.cli.progress import drawing_bar
from rixin.core.json import JsonObject
from rixin.errors import Kind, RixinError

app = typer.Typer(add_completion=False)

FORMATS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp", ".svg": "svg", ".pdf": "pdf"}
"""What a file's name says of its format."""


class _Listed(Struct):
    id: str
    output_modalities: list[str] = []


class _Models(Struct):
    data: list[_Listed]


@app.command()
def run(
    prompt: Annotated[
        list[str] | None, typer.Argument(help="What to draw, data included. What is piped in is added to it.")
    ] = None,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help=f"The file; its name says the format: {', '.join(FORMATS)}.", metavar="FILE"),
    ] = ...,  # pyright: ignore[reportArgumentType] - how Typer is told that it must be given
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Who draws; the first model that does if none.")
    ] = None,
    size: Annotated[
        str | None, typer.Option("--size", help="Such as 2048x2048; the model's own choice if none.")
    ] = None,
    number: Annotated[int, typer.Option("-n", min=1, help="How many; -1, -2 ... are put behind the name.")] = 1,
    style: Annotated[str | None, typer.Option("--style", help="In words that the model knows.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="The same prompt and seed give the same picture.")] = None,
    base_url: options.BaseUrl = None,
    api_key: options.ApiKey = None,
    config: options.Config = None,
    data_dir: options.DataDir = None,
) -> None:
    """Draw a picture. Works against any server that speaks the OpenAI images API."""
    suffix = out.suffix.lower()
    if suffix not in FORMATS:
        raise typer.BadParameter(f"the name should end in one of {', '.join(FORMATS)}", param_hint="--out")
    if not out.parent.is_dir():
        raise typer.BadParameter(f"there is no directory {out.parent}", param_hint="--out")
    wish: JsonObject = {
        "prompt": _prompt(prompt),
        "n": number,
        "response_format": "b64_json",
        "output_format": FORMATS[suffix],
        **{name: value for name, value in (("size", size), ("style", style), ("seed", seed)) if value is not None},
    }
    settings = options.load_settings(config, data_dir)
    target = find_target(settings, base_url=base_url, api_key=api_key, environ=os.environ)
    images = asyncio.run(_drawn(target, model, wish))
    for place, image in enumerate(images, 1):
        path = out if len(images) == 1 else out.with_stem(f"{out.stem}-{place}")
        try:
            path.write_bytes(image)
        except OSError as error:
            raise RixinError(Kind.CONFIGURATION, f"cannot write {path}: {error.strerror}") from None
        output.stdout.print(str(path), highlight=False, soft_wrap=True)


def _prompt(words: list[str] | None) -> str:
    parts = [" ".join(words)] if words else []
    if not sys.stdin.isatty() and (piped := sys.stdin.read().strip()):
        parts.append(piped)
    if not parts:
        raise typer.BadParameter("there is nothing to draw: the input is empty", param_hint="PROMPT")
    return "\n\n".join(parts)


async def _drawn(target: Target, model: str | None, wish: JsonObject) -> list[bytes]:
    async with Client(target) as client:
        if model is None:
            model = await _first_that_draws(client)
        with drawing_bar(output.stderr, model) as show:
            return await ask_images(client, {"model": model, **wish}, show if output.stderr.is_terminal else None)


async def _first_that_draws(client: Client) -> str:
    """The first model of the server that draws.

    Raises:
        RixinError: `CONFIGURATION` where it lists none.
    """
    answer = await client.ask("GET", f"{client.target.base_url}/models")
    try:
        listed = msgspec.json.decode(answer, type=_Models).data
    except msgspec.DecodeError:
        listed = []
    for entry in listed:
        if "image" in entry.output_modalities:
            return entry.id
    raise RixinError(Kind.CONFIGURATION, f"{client.target.base_url} lists no model that draws; name one with --model")
