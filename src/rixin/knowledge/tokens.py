"""What a text is found by: words, and pairs of neighbouring characters where a script has no spaces.

The full text of databases cuts such scripts into pieces that nobody asks for, so that tokens are made here, for texts
and for questions alike.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

_WIDE: Final = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Chinese characters, kana and Hangul syllables."""
_RUN = re.compile(rf"[{_WIDE}]+|[^\W_{_WIDE}]+(?:[-_./][^\W_{_WIDE}]+)*")
_PART = re.compile(r"[^\W_]+")
_WIDE_RUN = re.compile(rf"[{_WIDE}]")
_MOST: Final = 64
"""Characters of a token; what is longer is no word."""
_STOP_WORDS: Final = frozenset(
    """a an and are as at be by can did do does for from has have how i if in is it its may me my of on or our shall
    should that the their them there they this to was we were what when where which who why will with would you
    your""".split()  # noqa: SIM905 - words read better as a text
)


def tokens(text: str) -> list[str]:
    """The tokens of a text, in order: letters and digits only, in lower case.

    `ZX-4471` is `zx`, `4471` and `zx4471`; `知识库` is `知识` and `识库`.
    """
    return [token for token in _tokens(unicodedata.normalize("NFKC", text).casefold()) if len(token) <= _MOST]


def query_tokens(text: str, most: int = 64) -> list[str]:
    """The tokens that a question is looked up by, each once: without words that every text has, `most` at most."""
    found = dict.fromkeys(tokens(text))
    telling = [token for token in found if token not in _STOP_WORDS]
    return (telling or list(found))[:most]


def _tokens(text: str) -> Iterator[str]:
    for match in _RUN.finditer(text):
        run = match.group()
        if _WIDE_RUN.match(run):
            yield from (run[place : place + 2] for place in range(len(run) - 1)) if len(run) > 1 else (run,)
            continue
        parts = _PART.findall(run)
        yield from parts
        if len(parts) > 1:
            yield "".join(parts)
