"""What must not be kept of a text: credentials, which are hidden, and encoded files, which are shortened.

This is the one place that decides it, for the request log, for recordings and for the debug log. It errs on the side
of hiding. What it made is not changed when it is redacted again, and the same text always becomes the same, so that two
redacted requests can be compared.

A credential is known by its own form (the prefixes that vendors publish for theirs, JWTs, PEM blocks), by the name that
it stands under (`api_key`, `password`), or because it is one of the server's own. Names and forms are tables below.
"""

import hashlib
import re
import string
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from functools import lru_cache
from typing import TypeAlias, cast

import msgspec

from rixin.core.json import JsonObject, JsonValue
from rixin.errors import SHORTEST_SECRET

HIDDEN = "[redacted]"
"""What stands in place of a credential."""

_FAR_TOO_LARGE = 64
"""Times its limit that a body may be large to be looked at as a whole."""
_NEVER_TOO_LARGE = 2**20
"""Bytes that a body may have in any case."""
_CLIPS = (65536, 16384, 4096, 1024, 256, 64)
"""Lengths to which the strings of too large a body are cut, one after the other."""

_FORMS: tuple[tuple[str, str], ...] = (
    (
        "-----BEGIN",
        r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:[^-]|-(?!----))*(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?",
    ),
    ("eyJ", r"\beyJ[\w-]{6,}\.[\w-]{4,}(?:\.[\w-]*)*"),  # JWT, JWE
    ("sk-", r"\bsk-(?=[\w-]*\d|[\w-]{20})[\w-]{8,}"),  # OpenAI, Anthropic, DeepSeek, Moonshot, OpenRouter, Rixin, ...
    *((f"{kind}_{mode}_", rf"\b{kind}_{mode}_\w{{10,}}") for kind in ("sk", "rk", "pk") for mode in ("live", "test")),
    *((f"gh{kind}_", rf"\bgh{kind}_\w{{16,}}") for kind in "pousr"),  # GitHub
    ("github_pat_", r"\bgithub_pat_\w{16,}"),
    ("glpat-", r"\bglpat-[\w-]{16,}"),
    ("xox", r"\bxox[a-z]-[\w-]{10,}"),  # Slack
    ("xapp-", r"\bxapp-[\w-]{10,}"),
    *((kind, rf"\b{kind}[0-9A-Z]{{12,}}") for kind in ("AKIA", "ASIA", "ABIA", "ACCA")),  # AWS
    ("AKID", r"\bAKID[0-9A-Za-z]{13,}"),  # Tencent Cloud
    ("LTAI", r"\bLTAI[0-9A-Za-z]{12,}"),  # Alibaba Cloud
    ("AKLT", r"\bAKLT[0-9A-Za-z]{16,}"),  # Volcengine
    ("bce-v", r"\bbce-v\d/[\w/-]{16,}"),  # Baidu
    ("AIza", r"\bAIza[\w-]{30,}"),  # Google
    ("ya29.", r"\bya29\.[\w-]{16,}"),
    ("hf_", r"\bhf_[A-Za-z0-9]{16,}"),
    ("gsk_", r"\bgsk_\w{16,}"),
    ("r8_", r"\br8_\w{16,}"),
    ("npm_", r"\bnpm_\w{16,}"),
    ("fw_", r"\bfw_\w{16,}"),
    ("xai-", r"\bxai-[\w-]{16,}"),
    ("pplx-", r"\bpplx-[\w-]{16,}"),
    ("nvapi-", r"\bnvapi-[\w-]{16,}"),
    ("pypi-", r"\bpypi-[\w-]{16,}"),
    ("tvly-", r"\btvly-[\w-]{16,}"),
    ("csk-", r"\bcsk-[\w-]{16,}"),
    ("tgp_", r"\btgp_v\d_[\w-]{16,}"),
    ("SG.", r"\bSG\.[\w-]{16,}\.[\w-]{16,}"),
)
"""Credentials that are known by how they look, and how such a look begins."""
_BARE_FORMS: tuple[str, ...] = (
    r"[0-9a-f]{32}\.[A-Za-z0-9]{16}(?!\w)",  # Zhipu
    r"\d{8,10}:[A-Za-z0-9_-]{35}(?![\w-])",  # Telegram
)

