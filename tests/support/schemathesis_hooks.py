"""What Schemathesis does to a request before it is sent: most of those for a model name one that there is."""

from typing import Any, cast

import schemathesis

MODEL = "m"


@schemathesis.hook  # pyright: ignore[reportUnknownMemberType] - the library's decorator takes anything
def before_call(_context: schemathesis.HookContext, case: "schemathesis.Case[Any]", _kwargs: dict[str, Any]) -> None:
    """Puts in the model; a quarter of the names, by their length, stay what they are."""
    for part in (case.body, case.path_parameters):
        if isinstance(part, dict):
            fields = cast("dict[str, Any]", part)
            name = fields.get("model")
            if isinstance(name, str) and len(name) % 4 != 3:
                fields["model"] = MODEL
