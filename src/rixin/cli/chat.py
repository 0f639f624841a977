"""`rixin chat`: asks a model, of this machine's server or of any other."""

import asyncio
import contextlib
import importlib
import os
import sys
from typing import Annotated

import msgspec
import typer

from rixin.cli import options, output
from rixin.cli.answer import AnswerPrinter
from rixin.cli.client import Client, Target, find_target
from rixin.cli.conversation import Conversation, Wishes, choose_model
from rixin.cli.sampling_presets import presets
from rixin.core.json import JsonObject
from rixin.errors import RixinError

with contextlib.suppress(ImportError):
    # Gives input() line editing and a history of this session; Windows has its own.
    importlib.import_module("readline")

app = typer.Typer(add_completion=False)

PROMPT = ">>> "
HELP = """/system TEXT   say what the model shall be; without a text, what it is told now
/reset         forget the conversation
/exit          leave (Ctrl-D too)
Ctrl-C         stop the answer"""


@app.command()
def run(
    question: Annotated[
        list[str] | None,
        typer.Argument(help="What to ask; with none, a conversation begins. What is piped in is added to it."),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="The model; the server's own choice if none.")
    ] = None,
    system: Annotated[str | None, typer.Option("--system", help="What the model is told to be.")] = None,
    max_tokens: Annotated[int | None, typer.Option("--max-tokens", min=1, help="The most tokens of an answer.")] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            "--preset",
            help=f"Recommended sampling for a kind of work: {', '.join(presets())}.",
            autocompletion=lambda: list(presets()),
            metavar="NAME",
        ),
    ] = None,
    base_url: options.BaseUrl = None,
    api_key: options.ApiKey = None,
    config: options.Config = None,
    data_dir: options.DataDir = None,
    json: Annotated[bool, typer.Option("--json", help="Print the stream's events as the server sends them.")] = False,
) -> None:
    """Ask a model once, or hold a conversation. Works against any server that speaks the OpenAI API."""
    settings = options.load_settings(config, data_dir)
    target = find_target(settings, base_url=base_url, api_key=api_key, environ=os.environ)
    text = _question(question)
    if json and not text:
        raise typer.BadParameter("--json needs a question", param_hint="QUESTION")
    sampling = _sampling(preset)
    with asyncio.Runner() as runner:
        talk = _Talk(runner, target)
        try:
            talk.begin(Wishes(model=model or "", max_tokens=max_tokens, sampling=sampling), system)
            if text is None:
                talk.converse()
            elif json:
                talk.ask_raw(text)
            else:
                talk.ask(text)
        finally:
            talk.end()


def _question(words: list[str] | None) -> str | None:
    """What to ask once; None for a conversation."""
    parts = [" ".join(words)] if words else []
    if not sys.stdin.isatty():
        piped = sys.stdin.read().strip()
        parts += [piped] if piped else []
        if not parts:
            raise typer.BadParameter("there is nothing to ask: the input is empty", param_hint="QUESTION")
    return "\n\n".join(parts) if parts else None


def _sampling(preset: str | None) -> JsonObject:
    """The request fields of a preset."""
    if preset is None:
        return {}
    if preset not in presets():
        message = f"there is no preset {preset!r}; there are {', '.join(presets())}"
        raise typer.BadParameter(message, param_hint="--preset")
    fields = msgspec.structs.asdict(presets()[preset])
    return {name: value for name, value in fields.items() if name not in ("name", "description") and value is not None}


class _Talk:
    """A conversation at a terminal: one event loop, run while an answer comes."""

    def __init__(self, runner: asyncio.Runner, target: Target) -> None:
        self._runner = runner
        self._target = target
        self._client: Client | None = None

    def begin(self, wishes: Wishes, system: str | None) -> None:
        self._runner.run(self._begin(wishes, system))

    async def _begin(self, wishes: Wishes, system: str | None) -> None:
        self._client = Client(self._target)
        if not wishes.model:
            wishes = msgspec.structs.replace(wishes, model=await choose_model(self._client))
        self.model = wishes.model
        self.conversation = Conversation(self._client, wishes, system)

    def end(self) -> None:
        if self._client:
            self._runner.run(self._client.close())

    def ask(self, question: str) -> None:
        printer = AnswerPrinter(output.stdout, output.stderr)
        try:
            self._runner.run(self.conversation.ask(question, printer.show))
        finally:
            printer.end_line()

    def ask_raw(self, question: str) -> None:
        self._runner.run(self.conversation.ask_raw(question, output.print_line))

    def converse(self) -> None:
        """Asks until the user leaves. An error ends an answer, not the conversation."""
        output.note(f"{self.model} at {self._target.base_url}; /help shows what you can type")
        while True:
            try:
                line = input(PROMPT).strip()
            except EOFError:
                output.stdout.print()
                return
            except KeyboardInterrupt:
                output.stdout.print()
                output.note("/exit or Ctrl-D leaves")
                continue
            if line in ("/exit", "/quit"):
                return
            if line.startswith("/"):
                self._obey(line)
            elif line:
                self._answer(line)

    def _answer(self, line: str) -> None:
        try:
            self.ask(line)
        except KeyboardInterrupt:
            output.note("(stopped)")
        except RixinError as error:
            output.show_error(error)

    def _obey(self, line: str) -> None:
        command, _, rest = line.partition(" ")
        if command == "/reset":
            self.conversation.reset()
            output.note("forgotten")
        elif command == "/system":
            self.conversation.system = rest.strip() or self.conversation.system
            output.note(self.conversation.system or "the model is told nothing")
        elif command == "/help":
            output.note(HELP)
        else:
            output.note(f"{command} is not known\n{HELP}")
