"""What a client asks, in the words of each dialect that the server speaks."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bench.prose import Author, Tool

SYSTEM = "You are a helpful assistant that answers briefly and to the point."
QUESTION = (
    "What is the throughput of a gateway, and how would one go about measuring it fairly on a small and noisy machine? "
    "Please answer in one or two sentences."
)
MAX_TOKENS = 256


@dataclass(frozen=True)
class Ask:
    """A request, whatever the dialect."""

    model: str
    stream: bool = False
    system: str = SYSTEM
    turns: tuple[str, ...] = (QUESTION,)
    """What was said in turns, by the user first."""
    tools: tuple[Tool, ...] = ()

    def messages(self, assistant: str = "assistant") -> list[tuple[str, str]]:
        """Roles and texts, under the dialect's name for the model's role."""
        return [(assistant if index % 2 else "user", text) for index, text in enumerate(self.turns)]


def agent(ask: Ask) -> Ask:
    """The same as an agent asks it: 40 kB, with 30 tools and some turns behind it."""
    author = Author(11)
    tools = tuple(author.tool(number, description=300, parameters=4, parameter=60) for number in range(30))
    turns = tuple(author.prose(430) for _ in range(12))
    return replace(ask, system=author.prose(4000), turns=(*turns, QUESTION), tools=tools)


def chat_tool(tool: Tool) -> dict[str, object]:
    """A tool, as Chat Completions has it."""
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def chat(ask: Ask) -> dict[str, object]:
    """A body of Chat Completions."""
    messages = [("system", ask.system), *ask.messages()]
    body: dict[str, object] = {
        "model": ask.model,
        "messages": [{"role": role, "content": text} for role, text in messages],
        "temperature": 0.7,
        "max_tokens": MAX_TOKENS,
        "top_p": 1,
        "user": "bench-user-1",
    }
    if ask.tools:
        body["tools"] = [chat_tool(tool) for tool in ask.tools]
    if ask.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def responses(ask: Ask) -> dict[str, object]:
    """A body of the Responses API."""
    kinds = {"user": "input_text", "assistant": "output_text"}
    body: dict[str, object] = {
        "model": ask.model,
        "instructions": ask.system,
        "input": [
            {"type": "message", "role": role, "content": [{"type": kinds[role], "text": text}]}
            for role, text in ask.messages()
        ],
        "max_output_tokens": MAX_TOKENS,
        "store": False,
        "stream": ask.stream,
    }
    if ask.tools:
        body["tools"] = [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
                "strict": False,
            }
            for tool in ask.tools
        ]
    return body


def messages(ask: Ask) -> dict[str, object]:
    """A body of Anthropic's Messages API."""
    body: dict[str, object] = {
        "model": ask.model,
        "system": ask.system,
        "messages": [{"role": role, "content": text} for role, text in ask.messages()],
        "max_tokens": MAX_TOKENS,
        "stream": ask.stream,
    }
    if ask.tools:
        body["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.parameters} for tool in ask.tools
        ]
    return body


def native(ask: Ask) -> dict[str, object]:
    """A body of the SenseNova platform's own chat, which has no tools."""
    messages = [("system", ask.system), *ask.messages()]
    return {
        "model": ask.model,
        "messages": [{"role": role, "content": text} for role, text in messages],
        "max_new_tokens": MAX_TOKENS,
        "stream": ask.stream,
    }


def gemini(ask: Ask) -> dict[str, object]:
    """A body of Gemini's `generateContent`; the path tells the model, and whether it is a stream."""
    body: dict[str, object] = {
        "systemInstruction": {"parts": [{"text": ask.system}]},
        "contents": [{"role": role, "parts": [{"text": text}]} for role, text in ask.messages("model")],
        "generationConfig": {"maxOutputTokens": MAX_TOKENS},
    }
    if ask.tools:
        declared = [
            {"name": tool.name, "description": tool.description, "parametersJsonSchema": tool.parameters}
            for tool in ask.tools
        ]
        body["tools"] = [{"functionDeclarations": declared}]
    return body


@dataclass(frozen=True)
class Front:
    """A dialect before the server: what is behind it speaks Chat Completions."""

    name: str
    title: str
    path: str
    """Of a whole answer; `{model}` stands for the model."""
    body: Callable[[Ask], dict[str, object]]
    stream_path: str | None = None
    """Of a stream, where it is another one."""

    def path_of(self, ask: Ask) -> str:
        """Where a request goes."""
        path = self.stream_path if ask.stream and self.stream_path else self.path
        return path.replace("{model}", ask.model)


CHAT = Front("chat", "Chat Completions", "/v1/chat/completions", chat)
RESPONSES = Front("responses", "Responses", "/v1/responses", responses)
MESSAGES = Front("messages", "Messages", "/v1/messages", messages)
NATIVE = Front("native", "the native platform", "/v1/llm/chat-completions", native)
GEMINI = Front(
    "gemini",
    "Gemini",
    "/v1beta/models/{model}:generateContent",
    gemini,
    stream_path="/v1beta/models/{model}:streamGenerateContent?alt=sse",
)
FRONTS = (CHAT, RESPONSES, MESSAGES, NATIVE, GEMINI)
