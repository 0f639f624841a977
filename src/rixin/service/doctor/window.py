"""How much the upstream reads at once."""

from rixin.profiles.phrases import Phrase
from rixin.profiles.probes import long_request
from rixin.profiles.range_search import RangeSearch
from rixin.profiles.sanitizers import sanitize
from rixin.service.doctor.examination import Examination, NoCallsLeftError, StoppedError

_SIZES = tuple(2.0**power for power in range(11, 21))
"""Tokens that are tried."""
_LIKELY = 2.0**15


async def window(examination: Examination) -> None:
    """The context window: what the list of models or a refusal tells, else by prompts of some lengths.

    Comes last, because nothing else costs so many tokens, or is so likely to be refused for its rate. A refusal costs
    nothing, and most upstreams say in the first one how much they take.
    """
    if examination.context_length is None:
        try:
            await _search(examination)
        except NoCallsLeftError:
            examination.record("context", "unknown", Phrase("no_call_left"))
            return
        except StoppedError as error:
            examination.record("context", "unknown", error.reason)
            return
    if examination.context_length is not None:
        examination.record("context", "note", Phrase("tokens", {"tokens": str(examination.context_length)}))


async def _search(examination: Examination) -> None:
    search = RangeSearch(_SIZES, _LIKELY)
    while (size := search.value) is not None and examination.context_length is None:
        reply = await examination.ask(sanitize(long_request(examination.model, int(size)), examination.profile).body)
        if reply.error is None:
            search.passed()
        elif reply.refused:
            search.refused()
        else:
            examination.record("context", "unknown", reply.error.message)
            return
    if examination.context_length is None:
        code = "tokens_about" if search.is_bounded else "tokens_at_least"
        examination.record("context", "note", Phrase(code, {"tokens": f"{search.largest:.0f}"}))
