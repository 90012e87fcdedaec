"""Keeps secrets and card data out of the journal. Layer: pillar; pure.

What is replaced by ``***`` before an entry is encoded:

* *by key*: at any depth, the values of `SECRET_KEYS`, of every key that ends in ``password``, and of every one that
  begins like a card field;
* *by value*: each secret the store was told (project, token, JWT, authorization state), wherever it occurs in a text. A
  secret shorter than `SHORTEST_SECRET` characters is not looked for: it would tear holes into unrelated text;
* *the user part of a URL*: ``https://name:password@host`` keeps its host only;
* *of pay events*: everything but the fields in `PAY_FIELDS_KEPT`. Whatever a payment may carry in future is left out
  as well;
* *card numbers in what a caller keyed or said, or texted*: 13 to 19 digits with a valid check digit, or more than 19
  in a row; with the digits that stand beside it, such as the date until which it is valid.

The digits of an ordinary collect are kept: recovery has to know what the caller chose. The price of the last rule: an
order number of 13 digits or more that looks like a card's (one in ten does) is not there after a crash. The running
call is not touched by any of this; only its journal is. Not covered: the single keys that an application's own digit
detector reports one by one while a pay runs on the same call.

Source: SEMANTICS J10; PROTOCOL 11.10, 16.1.
"""

from __future__ import annotations

import operator
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Final

from relay_actors.errors import JournalError
from relay_actors.journal.entries import (
    CallStarted,
    CommandIntended,
    CommandSettled,
    Entry,
    EventReceived,
    Noted,
    Snapshot,
)

__all__ = [
    "MASK",
    "MAX_DEPTH",
    "PASSING_SECRETS",
    "PAY_FIELDS_KEPT",
    "SECRET_KEYS",
    "SHORTEST_SECRET",
    "TOO_DEEP",
    "Redactor",
    "check_digit_fits",
]

MASK: Final = "***"
TOO_DEEP: Final = "(nested too deeply to keep)"
MAX_DEPTH: Final = 110
"""How deeply values may be nested. RELAY needs less than 20; a hostile frame must not be able to stop the journal."""
SHORTEST_SECRET: Final = 8
PASSING_SECRETS: Final = 16
"""How many secrets are kept out of those that are replaced by newer ones, and are worth nothing then."""

SECRET_KEYS: Final = frozenset(
    {
        "authorization_bearer_token", "authorization_state", "card_number", "cvc", "cvv", "dpop_token",
        "expiration_date", "jwt_token", "pan", "security_code", "token",
    }
)  # fmt: skip
_CARD_KEY_STARTS: Final = ("payment_card_", "payment_token", "bank_account", "bank_routing", "payment_bank_")
_CARD_KEYS_KEPT: Final = frozenset({"payment_card_type"})
_SETTINGS: Final = ("true", "false")
"""``security_code`` is also a switch of ``calling.pay``: as such it is no secret."""

PAY_FIELDS_KEPT: Final = frozenset(
    {
        "attempt", "call_id", "connector_error", "control_id", "error_type", "for", "node_id", "payment_card_type",
        "payment_confirmation_code", "payment_error", "payment_error_code", "payment_method", "result", "segment_id",
        "state", "tag",
    }
)  # fmt: skip
"""All that is kept of the inner ``params`` of a ``calling.call.pay`` event."""

_HOLD_VALUES: Final[Mapping[type[Entry], tuple[str, ...]]] = {
    EventReceived: ("payload",),
    CommandIntended: ("params",),
    CommandSettled: ("result",),
    CallStarted: ("data", "settings"),
    Noted: ("values",),
    Snapshot: ("state",),
}
"""The fields of each kind of entry in which there may be anything."""

_PAY_EVENT: Final = "calling.call.pay"
_CALLER_KEYS: Final = frozenset({"body", "digits", "text"})
_SHORTEST_CARD: Final = 13
_LONGEST_CARD: Final = 19
_SHORTEST_GROUP: Final = 3
"""Digits that are written together. Who spells a number digit by digit has a card's among them too often."""
_ATOMS: Final = frozenset({bool, bytes, float, int, type(None)})
"""Types whose values have nothing in them."""
_MOST_KNOWN: Final = 4096
_LONGEST_KNOWN: Final = 64
"""So many keys, and texts of at most so many characters, are remembered as harmless: most come again and again."""
_GAP: Final = re.compile("[ -]")
_LONG_NUMBER: Final = re.compile(r"\d(?:[ -]?\d){12,}")
_URL_USER: Final = re.compile(r"(?<=://)[^/?#\s]*@")


