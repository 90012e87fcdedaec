"""Takes out of frames what must not lie in a repository: secrets, cards, numbers, and what was said. Layer: door; pure.

What a frame becomes depends on that frame alone and on the few settings of a `Redaction`, so that what an application
sends later can be compared with what was recorded: both are redacted alike. It is also idempotent: a stand-in stays
what it is.

Numbers and words become stand-ins, of which the same one always stands for the same thing. They are pseudonyms: who
has a number in mind can see that it may be the one, and in one case of ten thousand it is another.

Source: SEMANTICS J10, O6, V7; PROTOCOL 11.10, 16.1.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from relay_actors.journal.entries import EventReceived
from relay_actors.journal.redact import MASK, Redactor, check_digit_fits

__all__ = ["SESSION", "Redaction", "choose_salt"]

_MOST_SALTS: Final = 1000
_WORDS_KEYS: Final = frozenset(
    {
        "body", "callee_name", "caller_name", "content", "display_name", "from_name", "header_info", "message_text",
        "prompt", "subject", "text", "transcript", "username", "utterance",
    }
)  # fmt: skip
_FREE_KEYS: Final = frozenset(
    {
        "custom_parameters", "event", "global_data", "headers", "meta_data", "metadata", "post_prompt", "SWAIG",
        "user_event", "user_variables", "variables",
    }
)  # fmt: skip
"""Below these an application may put anything at all."""
_NUMBER_KEYS: Final = frozenset({"caller", "callee", "from", "number", "to"})
_ACCOUNT_KEYS: Final = frozenset({"project", "project_id", "space_id"})
_TIME_KEYS: Final = frozenset({"answer_time", "created_at", "end_time", "start_time", "timestamp", "updated_at"})

SESSION: Final = "session-1"
"""Stands for the name of the session. What a text is sent in, if nothing else is said, is that name."""
_SESSION_NAME: Final = re.compile(r"signalwire_[\w-]{16,}")

_STAND_IN: Final = "1555010"
_NUMBER: Final = re.compile(r"(?<![\w.])(?:\+|(?<=sip:)|(?<=sips:)|(?<=tel:))\d{7,15}(?!\d)")
_BARE_NUMBER: Final = re.compile(r"\d{7,15}")
_WORDS: Final = re.compile(r"\(\d+ words?, [0-9a-f]{4}\)")
_SHORTEST_CARD, _LONGEST_CARD = 13, 19
_LONG_NUMBER: Final = re.compile(r"\d(?:[ -]?\d){12,}")
_LONG_NUMBER_ALONE: Final = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,}")
"""The same in an id: not the digits at the end of a UUID."""
_PRESSED: Final = re.compile(r"[0-9#*A-D]{1,32}")
_QUERY: Final = re.compile(r"(?<=://)([^\s?#\"]*)[?#][^\s\"]+")
_KEPT_QUERY: Final = re.compile(r"(?<=://)([^\s?#\"]*)\?\*\*\*")


class Redaction:
    """Redacts what crossed the wire.

    Args:
        salt: which stand-ins are given, see `choose_salt`.
        keeps_words: whether what was said, texted and typed as text is left as it is.
        secrets: values to hide wherever they occur; `learn` adds to them.
    """

    def __init__(self, *, salt: int = 0, keeps_words: bool = False, secrets: Iterable[str] = ()) -> None:
        self.salt = salt
        self.keeps_words = keeps_words
        self._redactor = Redactor()
        self._paying: set[object] = set()
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """Hide this value from now on, if it is long enough to be looked for. A session's name is hidden anyway."""
        if not _SESSION_NAME.fullmatch(secret):
            self._redactor.learn(secret)

    def command(self, method: str, params: Mapping[str, object]) -> dict[str, Any]:
        """Return the params of a command."""
        if method == "calling.pay":
            self._paying.add(params.get("call_id"))
        return self._clean(self._plain(params))

    def answer(self, result: Mapping[str, object]) -> dict[str, Any]:
        """Return the result or the error of a command."""
        return self._clean(self._plain(result))

    def event(self, payload: Mapping[str, object]) -> dict[str, Any]:
        """Return the ``params`` of an event's frame. Tell events and commands in their order: a pay hides more."""
        entry = EventReceived(subject="-", at=0.0, payload=_without_session(payload))
        plain: Any = self._redactor.changes(entry)["payload"]
        inner = plain.get("params")
        if isinstance(inner, dict):
            call_id = inner.get("call_id")
            if plain.get("event_type") == "calling.call.pay" and inner.get("state") in ("finished", "error"):
                self._paying.discard(call_id)
            if call_id in self._paying and plain.get("event_type") != "calling.call.pay":
                # A detector of digits reports the keys of a card one by one.
                plain["params"] = _each_text(inner, lambda _key, text: MASK if _PRESSED.fullmatch(text) else text)
        return self._clean(plain)

    def numbers(self, value: object) -> set[str]:
        """Return the digits of every number that `_clean` would replace."""
        found: set[str] = set()

        def look(key: str, text: str) -> str:
            found.update(hit[0].lstrip("+") for hit in _NUMBER.finditer(text))
            if _is_number_key(key) and _BARE_NUMBER.fullmatch(text):
                found.add(text)
            return text

        _each_text(value, look)
        return found

    def stand_in(self, digits: str) -> str:
        """Return the digits that stand for a number's."""
        if digits.startswith(_STAND_IN) and len(digits) == len(_STAND_IN) + 4:
            return digits
        return f"{_STAND_IN}{int(self._digest(digits, 8), 16) % 10_000:04}"

    def _plain(self, value: Mapping[str, object]) -> dict[str, Any]:
        plain: Any = self._redactor.value(_without_session(value))
        return dict(plain)

    def _clean(self, plain: dict[str, Any]) -> dict[str, Any]:
        clean = _each_text(plain, self._text, self._whole_number)
        assert isinstance(clean, dict)
        return clean

    def _text(self, key: str, text: str) -> str:
        if key in _ACCOUNT_KEYS and text:
            return MASK
        if _is_number_key(key) and _BARE_NUMBER.fullmatch(text):
            return self.stand_in(text)
        text = _NUMBER.sub(lambda hit: hit[0][: hit[0].startswith("+")] + self.stand_in(hit[0].lstrip("+")), text)
        long = _LONG_NUMBER_ALONE if key == "tag" or key.endswith("_id") else _LONG_NUMBER
        text = long.sub(lambda hit: MASK if _is_card(hit[0]) else hit[0], text)
        if "://" in text and not _KEPT_QUERY.search(text):
            text = _QUERY.sub(rf"\1?{MASK}", text)
        if key in _WORDS_KEYS and not self.keeps_words and text and text != MASK and not _WORDS.fullmatch(text):
            count = len(text.split())
            return f"({count} word{'s' * (count != 1)}, {self._digest(text, 4)})"
        return text

    def _whole_number(self, key: str, number: int) -> object:
        return MASK if key not in _TIME_KEYS and _is_card(str(number)) else number

    def _digest(self, text: str, length: int) -> str:
        return hashlib.sha256(f"{self.salt}:{text}".encode(errors="surrogatepass")).hexdigest()[:length]


