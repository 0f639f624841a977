"""`rixin doctor`: what an upstream takes, and why a request failed; whether the server runs or not."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.resources import files
from typing import Annotated, Any, NamedTuple, TypeAlias

import msgspec
import typer
from typer.core import TyperGroup

from rixin.accounts.ledger import Ledger
from rixin.accounts.request_log import RequestLog
from rixin.cli import options, output
from rixin.cli.provider_book import open_book
from rixin.cli.provider_rules import DIALECTS
from rixin.cli.toml_text import toml_text
from rixin.clock import SystemClock
from rixin.core.json import JsonValue
from rixin.core.redaction import Redactor
from rixin.engines.proxy import shown_address
from rixin.engines.remote import Remote
from rixin.errors import Kind, RixinError
from rixin.limits.opening import open_limiter
from rixin.profiles.cards import load_models
from rixin.profiles.diagnosis import Diagnosis, Finding
from rixin.profiles.error_rules import load_error_rules
from rixin.routing.gate import Gate
from rixin.routing.known_provider import KnownProvider
from rixin.routing.providers import ProviderBook
from rixin.service.doctor import BUDGET, LEAST_BUDGET, MOST_BUDGET
from rixin.service.doctor.examiner import Examiner
from rixin.service.explain import CALLS, MOST_CALLS, Cause, explain
from rixin.settings import ModelOverride, Settings

_EXAMINE = "provider"
_MARKS = {"yes": "yes", "no": "NO", "unknown": "?", "note": "-"}


class _Verbs(TyperGroup):
    """`rixin doctor NAME` is `rixin doctor provider NAME`, unless NAME is a command."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - Typer's signature
        """The command that is meant, and its arguments."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = [_EXAMINE, *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(cls=_Verbs, no_args_is_help=True, add_completion=False, subcommand_metavar="NAME | explain REQUEST")

Replay: TypeAlias = Annotated[
    bool, typer.Option("--replay", help="Send it to its provider again, in parts, where its words do not tell.")
]


@app.callback()
def doctor() -> None:
    """Examine an upstream. `rixin doctor NAME` asks a provider what it takes, `explain` says why a request failed."""


@app.command(_EXAMINE)
def examine_provider(
    name: Annotated[str, typer.Argument(help="The provider's name.", metavar="NAME")],
    model: Annotated[
        str | None,
        typer.Option("--model", help="The provider's name for a model; the first that answers chats unless given."),
    ] = None,
    calls: Annotated[
        int, typer.Option("--calls", min=LEAST_BUDGET, max=MOST_BUDGET, help="The most calls that it may cost.")
    ] = BUDGET,
    image_url: Annotated[
        str | None,
        typer.Option("--image-url", help="An image that the provider can fetch, to try images by address with."),
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Keep what was found as the provider's settings.")] = False,
    config: options.Config = None,
    data_dir: options.DataDir = None,
    json: options.Json = False,
) -> None:
    """Ask a provider what it takes. The number of calls is bounded. Each is a small request that costs a little."""
    settings = options.load_settings(config, data_dir)

    async def work() -> tuple[Diagnosis, KnownProvider | None]:
        async with _open(settings) as opened:
            if not json:
                output.note(f"asking {shown_address(opened.book.find(name).provider.base_url, os.environ)}")
            tell = _silence if json else _show_finding
            diagnosis = await opened.examiner.examine(name, model=model, budget=calls, tell=tell, image_url=image_url)
            entry = opened.book.find(name)
            if write and diagnosis.override and entry.source == "stored":
                entry = await opened.examiner.keep(name, msgspec.convert(diagnosis.override, ModelOverride))
            return diagnosis, entry if write else None

    diagnosis, entry = asyncio.run(work())
    if json:
        output.print_json(diagnosis)
    else:
        _show_diagnosis(diagnosis)
        if diagnosis.override:
            _show_kept(diagnosis, entry)
    if diagnosis.stopped is not None:
        raise typer.Exit(1)


@app.command("explain")
def explain_request(
    request: Annotated[str, typer.Argument(help="Its id: the answer's header x-request-id.", metavar="REQUEST")],
    replay: Replay = False,
    calls: Annotated[
        int, typer.Option("--calls", min=1, max=MOST_CALLS, help="The most calls that --replay may cost.")
    ] = CALLS,
    config: options.Config = None,
    data_dir: options.DataDir = None,
    json: options.Json = False,
) -> None:
    """Say why a request failed. It is looked up in the request log; bodies are there where keep_bodies says so."""
    settings = options.load_settings(config, data_dir)

    async def work() -> Cause:
        async with _open(settings) as opened:
            record = await opened.requests.find(request)
            if record is None:
                raise RixinError(Kind.NOT_FOUND, f"the request log has no request {request}")
            examiner = opened.examiner
            return await explain(
                record,
                examiner.error_rules,
                preset_of=examiner.preset_of,
                prober_of=examiner.prober_of if replay else None,
                calls=calls,
            )

    cause = asyncio.run(work())
    if json:
        output.print_json(cause)
    else:
        _show_cause(cause, replayed=replay)


class _Opened(NamedTuple):
    """What the commands work with."""

    book: ProviderBook
    examiner: Examiner
    requests: RequestLog


@asynccontextmanager
async def _open(settings: Settings) -> AsyncGenerator[_Opened]:
    """The doctor over the providers of a data directory."""
    clock = SystemClock()
    profiles = files("rixin.profiles")
    cards = load_models(profiles.joinpath("models.toml").read_bytes()).cards
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(open_book(settings))
        limiter = open_limiter(settings, opened.database, clock)
        stack.push_async_callback(limiter.aclose)
        ledger = Ledger(opened.database)
        stack.push_async_callback(ledger.aclose)
        requests = RequestLog(opened.database, ledger, opened.secret, Redactor(), settings.server, clock)
        stack.push_async_callback(requests.aclose)
        gates: dict[str, Gate] = {}

        def gate_of(name: str) -> Gate | None:
            entry = opened.book.find(name)
            if name not in gates and entry.problem is None:
                dialect = DIALECTS[entry.provider.dialect]
                engine = Remote.connect(
                    entry.provider, dialect, os.environ, lambda model: entry.profile_for(model, cards.get(model))
                )
                stack.push_async_callback(engine.aclose)
                gates[name] = Gate(engine, entry.provider, limiter=limiter, clock=clock)
            return gates.get(name)

        error_rules = load_error_rules(profiles.joinpath("error_rules.toml").read_bytes())
        yield _Opened(opened.book, Examiner(opened.book, gate_of, cards, error_rules, clock), requests)


def _silence(_finding: Finding) -> None:
    """For programs, which read the report."""


def _show_finding(finding: Finding) -> None:
    detail = f"  {finding.detail}" if finding.detail else ""
    output.stdout.print(output.printable(f"{_MARKS[finding.verdict]:>3}  {finding.about}{detail}"))


def _show_diagnosis(diagnosis: Diagnosis) -> None:
    say: Callable[[str], None] = lambda text: output.stdout.print(output.printable(text))  # noqa: E731
    say("")
    if diagnosis.stopped is not None:
        say(f"stopped: {diagnosis.stopped}")
    calls = f"{diagnosis.calls} calls of {diagnosis.budget}"
    say(f"{diagnosis.provider}/{diagnosis.model}, preset {diagnosis.preset}: {calls}")
    if diagnosis.context_length is not None:
        say(f"its window has {diagnosis.context_length} tokens")
    if not diagnosis.differences:
        say("nothing that is not known already" if diagnosis.stopped is None else "nothing was found")
        return
    output.print_table(
        ("field", "known", "found", "what it does"),
        (
            (difference.field, _text(difference.known), _text(difference.found), difference.meaning)
            for difference in diagnosis.differences
        ),
    )
    if diagnosis.verified is not None:
        passes = "passes" if diagnosis.verified else "is refused all the same"
        say(f"a request with all that was refused, mended by this, {passes}")


def _show_kept(diagnosis: Diagnosis, entry: KnownProvider | None) -> None:
    if entry is None:
        output.note("--write keeps this as the provider's settings")
    elif entry.source == "stored":
        output.stdout.print(f"kept as what {output.printable(entry.name)}'s settings say of {diagnosis.model}")
    else:
        output.note(f"{entry.name} is in the configuration file; put this below its table there:")
        output.stdout.print(output.printable(settings_text(diagnosis)))


def settings_text(diagnosis: Diagnosis) -> str:
    """What was found, as a part of the provider's table in the configuration file."""
    text = toml_text({"providers": [{"overrides": [diagnosis.override]}]})
    return text.removeprefix("[[providers]]\n\n")


def _show_cause(cause: Cause, *, replayed: bool) -> None:
    say: Callable[[str], None] = lambda text: output.stdout.print(output.printable(text))  # noqa: E731
    status = "" if cause.status is None else f" with status {cause.status}"
    say(f"{cause.provider}/{cause.model} refused it{status} ({cause.kind})")
    for line in (cause.message, cause.en, cause.zh):
        if line:
            say(line)
    if cause.culprits:
        found = f", found by {cause.calls} calls" if cause.calls else ""
        say(f"culprit: {', '.join(cause.culprits)}{found}")
    for sentence in cause.repairs:
        say(f"it passes when this server {sentence}")
    if cause.note:
        say(cause.note)
    if cause.how == "nothing" and not replayed and cause.kind == Kind.INVALID_REQUEST:
        output.note("--replay asks the provider again, part by part")


def _text(value: JsonValue) -> str:
    if value in (None, [], {}):
        return "-"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
