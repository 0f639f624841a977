"""Texts and tools made up for requests: always the same ones for the same seed."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

_WORDS = """
file path command change test module error value call reads writes before after because must never always every
output input line shell search patch user answer plan step result review branch commit server client table
"""


@dataclass(frozen=True)
class Tool:
    """A tool on offer; its parameters are JSON Schema."""

    name: str
    description: str
    parameters: Mapping[str, object]


class Author:
    """Makes them up.

    Args:
        seed: Of what is drawn.
    """

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)
        self._known = _WORDS.split()

    def prose(self, size: float) -> str:
        """Sentences of so many characters or a few more."""
        sentences: list[str] = []
        while sum(map(len, sentences)) < size:
            words = " ".join(self._draw.choice(self._known) for _ in range(self._draw.randint(6, 16)))
            sentences.append(f"{words.capitalize()}. ")
        return "".join(sentences)

    def tool(self, number: int, *, description: float, parameters: int, parameter: float) -> Tool:
        """A tool.

        Args:
            number: Of which it has its name.
            description: Characters of what is told of it.
            parameters: How many it takes.
            parameter: Characters of what is told of each of them.
        """
        properties = {
            f"argument_{index}": {"type": "string", "description": self.prose(parameter)} for index in range(parameters)
        }
        return Tool(f"tool_{number}", self.prose(description), {"type": "object", "properties": properties})
