"""Requests that ask nothing.

Agents send them to see whether a server, a key and a model are there; no model is asked what to say to nothing.
"""

from rixin.core.events import Event, Finish, Start
from rixin.core.requests import Generate
from rixin.core.usage import Usage


def asks_nothing(request: Generate) -> bool:
    """Whether there is nothing to answer."""
    return not request.messages and request.prompt is None


def answer_to_nothing(request: Generate) -> list[Event]:
    """An empty answer, which costs nothing."""
    return [Start(id="", created=0, model=request.card.target), Finish(reason="stop"), Usage()]