_KINDS_OF_KEY = "api|access|secret|private|auth|signing|encryption|account|subscription|master|license"
_KINDS_OF_TOKEN = "access|refresh|auth|id|session|bearer|security|csrf|bot|sas"  # noqa: S105 - no token
_QUERY = r"[?&](?:x-[a-z]+-)?"
_WORDS: dict[str, str] = {
    "key": rf"(?:{_KINDS_OF_KEY})[ _-]?|{_QUERY}",
    "token": rf"(?:{_KINDS_OF_TOKEN})[ _-]?|{_QUERY}",
    "sig": _QUERY,
    "code": rf"mfa[ _-]?|{_QUERY}",
    "phrase": "pass[ _-]?|seed[ _-]?",
    "string": "connection[ _-]?",
    "secret": "",
    "password": "",
    "passwd": "",
    "pwd": "",
    "authorization": "",
    "cookie": "",
    "credential": "",
    "otp": "(?<![a-z])",
    "mnemonic": "",
    "密码": "",
    "口令": "",
    "密钥": "",
    "signature": _QUERY,  # elsewhere it is what proves a model's thought
}
"""What credentials are called: the word at the end, and what must stand before it."""
_VAGUE_NAME = re.compile(r"(?:.*[^a-zA-Z])?(?:tokens?|bearer|key)", re.IGNORECASE | re.DOTALL)
"""Names of credentials and of much else; what stands there is hidden when it looks like one."""
_LIKE_A_SECRET = re.compile(r"(?=\S*\d)\S{16,}|\S{32,}")

_ENDING = r"s?(?:[ _-]?id)?"
_BEFORE = {word: re.compile(f"(?:{before})$", re.IGNORECASE) for word, before in _WORDS.items()}
_NAME = re.compile(
    rf"(?:|.*?)(?:{'|'.join(f'(?:{before}){word}' for word, before in _WORDS.items())}){_ENDING}",
    re.IGNORECASE | re.DOTALL,
)
_AFTER = re.compile(
    # Quoted, also where the JSON is itself within a string of JSON; or else without quotes.
    rf"""{_ENDING}(?:\\*["'])?(?:\s+is)?\s*[:=：]\s*(?:(?P<quote>\\*["'])(?P<quoted>(?:(?!(?P=quote)).){{1,8192}})"""
    r"""|(?:(?:bearer|basic|token)\s+)?+(?P<plain>(?:(?!["'\\,;&(){}\[\]<>])[!-~]){6,}))""",
    re.IGNORECASE | re.DOTALL,
)
"""What follows the name of a credential up to its end."""
_SEPARATORS = (":", "=", "：")
_LONGEST_BEFORE = 40

_LEADS: tuple[tuple[str, str], ...] = (
    ("bearer", r"\bbearer\s+(?P<secret>(?=[\w.~+/=-]*\d|[\w.~+/=-]{24})[\w.~+/=-]{8,})"),
    ("basic", r"\bbasic\s+(?P<secret>(?=[\w+/-]*[\d=])[\w+/-]{8,}={0,2})"),
    ("://", r"://[^\s/:@\"']{0,256}:(?P<secret>[^\s/@\"']{1,256})@"),
)
"""Credentials that follow a word, and how that begins."""

_PATTERNS = tuple((begin, re.compile(pattern, re.ASCII)) for begin, pattern in _FORMS)
_BARE_PATTERNS = tuple(re.compile(pattern, re.ASCII) for pattern in _BARE_FORMS)
_LEAD_PATTERNS = tuple((begin, re.compile(pattern, re.IGNORECASE | re.ASCII)) for begin, pattern in _LEADS)
_DATA_URL = re.compile(r"data:(?:[\w.+-]{1,60}/[\w.+-]{1,80})?(?:;[\w.+=-]{1,60})*;base64,([\w+/=%-]{8,})", re.ASCII)
_LONG_RUN = re.compile(r"(?<![\w+/-])([\w+/-]{256,}={0,2})", re.ASCII)
_OF_CREDENTIALS = (string.ascii_letters + string.digits + "-_.+/=~:%").encode()
_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}

_FRAGMENTS = frozenset(
    {"content", "text", "arguments", "reasoning", "reasoning_content", "thinking", "refusal", "partial_json", "delta"}
)
"""Fields whose text comes in pieces, one in each event of a stream."""
_SCHEMA_WORDS = frozenset({"type", "$ref", "anyOf", "oneOf", "allOf", "enum", "properties", "const", "description"})

_Span: TypeAlias = tuple[int, int, str]
"""From where to where, and what stands there instead."""
_Channels: TypeAlias = dict[str, list[tuple[JsonObject, str, str]]]
"""Pieces of texts by where they come: the object and the field that hold one, and the piece."""


