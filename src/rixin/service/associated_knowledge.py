"""What a client itself knows of its question, put before it: `plugins.associated_knowledge` of the native platform.

It is the same whoever answers, so it goes to no upstream as a field; other plugins are left to those that have them.
"""

from typing import Final, Literal

import msgspec
from msgspec import Struct

from rixin.core.messages import TextPart
from rixin.core.requests import Generate
from rixin.errors import invalid
from rixin.knowledge.prompt import question_of

_PLUGINS: Final = "plugins"
_NAME: Final = "associated_knowledge"


class _Associated(Struct, frozen=True):
    content: str
    mode: Literal["concatenate"] = "concatenate"


def associate(request: Generate) -> Generate:
    """A request whose last question stands below what its client knows of it; the same one where that is nothing.

    Raises:
        RixinError: `INVALID_REQUEST`, naming the field.
    """
    plugins = request.extra.get(_PLUGINS)
    if not isinstance(plugins, dict) or _NAME not in plugins:
        return request
    try:
        known = msgspec.convert(plugins[_NAME], _Associated).content.strip()
    except msgspec.ValidationError as error:
        raise invalid(f"invalid {_PLUGINS}.{_NAME}, {error}", f"{_PLUGINS}.{_NAME}") from None
    others = {name: plugin for name, plugin in plugins.items() if name != _NAME}
    extra = {name: value for name, value in request.extra.items() if name != _PLUGINS}
    if others:
        extra[_PLUGINS] = others
    elif request.peculiar is not None:
        peculiar = tuple(name for name in request.peculiar if name != _PLUGINS)
        request = msgspec.structs.replace(request, peculiar=peculiar)
    asked = question_of(request.messages)
    if asked is None or not known:
        return request.edit(extra=extra)
    place, messages = asked[0], list(request.messages)
    parts = (TextPart(f"{known}\n\n"), *messages[place].parts)
    messages[place] = msgspec.structs.replace(messages[place], parts=parts)
    return request.edit(extra=extra, messages=tuple(messages))
