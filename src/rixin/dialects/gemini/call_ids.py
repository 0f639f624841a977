"""Ids for calls and results that a client sends without: a result answers the oldest open call of its name.

Gemini CLI puts the function's name in front of the ids that it was given; that is taken off again, so that a call is
known by the id that it was issued with. Nothing here is random: the same history always gets the same ids.
"""

from collections import defaultdict
from collections.abc import Iterable

from rixin.dialects.tool_names import fitting


class CallIds:
    """Gives out the ids of one conversation, its calls and results taken in their order.

    Args:
        given: Name and id of every call of the conversation that has an id.
    """

    def __init__(self, given: Iterable[tuple[str, str]]) -> None:
        self._issued: dict[str, str] = {}
        self._taken: set[str] = set()
        for name, identity in given:
            if identity not in self._issued:
                plain = identity.removeprefix(f"{name}__") or identity
                self._issued[identity] = identity if plain in self._taken else plain
                self._taken.add(self._issued[identity])
        self._open: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._made = 0

    def of_call(self, name: str, given: str) -> str:
        """The id of the next call; `given` is the client's, or empty."""
        identity = self._issued[given] if given else self._make(name)
        self._open[name][identity] = None
        return identity

    def of_result(self, name: str, given: str) -> str:
        """The id of the call that the next result answers.

        One that answers no call keeps its id, or gets one of its own.
        """
        waiting = self._open[name]
        identity = self._issued.get(given) or next(iter(waiting), None)
        if identity is None:
            return given or self._make(name)
        waiting.pop(identity, None)
        return identity

    def _make(self, name: str) -> str:
        identity = ""
        while not identity or identity in self._taken:
            identity = fitting(f"call_{self._made}_{name}")
            self._made += 1
        self._taken.add(identity)
        return identity
