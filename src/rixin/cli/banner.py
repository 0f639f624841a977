"""What `rixin serve` says when it answers: where, with which key, by which models, and how to try it."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from rixin import __version__
from rixin.cli.output import size_text
from rixin.cli.provider_variables import unused_variables
from rixin.cli.supervisor import ServerReady
from rixin.engines.proxy import shown_address
from rixin.engines.weights import known_weights, weights_path
from rixin.settings import Settings
from rixin.web import console_files

_BODY = (
    '{"model": "sensenova-6.7-flash-lite", "messages": [{"role": "user", "content": "Name the capital of France."}]}'
)


def banner(ready: ServerReady, settings: Settings, environ: Mapping[str, str]) -> str:
    """The text for people, in paragraphs.

    Args:
        ready: What the supervisor told.
        settings: Of the server.
        environ: For providers' keys, of which only the variables' names are shown, and for proxies.
    """
    paragraphs = [
        f"Rixin {__version__} is at {ready.url}",
        _key_text(ready, settings),
        _setup_text(ready),
        f"Console: {ready.url}{console_files.PATH}" if console_files.is_built() else console_files.HOW_TO_BUILD,
        f"Try it:\n\n{_indented(_curl(ready, settings))}",
        _models_text(ready, settings, environ),
        *(
            f"{found.variable} is set. To use {found.preset.title} too:\n\n{_indented(found.command)}"
            for found in unused_variables(environ, [address for _, address in ready.providers])
        ),
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def banner_json(ready: ServerReady, settings: Settings) -> str:
    """The same for programs: one line of JSON."""
    told = {"event": "listening", "url": ready.url, "pid": ready.pid, "version": __version__}
    file = _key_file(settings)
    setup = settings.server.setup_token_file.absolute()
    files = {
        "first_key_file": str(file) if file else None,
        "setup_token_file": str(setup) if setup.is_file() else None,
    }
    return msgspec.json.encode({**told, **files}).decode() + "\n"


def _key_text(ready: ServerReady, settings: Settings) -> str:
    if settings.server.auth == "off":
        return "No key is needed: server.auth is off."
    if ready.first_key:
        return f"Your key, shown this once: {ready.first_key}"
    file = _key_file(settings)
    return f"The first key is in {file}" if file else "Make a key with: rixin keys create NAME"


def _setup_text(ready: ServerReady) -> str:
    if ready.setup_token is None:
        return ""
    return f"To let people log in, make the first owner with the set-up token: {ready.setup_token}"


def _key_file(settings: Settings) -> Path | None:
    file = settings.first_key_file.absolute()
    return file if file.is_file() else None


def _curl(ready: ServerReady, settings: Settings) -> str:
    lines = [f"curl {ready.url}/v1/chat/completions"]
    if settings.server.auth == "keys":
        file = _key_file(settings)
        key = ready.first_key or (f"$(cat {_shell_quoted(file)})" if file else "$RIXIN_API_KEY")
        lines.append(f'-H "Authorization: Bearer {key}"')
    lines += ["-H 'Content-Type: application/json'", f"-d '{_BODY}'"]
    return " \\\n  ".join(lines)


def _shell_quoted(path: Path) -> str:
    text = str(path).replace("'", "'\\''")
    return text if text.replace("/", "").replace("-", "").replace(".", "").replace("_", "").isalnum() else f"'{text}'"


def _models_text(ready: ServerReady, settings: Settings, environ: Mapping[str, str]) -> str:
    lines = [f"{name}: {shown_address(address, environ)}" for name, address in ready.providers]
    lines += [f"{model.name}: {model.path}" for model in settings.models]
    if not settings.models and not any(provider.replay_dir for provider in settings.providers):
        name = settings.engine.default_model
        file = weights_path(name, settings.models_dir)
        known = known_weights().get(name)
        size = f" ({size_text(known.size)})" if known else ""
        if file.is_file():
            lines.append(f"local: {file}")
        elif ready.providers:
            lines.append(f"local: {name}{size}, downloaded when somebody first asks for it")
        else:
            lines.append(f"local: {name}{size} is being downloaded; answers come once it is here")
    return f"Models:\n\n{_indented(chr(10).join(lines))}"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