class Redactor:
    """Turns values into plain data without secrets. One per store.

    Args:
        secrets: values that must not be written anywhere, see `learn`.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: tuple[str, ...] = ()
        self._passing: deque[str] = deque()
        self._harmless_keys: set[str] = set()
        self._harmless_texts: set[str] = set()
        for secret in secrets:
            self.learn(secret)

    def __repr__(self) -> str:
        return f"<Redactor of {len(self._secrets)} secrets>"

    def learn(self, secret: str, *, is_passing: bool = False) -> None:
        """Keep this value out of everything from now on; an empty or very short one is left alone.

        Args:
            secret: the value.
            is_passing: whether a newer one takes its place sooner or later. Of such ones the newest `PASSING_SECRETS`
                are kept out: with each log in there is one more, and each text is searched for all of them.
        """
        if len(secret) >= SHORTEST_SECRET and secret not in self._secrets:
            known = [*self._secrets, secret]
            if is_passing:
                self._passing.append(secret)
                if len(self._passing) > PASSING_SECRETS:
                    known.remove(self._passing.popleft())
            # Longest first: a secret may contain another one.
            self._secrets = tuple(sorted(known, key=len, reverse=True))
            self._harmless_keys.clear()
            self._harmless_texts.clear()

    def changes(self, entry: Entry) -> dict[str, object]:
        """Return those fields of ``entry`` that may hold secrets, redacted: for storing, not for changing.

        A value in which there is nothing to replace is the entry's own, not a copy.

        Raises:
            JournalError: a value is not plain data; the text names the field.
        """
        kind = type(entry)
        changes: dict[str, object] = {name: getattr(entry, name) for name in _HOLD_VALUES.get(kind, ())}
        if not self.is_harmless(kind, changes):
            self.redact(kind, changes)
        return changes

    def redact(self, kind: type[Entry], fields: dict[str, object]) -> None:
        """Redact those of the fields of an entry of that kind that may hold secrets, in place: see `changes`.

        Where `is_harmless`, it changes nothing.

        Raises:
            JournalError: a value is not plain data; the text names the field.
        """
        for name in _HOLD_VALUES.get(kind, ()):
            value: Any = fields[name]
            if not isinstance(value, Mapping):
                raise JournalError(f"cannot store {name}: it must be a mapping, not {type(value).__name__}")
            try:
                fields[name] = value = self._object(value, 0)
            except _NotPlainError as error:
                raise JournalError(f"cannot store {name}: {error}") from None
            if kind is EventReceived and value.get("event_type") == _PAY_EVENT:
                inner = value.get("params")
                if isinstance(inner, dict):
                    kept = {key: held if key in PAY_FIELDS_KEPT else MASK for key, held in inner.items()}
                    fields[name] = {**value, "params": kept}

    def value(self, value: object) -> object:
        """Return ``value`` as plain data (None, bool, int, float, str, bytes, list, dict with text keys), redacted.

        A tuple becomes a list. What is nested deeper than `MAX_DEPTH` becomes `TOO_DEEP`. A value in which there is
        nothing to replace is returned itself.

        Raises:
            JournalError: it holds something else; the text says where.
        """
        try:
            return self._plain(value, 0)
        except _NotPlainError as error:
            raise JournalError(f"cannot store this value: {error}") from None

    def is_harmless(self, kind: type[Entry], fields: Mapping[str, object]) -> bool:
        """Return whether there is nothing for `redact` to replace or to refuse, as nearly always.

        One loop through all that is in the fields, for this is done with each frame and command. Whatever it does not
        know is left to `redact`.
        """
        todo: list[Any] = []
        for name in _HOLD_VALUES.get(kind, ()):
            value: Any = fields[name]
            if type(value) is not dict or (kind is EventReceived and value.get("event_type") == _PAY_EVENT):
                return False
            todo.append(value)
        keys, texts = self._harmless_keys, self._harmless_texts
        for one in todo:
            if len(todo) > MAX_DEPTH:  # it may be nested as deeply, or hold itself
                return False
            items = one
            if type(one) is dict:
                if not keys.issuperset(one):
                    for key in one:
                        if key not in keys and not self._is_harmless_under(key, one[key]):
                            return False
                items = one.values()
            for item in items:
                its = type(item)
                if its is str:
                    if item not in texts and self._known(item) is not item:
                        return False
                elif its is dict or its is list:
                    todo.append(item)
                elif its not in _ATOMS:
                    return False
        return True

    def _is_harmless_under(self, key: object, value: object) -> bool:
        """Return whether a key can stay, and makes no secret of its value."""
        if type(key) is not str:
            return False
        if key in _CALLER_KEYS:
            return type(value) is not str or len(value) < _SHORTEST_CARD or _LONG_NUMBER.search(value) is None
        return self._stays(key) and key in self._harmless_keys

    def _object(self, value: Any, depth: int) -> dict[str, object]:
        """Return it redacted; itself, if it is a plain dictionary without anything to replace."""
        key: object = None
        replaced: dict[str, object] = {}
        is_renamed = type(value) is not dict
        try:
            for key, item in value.items():
                if not isinstance(key, str):
                    raise _NotPlainError("a key that is not a text")
                is_renamed = is_renamed or not self._stays(key)
                plain = self._field(key, item, depth)
                if plain is not item:
                    replaced[key] = plain
        except _NotPlainError as error:
            error.path.append(str(key))
            raise
        if is_renamed:
            return {self._text(key): replaced.get(key, item) for key, item in value.items()}
        return {**value, **replaced} if replaced else value

    def _stays(self, key: str) -> bool:
        """Return whether a key can stay what it is; remember those whose values are looked at as any others."""
        if type(key) is not str or self._text(key) is not key:
            return False
        name = key.lower()
        if not (_is_secret(name) or name in _CALLER_KEYS or len(key) > _LONGEST_KNOWN):
            if len(self._harmless_keys) >= _MOST_KNOWN:
                self._harmless_keys.clear()
            self._harmless_keys.add(key)
        return True

    def _field(self, key: str, value: object, depth: int) -> object:
        name = key.lower()
        if _is_secret(name):
            # An empty value is no secret, and says that there was none.
            return value if value is None or value == "" or isinstance(value, bool) or value in _SETTINGS else MASK
        plain = self._plain(value, depth + 1)
        if name in _CALLER_KEYS and isinstance(plain, str) and len(plain) >= _SHORTEST_CARD:
            return _LONG_NUMBER.sub(_without_card, plain)
        return plain

    def _plain(self, value: object, depth: int) -> object:
        if isinstance(value, str):
            return self._text(value)
        if value is None or isinstance(value, int | float | bytes):
            return value
        if type(value) is dict:  # asked first: asking for a Mapping takes long
            return self._object(value, depth) if depth <= MAX_DEPTH else TOO_DEEP
        if not isinstance(value, list | tuple | Mapping):
            raise _NotPlainError(type(value).__name__)
        if depth > MAX_DEPTH:
            return TOO_DEEP
        if isinstance(value, Mapping):
            return self._object(value, depth)
        plain = [self._plain(item, depth + 1) for item in value]
        is_same = type(value) is list and all(map(operator.is_, plain, value))
        return value if is_same else plain

    def _known(self, text: str) -> str:
        """Return a text redacted, and remember it if that has changed nothing."""
        plain = self._text(text)
        if plain is text and len(text) <= _LONGEST_KNOWN:
            if len(self._harmless_texts) >= _MOST_KNOWN:
                self._harmless_texts.clear()
            self._harmless_texts.add(text)
        return plain

    def _text(self, text: str) -> str:
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, MASK)
        if "@" in text and "://" in text:
            text = _URL_USER.sub(f"{MASK}@", text)
        return str.__str__(text)  # a subclass, such as a StrEnum, becomes a plain text


class _NotPlainError(Exception):
    """There is something in a value that the journal cannot hold; ``path`` leads to it, innermost key first."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
        self.path: list[str] = []

    def __str__(self) -> str:
        where = f" at {'.'.join(reversed(self.path))}" if self.path else ""
        return (
            f"it holds {self.what}{where}, which is not plain data. "
            "Keep to None, bool, int, float, str, bytes, lists, and dicts with text keys"
        )


def _is_secret(name: str) -> bool:
    """Return whether what is called that, in small letters, is a secret or part of a card."""
    is_card_field = name.startswith(_CARD_KEY_STARTS) and name not in _CARD_KEYS_KEPT
    return name in SECRET_KEYS or name.endswith("password") or is_card_field


def _without_card(found: re.Match[str]) -> str:
    groups = _GAP.split(found[0])
    number = "".join(groups)
    is_card = len(number) > _LONGEST_CARD or check_digit_fits(number) or any(map(check_digit_fits, _within(groups)))
    return MASK if is_card else found[0]


def _within(groups: Sequence[str]) -> Iterator[str]:
    """Give what may be a card's number among the digits that stand beside it, as they are grouped."""
    for first, last in combinations(range(len(groups) + 1), 2):
        part = groups[first:last]
        number = "".join(part)
        if len(number) >= _SHORTEST_CARD and min(map(len, part)) >= _SHORTEST_GROUP:
            yield number


def check_digit_fits(number: str) -> bool:
    """Return whether the last digit is the check digit of the others. Source: ISO/IEC 7812-1, annex B."""
    digits = list(map(int, number))
    doubled = (sum(divmod(2 * d, 10)) for d in digits[-2::-2])
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0