class Redactor:
    """Hides credentials and shortens files.

    Args:
        secrets: The server's own, such as its providers' keys: hidden wherever they stand, whatever they look like.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._own: re.Pattern[str] | None = None
        self.learn(*secrets)

    def learn(self, *secrets: str) -> None:
        """Takes more secrets of the server's own."""
        self._secrets.update(secret for secret in secrets if len(secret) >= SHORTEST_SECRET)
        if self._secrets:
            longest_first = sorted(self._secrets, key=len, reverse=True)
            self._own = re.compile("|".join(map(re.escape, longest_first)))

    def text(self, text: str) -> str:
        """A text that may be kept."""
        return _replaced(text, self._spans(text))

    def tree(self, value: JsonValue) -> JsonValue:
        """JSON that may be kept; what was given is left as it is."""
        return self._tree(value, hidden=False)

    def events(self, values: list[JsonValue]) -> list[JsonValue]:
        """The payloads of a stream's events, in their order. A credential that comes in pieces is found too."""
        values = msgspec.json.decode(msgspec.json.encode(values))
        channels: _Channels = {}
        for value in values:
            _gather(value, "", channels)
        for pieces in channels.values():
            if len(pieces) > 1:
                self._redact_pieces(pieces)
        return [self.tree(value) for value in values]

    def body(self, data: bytes, limit: int | None = None) -> str:
        """A body that may be kept, at most about `limit` bytes of it.

        JSON stays JSON where cutting long strings suffices, laid out as compactly as can be; it stays as it was when
        there is nothing to hide. What is many times too large is taken for text, of which the beginning is kept.
        """
        missing = 0
        if limit is not None and len(data) > max(limit * _FAR_TOO_LARGE, _NEVER_TOO_LARGE):
            whole, data = data, beginning(data, 2 * limit)
            missing = len(whole) - len(data)
        try:
            value = cast("JsonValue", msgspec.json.decode(data))
            clean = self.tree(value)
            text = data.decode() if clean == value else _encoded(clean)
            for length in _CLIPS:
                if limit is None or _size(text) <= limit:
                    return text
                text = _encoded(_clipped(clean, length))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            text = self.text(data.decode("utf-8", "replace"))
        if limit is None or (not missing and _size(text) <= limit):
            return text
        return _cut(text, limit, missing)

    def _spans(self, text: str) -> list[_Span]:
        spans: list[_Span] = []
        if self._own is not None:
            spans += [(*match.span(), HIDDEN) for match in self._own.finditer(text)]
        if len(text) >= SHORTEST_SECRET:
            spans += [(begin, end, HIDDEN) for begin, end in (*_by_form(text), *_by_name(text))]
            spans += [(*match.span(1), _shortened(match[1])) for match in _found(text, "data:", text, _DATA_URL)]
            spans += [(*match.span(1), _shortened(match[1])) for match in _LONG_RUN.finditer(text)]
        return _merged(spans)

    def _tree(self, value: JsonValue, *, hidden: bool) -> JsonValue:
        if isinstance(value, str):
            return HIDDEN if hidden and value else self.text(value)
        if isinstance(value, list):
            return [self._tree(item, hidden=hidden) for item in value]
        if isinstance(value, dict):
            hidden = hidden and value.keys().isdisjoint(_SCHEMA_WORDS)
            return {self.text(name): self._field(name, item, hidden=hidden) for name, item in value.items()}
        return HIDDEN if hidden and isinstance(value, int | float) and not isinstance(value, bool) else value

    def _field(self, name: str, value: JsonValue, *, hidden: bool) -> JsonValue:
        meaning = _meaning(name)
        if meaning is _Meaning.PERHAPS and isinstance(value, str) and _LIKE_A_SECRET.fullmatch(value):
            return HIDDEN
        return self._tree(value, hidden=hidden or meaning is _Meaning.CREDENTIAL)

    def _redact_pieces(self, pieces: list[tuple[JsonObject, str, str]]) -> None:
        spans = self._spans("".join(text for _, _, text in pieces))
        begin = 0
        for holder, field, text in pieces if spans else ():
            holder[field] = _replaced_within(text, begin, spans)
            begin += len(text)


def beginning(data: bytes, limit: int) -> bytes:
    """At most `limit` bytes of a body. Where it is cut, no part of a credential is left that none would know."""
    return data if len(data) <= limit else data[:limit].rstrip(_OF_CREDENTIALS)


