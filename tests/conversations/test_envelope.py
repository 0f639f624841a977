"""Envelopes: what opens them, and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rixin.accounts.root_secret import RootSecret
from rixin.accounts.sealed_box import SealedBox
from rixin.conversations.envelope import PREFIX, PURPOSE, THOUGHT_AGE, Envelopes, Refusal, Summary, Thought
from tests.conversations.clock import ManualClock

OPENAI = "gAAAAABo3mX0" + "k7" * 40
ANTHROPIC = "EqoBCkYIARgCKkAabc+/==" + "A" * 40


def test_a_thought_comes_back_with_its_upstreams_proof(envelopes: Envelopes, clock: ManualClock) -> None:
    """Text, signature and who signed."""
    envelope = envelopes.seal_thought("Think. 想。", "alice", signature="EqoB", issuer="claude")
    assert envelopes.open(envelope, "alice") == Thought(
        text="Think. 想。", made_at=clock.now(), signature="EqoB", issuer="claude"
    )


def test_r18_an_envelope_tells_its_version_and_hides_its_text(envelopes: Envelopes) -> None:
    """It begins with the version; two of the same thought differ, and neither holds a word of it."""
    one, other = (envelopes.seal_thought("secret " * 20, "alice") for _ in range(2))
    assert one != other
    assert one.startswith(PREFIX)
    assert "secret" not in one
    assert len(one) < 300  # compressed before it is sealed


@pytest.mark.parametrize("foreign", ["", "sig", OPENAI, ANTHROPIC, "rx", "rx1", "RX1.abc"])
def test_r18_what_is_none_of_ours_is_foreign(envelopes: Envelopes, foreign: str) -> None:
    """OpenAI's and Anthropic's own are told from ours by how they begin."""
    assert envelopes.open(foreign, "alice") is Refusal.FOREIGN


def test_another_account_cannot_open_it(envelopes: Envelopes) -> None:
    """A thought of one key says nothing to another one."""
    assert envelopes.open(envelopes.seal_thought("mine", "alice"), "bob") is Refusal.BROKEN


def test_another_secret_cannot_open_it(envelopes: Envelopes, clock: ManualClock) -> None:
    """Nor can the same secret for another purpose."""
    envelope = envelopes.seal_thought("mine", "alice")
    for secret, purpose in ((bytes(31) + b"\x01", PURPOSE), (bytes(32), "provider keys")):
        assert Envelopes(SealedBox(RootSecret(secret), purpose), clock).open(envelope, "alice") is Refusal.BROKEN


@given(st.data())
def test_no_change_goes_unnoticed(data: st.DataObject) -> None:
    """Whatever character is changed, cut or added, the envelope is refused, and nothing is raised."""
    envelopes = Envelopes(SealedBox(RootSecret(bytes(32)), PURPOSE), ManualClock())
    envelope = envelopes.seal_thought("think", "alice")
    place = data.draw(st.integers(len(PREFIX), len(envelope) - 3))  # the last ones may hold bits of no byte
    character = data.draw(st.characters().filter(lambda drawn: drawn != envelope[place]))
    for changed in (envelope[:place] + character + envelope[place + 1 :], envelope[:place], envelope + character):
        assert envelopes.open(changed, "alice") is Refusal.BROKEN


def test_an_envelope_of_another_version_is_ours_and_stays_closed(envelopes: Envelopes) -> None:
    """So that no other vendor is asked to open it."""
    assert envelopes.open("rx2.abcdefgh", "alice") is Refusal.BROKEN


def test_thoughts_age_and_summaries_do_not(envelopes: Envelopes, clock: ManualClock) -> None:
    """A summary is all that is left of its conversation."""
    thought, summary = envelopes.seal_thought("think", "alice"), envelopes.seal_summary("all", "alice")
    made_at = clock.now()
    clock.time += THOUGHT_AGE
    assert isinstance(envelopes.open(thought, "alice"), Thought)
    clock.time += 1
    assert envelopes.open(thought, "alice") is Refusal.EXPIRED
    assert envelopes.open(summary, "alice") == Summary(text="all", made_at=made_at)
