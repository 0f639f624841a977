"""What is said in the comments of an engine child's stream."""

import pytest

from rixin.engines.base import Sign
from rixin.engines.child_protocol import encode_sign, last_sign

EVENT = b'data: {"choices": [{"delta": {"content": "\\n: {}"}}]}\n\n'


@pytest.mark.parametrize("sign", [Sign(), Sign(queued=3.25), Sign(queued=0.5, read=0.75)])
def test_a_sign_is_read_as_it_was_written(sign: Sign) -> None:
    """Wherever it stands in what has arrived."""
    comment = encode_sign(sign)
    assert last_sign(comment) == sign
    assert last_sign(encode_sign(Sign(read=0.1)) + comment + EVENT) == sign


@pytest.mark.parametrize("data", [b"", EVENT, b": ping\n\n", b": {\n\n", b': {"read": "x"}\n\n', b': {"read": 0.'])
def test_nothing_else_is_a_sign(data: bytes) -> None:
    """Not events, nor comments of another kind or cut short."""
    assert last_sign(data) is None
