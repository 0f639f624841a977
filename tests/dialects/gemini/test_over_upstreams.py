"""Google's clients in front of upstreams of every dialect: nothing is lost, and a break is told."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rixin.core.events import Event
from rixin.core.responses import collect
from rixin.dialects.base import Dialect
from rixin.dialects.gemini import DIALECT
from rixin.errors import RixinError
from tests.dialects.anthropic.streams import streams
from tests.dialects.gemini.asking import stream
from tests.dialects.gemini.client import BrokenError, hear, read_array, read_events
from tests.dialects.support import STAMP
from tests.dialects.test_crossed import ANSWER, DIALECTS, cut, read, upstream_of, write

READERS = {"sse": read_events, "json": read_array}
BACKS = pytest.mark.parametrize("back", DIALECTS, ids=[dialect.name for dialect in DIALECTS])
FORMS = pytest.mark.parametrize("alt", READERS)


def whole(events: list[Event]) -> bytes:
    """The whole answer that events amount to, as the only entry of an array."""
    return b"[%s]" % DIALECT.render_response(collect(events), stream(), STAMP)


@BACKS
@FORMS
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(events=streams("tr", beside=False), data=st.data())
def test_an_answer_keeps_all(back: Dialect, alt: str, events: list[Event], data: st.DataObject) -> None:
    """Written upstream, cut anywhere, read and written for the client: it hears each part in order, and the counts."""
    received = read(back, cut(write(back, events), data))
    writer = DIALECT.writer(stream(alt), STAMP)
    heard = READERS[alt](writer.feed(received) + writer.close())
    [expected] = read_array(whole(received))
    assert hear(heard) == hear([expected])
    assert heard[-1]["usageMetadata"] == expected["usageMetadata"]
    calls = [part["functionCall"] for part in hear(heard)[0].parts if "functionCall" in part]
    told = [(call.name, json.loads(call.arguments)) for call in collect(events).choices[0].tool_calls]
    assert [(call["name"], call["args"]) for call in calls] == told


@BACKS
@FORMS
def test_an_upstreams_stream_cut_at_any_byte_never_ends_cleanly(back: Dialect, alt: str) -> None:
    """The client is told of the break, unless all had come that makes the answer whole."""
    written = write(back, ANSWER)
    [expected] = read_array(whole(ANSWER))
    for place in range(len(written)):
        reader, writer, shown = upstream_of(back).reader(), DIALECT.writer(stream(alt), STAMP), b""
        try:
            shown = writer.feed(reader.feed(written[:place]))
            shown += writer.feed(reader.eof())
        except RixinError as error:
            with pytest.raises(BrokenError):
                READERS[alt](shown + writer.fail(error))
            continue
        heard = hear(READERS[alt](shown + writer.close()))[0]
        assert (heard.parts, heard.finish) == (hear([expected])[0].parts, "STOP")
