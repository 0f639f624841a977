"""`rixin config`: what the settings come to, and whether they hold."""

import os
from pathlib import Path

import typer

from rixin.cli import options, output
from rixin.cli.provider_rules import provider_rules
from rixin.cli.toml_text import toml_text
from rixin.core.prices import PriceList
from rixin.engines.gguf import read_header
from rixin.errors import Kind, RixinError
from rixin.routing.known_provider import known_provider
from rixin.settings import CONFIG_NAME, redacted

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def config() -> None:
    """Show and check the settings."""


@app.command()
def show(config: options.Config = None, data_dir: options.DataDir = None, json: options.Json = False) -> None:
    """Print the settings in force, as TOML. Secrets are left out."""
    tree = redacted(options.load_settings(config, data_dir))
    if json:
        output.print_json(tree)
    else:
        output.stdout.print(toml_text(tree), end="")


@app.command()
def validate(config: options.Config = None, data_dir: options.DataDir = None) -> None:
    """Check the settings. The files that they name are looked at too; the exit code tells."""
    settings = options.load_settings(config, data_dir)
    rules = provider_rules(os.environ)
    PriceList(settings.prices)
    for provider in settings.providers:
        known_provider(provider, rules, source="configured")
    for model in settings.models:
        for file in (model.path, model.mmproj):
            if file is not None:
                read_header(file)
        if model.chat_template is not None and not model.chat_template.is_file():
            raise RixinError(Kind.CONFIGURATION, f"the chat template {model.chat_template} of {model.name} is no file")
    counts = f"{len(settings.providers)} providers, {len(settings.models)} models, {len(settings.aliases)} aliases"
    file = config or (CONFIG_NAME if Path(CONFIG_NAME).is_file() else "no file")
    output.stdout.print(f"The settings ({file}, the environment) are valid: {counts}.")
