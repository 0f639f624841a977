"""What golden cases of Responses hold besides: `chat.json` is the body for an upstream that speaks Chat.

The requests have the three shapes in which Codex declares its tools.
"""

from typing import Any

import msgspec
import pytest

from rixin.core.responses import collect
from rixin.dialects.openai_chat import DIALECT as CHAT
from rixin.dialects.openai_responses import DIALECT
from rixin.dialects.openai_responses.upstream import read_response
from tests.dialects.openai_responses.asking import fresh_stamp
from tests.dialects.test_golden import SERVED as ALL_SERVED
from tests.dialects.test_golden import Case

SERVED = [case for case in ALL_SERVED if case.dialect is DIALECT]


@pytest.mark.parametrize("case", SERVED, ids=str)
def test_the_last_event_holds_the_whole_answer(case: Case) -> None:
    """The one that is given to those who do not ask for a stream."""
    body = DIALECT.render_response(collect(case.events), case.request, fresh_stamp())
    stream = read_response(case.content("client.sse"))
    assert msgspec.structs.replace(read_response(body), opaque=()) == msgspec.structs.replace(stream, opaque=())


@pytest.mark.parametrize("case", SERVED, ids=str)
def test_a_chat_upstream_is_sent_exactly_this(case: Case) -> None:
    """The body, before any profile has seen it."""
    assert CHAT.upstream is not None
    body = msgspec.json.encode(CHAT.upstream.build_body(case.request))
    assert msgspec.json.format(body, indent=1) + b"\n" == case.content("chat.json")


@pytest.mark.parametrize("case", SERVED, ids=str)
def test_every_upstream_is_offered_only_functions(case: Case) -> None:
    """Each by its own name; nothing that only the client's dialect knows comes along."""
    assert CHAT.upstream is not None
    tools: Any = CHAT.upstream.build_body(case.request).get("tools", [])
    names = [tool["function"]["name"] for tool in tools]
    assert {tool["type"] for tool in tools} <= {"function"}
    assert len(set(names)) == len(names)
