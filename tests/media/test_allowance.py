"""How many bytes a request may hold."""

import pytest

from rixin.errors import Kind, RixinError
from rixin.media.allowance import Allowance


def test_bytes_are_taken_until_there_are_none_left():
    """The exact number may be had."""
    allowance = Allowance(10)
    allowance.take(4)
    allowance.take(6)
    with pytest.raises(RixinError) as caught:
        allowance.take(1)
    assert caught.value.kind is Kind.INVALID_REQUEST
    assert caught.value.message == "invalid messages, the images and videos should be no larger than 10 bytes in all."


def test_what_is_expected_is_not_taken():
    """A size that is announced may be a lie."""
    allowance = Allowance(45 * 2**20)
    allowance.expect(45 * 2**20)
    allowance.expect(45 * 2**20)
    with pytest.raises(RixinError, match="no larger than 45 MB in all"):
        allowance.expect(45 * 2**20 + 1)