def choose_salt(values: Iterable[object]) -> int:
    """Return a salt with which no two numbers in ``values`` have the same stand-in; 0 if there are too many numbers."""
    probe = Redaction()
    numbers: set[str] = set()
    for value in values:
        numbers |= probe.numbers(value)
    for salt in range(_MOST_SALTS):
        redaction = Redaction(salt=salt)
        if len({redaction.stand_in(digits) for digits in numbers}) == len(numbers):
            return salt
    return 0


def _without_session(value: Mapping[str, object]) -> dict[str, Any]:
    """Return it without the name of the session: first of all, for a secret is part of that name."""
    named: Any = _each_text(dict(value), lambda _key, text: _SESSION_NAME.sub(SESSION, text))
    return dict(named)


def _each_text(
    value: object,
    text: Callable[[str, str], str],
    number: Callable[[str, int], object] = lambda _key, number: number,
    key: str = "",
    *,
    is_free: bool = False,
) -> object:
    """Return plain data with each text and whole number replaced, by the key under which it stands.

    What stands below a key where an application may put anything counts as standing under ``text``.
    """
    match value:
        case str():
            return text("text" if is_free and not _is_number_key(key) else key, value)
        case dict():
            return {
                name: _each_text(
                    item, text, number, name, is_free=is_free or (name in _FREE_KEYS and not isinstance(item, str))
                )
                for name, item in value.items()
            }
        case list():
            return [_each_text(item, text, number, key, is_free=is_free) for item in value]
        case bool():
            return value
        case int():
            return number(key, value)
        case _:
            return value


def _is_number_key(key: str) -> bool:
    return key in _NUMBER_KEYS or key.endswith("_number")


def _is_card(text: str) -> bool:
    """Return whether the digits of a card are among these, or too many to be anything else. Source: ISO/IEC 7812-1.

    Whatever else may have been keyed in with it: a security code, a date.
    """
    digits = "".join(char for char in text if char.isdigit())
    count = len(digits)
    return count > _LONGEST_CARD or any(
        check_digit_fits(digits[begin : begin + length])
        for length in range(_SHORTEST_CARD, count + 1)
        for begin in range(count - length + 1)
    )
