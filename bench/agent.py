"""A coding agent's conversations: the same instructions and tools before each of them, about as large as Codex's."""

import asyncio

import msgspec

from bench.asks import chat_tool
from bench.prose import Author
from bench.stream import client_of, stream
from bench.targets import Target

_INSTRUCTIONS, _DESCRIPTION, _PARAMETER = 17_000, 1_500, 120
_TOOLS, _PARAMETERS = 14, 5
_QUESTION = "List the files here and tell what the project does."
_NEXT, _LATER, _OTHER = "Now run the tests.", "Then fix what fails.", "Where is the entry point, and what calls it?"
_TRAFFIC = 8


class AgentTurn(msgspec.Struct, frozen=True, kw_only=True):
    """One turn of a conversation."""

    name: str
    prompt_tokens: int
    cached_tokens: int
    first_token_seconds: float


def agent_body(*turns: str, size: float = 1.0) -> dict[str, object]:
    """A request of an agent.

    Args:
        turns: What was said by the user and the model, in turns.
        size: Of the instructions and tools, as a part of 54 kB.
    """
    author = Author(7)
    messages = [{"role": "system", "content": author.prose(_INSTRUCTIONS * size)}]
    messages += [{"role": "assistant" if index % 2 else "user", "content": text} for index, text in enumerate(turns)]
    tools = [
        author.tool(number, description=_DESCRIPTION, parameters=_PARAMETERS, parameter=_PARAMETER)
        for number in range(round(_TOOLS * size))
    ]
    return {
        "model": "local",
        "messages": messages,
        "tools": [chat_tool(tool) for tool in tools],
        "temperature": 0,
        "max_tokens": 24,
    }


async def measure_turns(target: Target, *, size: float = 1.0) -> list[AgentTurn]:
    """A conversation's first turns, another conversation, and what comes next when others have been served."""
    measured: list[AgentTurn] = []
    async with client_of(target) as client:

        async def turn(name: str, *turns: str) -> str:
            answer = await stream(client, target.port, agent_body(*turns, size=size))
            measured.append(
                AgentTurn(
                    name=name,
                    prompt_tokens=answer.prompt_tokens,
                    cached_tokens=answer.cached_tokens,
                    first_token_seconds=answer.first_token_seconds,
                )
            )
            return answer.text or "Done."

        async def others() -> None:
            questions = (f"What is {number} times seven?" for number in range(_TRAFFIC))
            bodies = (
                {"model": "local", "messages": [{"role": "user", "content": question}], "max_tokens": 16}
                for question in questions
            )
            await asyncio.gather(*(stream(client, target.port, body) for body in bodies))

        first = await turn("first turn", _QUESTION)
        second = await turn("second turn", _QUESTION, first, _NEXT)
        await turn("another conversation", _OTHER)
        await others()
        await turn("third turn, after others", _QUESTION, first, _NEXT, second, _LATER)
        await others()
        await turn("a third conversation, after others", _LATER)
    return measured