def _by_form(text: str) -> Iterator[tuple[int, int]]:
    """Where credentials stand that are known by how they look.

    Here and below a pattern is tried only where something begins like it, which is many times faster.
    """
    for begin, pattern in _PATTERNS:
        if begin in text:
            for match in _found(text, begin, text, pattern):
                yield match.span()
    for pattern in _BARE_PATTERNS:
        for match in pattern.finditer(text):
            yield match.span()


def _by_name(text: str) -> Iterator[tuple[int, int]]:
    """Where credentials stand that are known by what precedes them."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = text.translate(_LOWER)  # some letters become two
    for begin, pattern in _LEAD_PATTERNS:
        if begin in lower:
            for match in _found(lower, begin, text, pattern):
                yield match.span("secret")
    if not any(mark in text for mark in _SEPARATORS):
        return
    for word, before in _BEFORE.items():
        for match in _found(lower, word, text, _AFTER, len(word)) if word in lower else ():
            at = match.start() - len(word)
            if before.search(text[max(0, at - _LONGEST_BEFORE) : at]):
                yield match.span("quoted") if match["quoted"] is not None else match.span("plain")


def _found(text: str, begin: str, original: str, pattern: re.Pattern[str], skip: int = 0) -> Iterator[re.Match[str]]:
    """Matches of a pattern in `original` at the places where `text` has `begin`, or `skip` characters further on."""
    at = text.find(begin)
    while at >= 0:
        match = pattern.match(original, at + skip)
        if match is not None:
            yield match
        at = text.find(begin, at + len(begin) if match is None else max(match.end(), at + len(begin)))


class _Meaning(Enum):
    """What a field's name says of its value."""

    CREDENTIAL = auto()
    PERHAPS = auto()
    NOTHING = auto()


@lru_cache(maxsize=4096)
def _meaning(name: str) -> _Meaning:
    if _NAME.fullmatch(name):
        return _Meaning.CREDENTIAL
    return _Meaning.PERHAPS if _VAGUE_NAME.fullmatch(name) else _Meaning.NOTHING


def _gather(value: JsonValue, path: str, channels: _Channels) -> None:
    """Sorts the pieces of an event by where they come: the path to them, and the numbers that tell items apart."""
    if isinstance(value, list):
        for position, item in enumerate(value):
            _gather(item, f"{path}/{position}", channels)
    if isinstance(value, dict):
        numbers = [f"{name}={number}" for name, number in value.items() if name.endswith("index")]
        path = "/".join((path, *numbers))
        for name, item in value.items():
            if isinstance(item, str):
                if name in _FRAGMENTS:
                    channels.setdefault(f"{path}/{name}", []).append((value, name, item))
            else:
                _gather(item, f"{path}/{name}", channels)


def _merged(spans: list[_Span]) -> list[_Span]:
    """Spans in order, without overlaps: what two patterns found is replaced once, by what is found first."""
    merged: list[_Span] = []
    for span in sorted(spans):
        if merged and span[0] < merged[-1][1]:
            begin, end, words = merged[-1]
            merged[-1] = (begin, max(end, span[1]), words if span[1] <= end else HIDDEN)
        else:
            merged.append(span)
    return merged


def _replaced(text: str, spans: list[_Span]) -> str:
    return _replaced_within(text, 0, spans) if spans else text


def _replaced_within(text: str, offset: int, spans: list[_Span]) -> str:
    """A piece that begins at `offset` of what the spans are of; a replacement stands where its span begins."""
    kept: list[str] = []
    done = offset
    for begin, end, words in spans:
        if end <= offset or begin >= offset + len(text):
            continue
        kept.append(text[done - offset : max(begin, done) - offset])
        if begin >= offset:
            kept.append(words)
        done = end
    return "".join((*kept, text[max(done - offset, 0) :]))


def _shortened(text: str) -> str:
    """What stands in place of a long text: told apart from others, and telling nothing."""
    return f"[{len(text)} characters, sha256 {hashlib.sha256(text.encode()).hexdigest()[:12]}]"


def _clipped(value: JsonValue, length: int) -> JsonValue:
    if isinstance(value, str):
        return value if len(value) <= length else f"{value[:length]}[{len(value) - length} more characters]"
    if isinstance(value, list):
        return [_clipped(item, length) for item in value]
    if isinstance(value, dict):
        return {name: _clipped(item, length) for name, item in value.items()}
    return value


def _cut(text: str, limit: int, missing: int) -> str:
    data = text.encode()
    return f"{data[:limit].decode('utf-8', 'ignore')}[{max(0, len(data) - limit) + missing} more bytes]"


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _encoded(value: JsonValue) -> str:
    return msgspec.json.encode(value).decode()
