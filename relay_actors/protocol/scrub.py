"""Takes secrets out of text before it is logged. Layer: ``protocol``, pure.

Two passes, for neither is enough alone: the keys catch what is not known here (card numbers, other people's
passwords), the values catch what the server repeats under other names (it writes the project into ``identity``).

Source: PROTOCOL 16.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Final

__all__ = ["MASK", "SECRET_KEYS", "excerpt", "scrub"]

MASK: Final = "***"

SECRET_KEYS: Final = frozenset(
    {
        "authorization_bearer_token",
        "authorization_state",
        "dpop_token",
        "expiration_date",
        "jwt_token",
        "password",
        "payment_card_number",
        "payment_card_security_code",
        "payment_token",
        "post_prompt_auth_password",
        "project",
        "security_code",
        "token",
        "web_hook_auth_password",
    }
)

# The slashes may be written with escapes. To the last @ before a path: a password may well have one in it. A run ends
# at the next slash, and each begins behind two, so that no text is looked at twice.
_URL_USER: Final = re.compile(r'(:(?:\\{0,16}/){2})[^/?#\s"]+@')
_EXCERPT_CHARS: Final = 200
_EXCERPT_WINDOW: Final = 4096
_NUMBER: Final = re.compile(r"-?[0-9][0-9.eE+-]*")
# The run of backslashes before a quote; matching only whole runs keeps hostile text from costing quadratic time.
_QUOTE: Final = re.compile(r'(?<!\\)(\\*)"')


def scrub(text: str | bytes, secrets: Iterable[str] = ()) -> str:
    r"""Return ``text`` with every secret replaced by ``***``.

    Hidden are the values of `SECRET_KEYS` and of every key that ends in ``password``, the ``secrets``, and who logs in
    by a URL.

    Works on JSON, on JSON inside the strings of JSON (three levels deep), and on broken or other text. What was JSON is
    JSON afterwards, with the same structure, as long as no secret is a piece of JSON syntax itself, for example a bare
    number.

    Args:
        text: bytes that are no UTF-8 are replaced, as for a log.
        secrets: values to hide wherever they occur, also when JSON writes them with escapes (``\/``, ``\u0041``);
            empty ones are passed over.
    """
    if isinstance(text, bytes):
        text = text.decode(errors="replace")
    return _URL_USER.sub(rf"\g<1>{MASK}@", _hide_values(_hide_by_key(text), secrets))


def excerpt(text: str | bytes, secrets: Iterable[str] = ()) -> str:
    """Return the scrubbed beginning of ``text``, short enough for a line of log, whatever the length of ``text``.

    A secret that the cut would leave in halves is hidden too, unless it is longer than some 3,800 characters.
    """
    window = text[:_EXCERPT_WINDOW]
    clean = scrub(window, secrets)
    if len(clean) <= _EXCERPT_CHARS and len(window) == len(text):
        return clean
    return clean[:_EXCERPT_CHARS] + "…"


def _hide_by_key(text: str) -> str:
    parts: list[str] = []
    done = 0
    search = _key_pattern().search
    while (head := search(text, done)) is not None:
        parts.append(text[done : head.end()])
        done = head.end()
        quote = head["run"] + '"'
        if text.startswith(quote, done):
            parts.append(quote + MASK)
            done = _end_of_string(text, done + len(quote), len(head["run"]))
        elif (number := _NUMBER.match(text, done)) is not None:
            # A card number may well come as a number; inside a string the quotes need the depth of that string.
            parts.append(quote + MASK + quote)
            done = number.end()
    parts.append(text[done:])
    return "".join(parts)


def _end_of_string(text: str, start: int, depth_run: int) -> int:
    r"""Return where the string that begins at ``start`` ends: at the backslashes and quote that close it.

    Inside a string of JSON that itself stands in a string of JSON, each quote is written ``\"``, and an escaped one
    ``\\\"``. So each level of nesting takes one backslash, and half of the others.
    """
    for quote in _QUOTE.finditer(text, start):
        run, level = len(quote[1]), depth_run
        while level and run % 2:
            run, level = (run - 1) // 2, (level - 1) // 2
        if level:  # a quote that ends an outer string: the inner one is broken, and must not swallow what follows
            return quote.start()
        if run % 2 == 0:
            return quote.end() - 1 - depth_run
    return len(text)


def _hide_values(text: str, secrets: Iterable[str]) -> str:
    known = tuple(sorted({s for s in secrets if s}, key=len, reverse=True))
    return _values_pattern(known).sub(MASK, text) if known else text


@lru_cache(maxsize=64)
def _values_pattern(secrets: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(_any_spelling, secrets)))


def _any_spelling(secret: str) -> str:
    r"""Return a pattern for ``secret`` in plain text, in JSON, and in JSON within JSON.

    Backslashes before the secret go with it: the last one may begin an escape, as in ``\nabc`` before the secret
    ``nabc``, and would break the JSON if it stayed. So the first character is spelled without those that it may need.
    All runs are bounded and the first gives nothing back, or text made of backslashes would cost quadratic time.
    """
    rest = secret.lstrip("\\") or secret
    lead = r"\\{0,64}+" if rest is secret else r"(?:\\{1,64}+(?:u(?i:005c))?){1,16}+"
    return lead + _spelling(rest[0], "") + "".join(map(_spelling, _CHARS.findall(rest, 1)))


_CHARS: Final = re.compile(r"\\+|[^\\]")
_SHORT_ESCAPES: Final = {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", '"': '"', "/": "/"}


def _spelling(char: str, run: str = r"\\{1,16}") -> str:
    """Return a pattern for ``char`` as itself or in any of JSON's escapes, which begin with ``run``.

    Several backslashes count as one char, so that in JSON an even number of them is taken: what is left of a longer run
    still escapes what it escaped.
    """
    if char.startswith("\\"):
        count = len(char)
        nested = "|".join(rf"\\{{{2**level * count}}}" for level in (4, 3, 2))
        return rf"(?:{nested}|(?:\\\\|\\{{1,16}}u(?i:005c)){{{count}}}|\\{{{count}}})"
    units = char.encode("utf-16-be", "surrogatepass").hex()
    spellings = [re.escape(char), run + r"\\{1,16}".join(f"u(?i:{units[i : i + 4]})" for i in range(0, len(units), 4))]
    if char in _SHORT_ESCAPES:
        spellings.append(run + _SHORT_ESCAPES[char])
    return f"(?:{'|'.join(spellings)})"


_SPACE: Final = r"(?:\s|\\{1,16}[nrt])*"
"""Space as in JSON, and as in JSON within JSON."""


@cache
def _key_pattern() -> re.Pattern[str]:
    """Return what finds a key whose value is hidden. Made when it is needed: it takes as long as a dozen imports."""
    return re.compile(
        r'(?<!\\)(?P<run>\\*)"(?:'
        + "|".join("".join(map(_spelling, key)) for key in sorted(SECRET_KEYS))
        + r"|[\w.-]{0,64}(?i:password)"
        + rf')(?P=run)"{_SPACE}:{_SPACE}'
    )
