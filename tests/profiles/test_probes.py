"""The table of probes."""

import base64

import pytest

from rixin.core.cards import FieldRule
from rixin.profiles.mistakes import find_mistake
from rixin.profiles.probes import (
    EDGES,
    IMAGE,
    IMPLIED,
    OF_TOOLS,
    RANGES,
    SUBJECTS,
    TOGGLES,
    Subject,
    allow_list,
    parallel_request,
    single,
    smallest,
    together,
    tool_request,
)
from tests.profiles.strict_upstream import OPTIONAL


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_a_subject_is_asked_about_by_its_control(subject: Subject) -> None:
    """Each request has its part, and is right by the documented rules."""
    body = single("m", subject)
    assert subject.part.applies(body)
    assert find_mistake(body) is None


def test_a_request_can_have_all_parts_together() -> None:
    """Nothing gets lost when facts share a request, and it is as right as each."""
    whole = together("m", SUBJECTS)
    assert [subject.name for subject in SUBJECTS if not subject.part.applies(whole)] == []
    assert find_mistake(whole) is None


def test_every_optional_field_is_asked_about() -> None:
    """The 24 fields that upstreams are known to refuse are all in the table; stream_options goes with the streams."""
    fields = {name for subject in SUBJECTS for name in subject.part.canonical or ()}
    assert OPTIONAL.keys() - fields == {"stream_options"}


def test_names_in_the_tables_exist() -> None:
    """Names that tables share are those of subjects, each once."""
    names = [subject.name for subject in SUBJECTS]
    assert len(set(names)) == len(names)
    assert {*IMPLIED, *IMPLIED.values(), *OF_TOOLS} <= set(names)
    assert {toggle.name for toggle in TOGGLES} <= set(names)
    assert {edge.field for edge in EDGES} <= set(names)
    assert all(ranged.likely in ranged.numbers and list(ranged.numbers) == sorted(ranged.numbers) for ranged in RANGES)


def test_an_end_that_is_refused_alone_leaves_the_range_open() -> None:
    """Where all up to it passes only the end is left out; else the last number that passed is the new end."""
    edge = next(edge for edge in EDGES if (edge.field, edge.side) == ("top_p", "maximum"))
    assert (edge.number, edge.about.text) == (1, "top_p of 1")
    assert edge.rule(2) == FieldRule(maximum=1, maximum_open=True)
    assert edge.rule(1) == FieldRule(maximum=0.95)
    lowest = next(edge for edge in EDGES if (edge.field, edge.side) == ("presence_penalty", "minimum"))
    assert lowest.rule(1) == FieldRule(minimum=0)
    assert all(len(set(edge.steps)) == len(edge.steps) > 2 for edge in EDGES)


def test_requests_of_tables_are_right() -> None:
    """What is asked besides makes no mistake of its own."""
    for body in (smallest("m"), tool_request("m"), parallel_request("m")):
        assert find_mistake(body) is None
    assert base64.b64decode(IMAGE, validate=True).startswith(b"\x89PNG")


def test_an_allow_list_is_made_of_what_was_taken() -> None:
    """It has what every client sends, and what was tried; nothing that was refused."""
    listed = allow_list({"temperature", "n_default", "stream_options", "strict"}, {"max_tokens"})
    assert {"model", "messages", "temperature", "n", "stream_options", "tools"} <= listed
    assert "max_tokens" not in listed
    assert "seed" not in listed
