"""Running text of a prompt: what it asks for, what of it is a chain, a list, a quote or a story, and what is left."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from rixin.engines.draw.moments import told_timeline
from rixin.engines.draw.points import item_of, parts_of
from rixin.engines.draw.sides import sides_of
from rixin.engines.draw.specification import Block, Listing, Quote, Steps
from rixin.engines.draw.subject import is_wish, subject_of, tidy

_SENTENCE_END: Final = re.compile(r"(?<=[。！？!?；;])|(?<=\.)(?=\s)(?<!\d\.)")
_FULL_STOP: Final = re.compile(r"(?<=[。！？!?])|(?<=\.)(?=\s)(?<!\d\.)")
_ARROWS: Final = re.compile(r"\s*(?:→|➜|⇒|=>|->|—>|-->)\s*")
_ORDER: Final = re.compile(
    r"^(?:(?:first(?:ly)?|second(?:ly)?|third(?:ly)?|next|then|after that|afterwards|finally|lastly)\b"
    r"|首先|其次|然后|接着|接下来|最后)[,，:：\s]*(?P<text>\S.*)$",
    re.IGNORECASE,
)
_QUOTE: Final = re.compile(
    r"[“「『\"](?P<text>[^“”「」『』\"]{14,260})[”」』\"]\s*"
    r"(?:(?:[—–-]{1,2}|by\b|,?\s*said)\s*(?P<author>[^\n。.;；\"]{2,50}))?"
)
_SAID: Final = re.compile(r"\S+\s+\S+\s+\S+\s+\S|[\u4e00-\u9fff]{9}")
"""What is long enough to have been said, and is no name."""
_HEAD: Final = re.compile(r"^(?P<head>[^:：]{1,60})[:：]\s*(?P<text>\S.*)$", re.DOTALL)
_CLAUSE_END: Final = re.compile(r"[,，;；]\s*")
_BLANKS: Final = " \t;；"
_ENDS: Final = " \t.。!！?？;；"
_PUNCTUATION: Final = " \t,，.。;；:：—–-、!！"
_LONGEST_LINK: Final = 80
_LONGEST_SUBJECT: Final = 90
_LONGEST_CHINESE: Final = 24


class Prose:
    """Paragraphs that have been read.

    Args:
        paragraphs: In their order.
    """

    def __init__(self, paragraphs: Iterable[str]) -> None:
        self.subject = ""
        """What a picture was asked of."""
        self.opening = ""
        """The name of what the text begins by counting up, where it does that."""
        self.blocks: list[Block] = []
        self.sentences: list[str] = []
        """What is in no block, and says something about the subject."""
        self._begun = False
        for paragraph in paragraphs:
            self._read(paragraph)

    def _read(self, paragraph: str) -> None:
        timeline, rest = told_timeline(paragraph)
        if timeline:
            self.blocks.append(timeline)
        first, *others = _pieces(rest)
        requested = first.rstrip(_ENDS)
        told = self._without_request(requested.strip(_BLANKS))
        rest = self._without_quotes("".join((told, first[len(requested) :] if told else "", *others)))
        ordered: list[str] = []
        for sentence in _pieces(rest):
            plain = self._without_request(sentence.strip(_BLANKS))
            if not plain.strip(_PUNCTUATION):
                continue
            if (order := _ORDER.match(plain)) and not _ARROWS.search(plain):
                ordered.append(order["text"].rstrip("。."))
            elif block := sides_of(plain) or _block_of(plain):
                self.opening = self.opening if self._begun else block.title
                self.blocks.append(block)
            else:
                self.sentences.append(plain)
            self._begun = True
        if len(ordered) >= 2:
            self.blocks.append(Steps(items=tuple(item_of(tidy(text)) for text in ordered)))
        else:
            self.sentences += ordered

    def _without_quotes(self, paragraph: str) -> str:
        """A paragraph without what it quotes, which becomes blocks."""
        for match in _QUOTE.finditer(paragraph):
            if _SAID.search(match["text"]):
                self.blocks.append(Quote(text=match["text"].strip(), author=tidy(match["author"] or "")))
                paragraph = paragraph.replace(match[0], "", 1)
        return paragraph

    def _without_request(self, sentence: str) -> str:
        """What a sentence tells; nothing where it only asks for a picture or for a look."""
        subject = None if self.subject else subject_of(sentence)
        if subject is None:
            return "" if is_wish(sentence) else sentence
        self.subject, rest = _named_and_told(subject)
        return rest


def _named_and_told(subject: str) -> tuple[str, str]:
    """The name of a subject, and what is told of it in the same breath."""
    if match := _HEAD.match(subject):
        return tidy(match["head"]), subject if len(match["text"]) > 8 else ""
    is_long = len(subject) > (_LONGEST_SUBJECT if subject.isascii() else _LONGEST_CHINESE)
    if is_long and (end := _CLAUSE_END.search(subject)):
        return tidy(subject[: end.start()]), subject[end.end() :]
    return subject, ""


def _pieces(text: str) -> Iterator[str]:
    """Sentences, and what stands between their semicolons where they compare nothing."""
    for sentence in _FULL_STOP.split(text):
        if sides_of(sentence):
            yield sentence
        else:
            yield from _SENTENCE_END.split(sentence)


def _block_of(sentence: str) -> Block | None:
    """A sentence that is a chain of steps, or counts things up."""
    head, text = "", sentence.rstrip("。.")
    if match := _HEAD.match(text):
        head, text = tidy(match["head"]), match["text"]
    chain = [link.strip() for link in _ARROWS.split(text) if link.strip()]
    if len(chain) >= 3 and all(len(link) <= _LONGEST_LINK for link in chain):
        return Steps(title=head, items=tuple(item_of(tidy(link)) for link in chain))
    parts = parts_of(text)
    if head and len(parts) >= 3 and all(len(part) <= _LONGEST_LINK for part in parts):
        return Listing(title=head, items=tuple(tidy(part) for part in parts))
    return None
