"""No secret survives, and what was JSON stays JSON."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.protocol.scrub import MASK, SECRET_KEYS, excerpt, scrub

_LINES = (Path(__file__).parents[1] / "data" / "frames.jsonl").read_text().splitlines()


@pytest.mark.parametrize("key", sorted(SECRET_KEYS))
def test_the_value_of_a_secret_key_is_hidden_at_any_depth(key):
    frame = {"params": [{"a": {key: 'se"cr\\et', "b": 1}}], key: "top", "after": "kept"}
    clean = json.loads(scrub(json.dumps(frame)))
    assert clean == {"params": [{"a": {key: MASK, "b": 1}}], key: MASK, "after": "kept"}


def test_the_keys_are_those_of_the_protocol():
    """PROTOCOL 16.1, both lists, and the password that an agent's functions are called with."""
    assert {"token", "project", "jwt_token", "authorization_state", "security_code", "password"} <= SECRET_KEYS
    assert len(SECRET_KEYS) == 14


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ('{"token":"abc","x":1}', '{"token":"***","x":1}'),
        ('{"token" : "a\\"b\\\\", "x":"y"}', '{"token" : "***", "x":"y"}'),
        ('{"tok\\u0065n":"abc"}', '{"tok\\u0065n":"***"}'),
        ('{"payment_card_number":4111111111111111,"x":1}', '{"payment_card_number":"***","x":1}'),
        ('{"token":null,"project":{"token":"a"},"password":["x"]}', None),
        ('{"tokens":"kept","a_token":"kept","Token":"kept"}', '{"tokens":"kept","a_token":"kept","Token":"kept"}'),
        ('{"text":"the token","token":"a"}', '{"text":"the token","token":"***"}'),
        ('{"token":"abc', '{"token":"***'),
        ('garbage "token": "abc" more', 'garbage "token": "***" more'),
        (
            '{"body":"{\\"token\\":\\"abc\\",\\"x\\":\\"y\\"}","z":1}',
            '{"body":"{\\"token\\":\\"***\\",\\"x\\":\\"y\\"}","z":1}',
        ),
        (
            '{"body":"{\\n  \\"token\\":\\n\\t\\"abc\\",\\n  \\"x\\":1}"}',
            '{"body":"{\\n  \\"token\\":\\n\\t\\"***\\",\\n  \\"x\\":1}"}',
        ),
        ('{"body":"{\\"token\\":\\"abc","z":"kept"}', '{"body":"{\\"token\\":\\"***","z":"kept"}'),
        ('{"body":"{\\"security_code\\":123}","z":1}', '{"body":"{\\"security_code\\":\\"***\\"}","z":1}'),
        ("", ""),
    ],
)
def test_secret_keys_are_found_however_they_are_written(text, clean):
    if clean is None:
        clean = '{"token":null,"project":{"token":"***"},"password":["x"]}'
    assert scrub(text) == clean


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("identity 0b6d-7c1a@x", "0b6d-7c1a"),
        ('{"a":"pre0b6d-7c1apost"}', "0b6d-7c1a"),
        ('{"a":"c2Vj\\/cmV0"}', "c2Vj/cmV0"),
        ('{"a":"\\u0050Tabc"}', "PTabc"),
        ('{"a":"\\u0050\\u0054\\u0061\\u0062\\u0063"}', "PTabc"),
        ('{"a":"{\\"b\\":\\"\\\\u0050Tabc\\"}"}', "PTabc"),
        ('{"a":"x\\ty\\ud83d\\ude00"}', "x\ty😀"),
        ('{"a":"q\\"uo\\\\te"}', 'q"uo\\te'),
        ('401 for q"uo\\te!', 'q"uo\\te'),
    ],
)
def test_a_secret_value_is_hidden_in_every_spelling(text, secret):
    """The server repeats the project in other fields, and may write it with escapes."""
    clean = scrub(text, [secret])
    assert MASK in clean
    assert secret not in clean
    if text.startswith("{"):
        assert secret not in str(json.loads(clean))


def test_the_longer_of_two_secrets_is_hidden_first():
    """Else the tail of a token that begins like the project would be left over."""
    assert scrub("abc abcdef", ["abc", "", "abcdef"]) == f"{MASK} {MASK}"


def test_bytes_that_are_no_utf8_are_scrubbed_too():
    assert scrub(b'\xff{"token":"a"} PTabc', ["PTabc"]) == f'\ufffd{{"token":"{MASK}"}} {MASK}'


def test_without_secrets_known_frames_lose_only_their_secret_keys():
    for line in _LINES:
        frame = json.loads(line)["frame"]
        assert json.loads(scrub(json.dumps(frame))) == _masked(frame)


def _masked(value):
    if isinstance(value, dict):
        return {
            key: MASK if key in SECRET_KEYS and isinstance(inner, str | int | float) else _masked(inner)
            for key, inner in value.items()
        }
    return [_masked(inner) for inner in value] if isinstance(value, list) else value


_SECRETS = st.text("abcXYZ019-_.:=+/\"\\\n'é😀", min_size=6, max_size=20).map(lambda text: "PT" + text)
_WORDS = st.text('abcnutPT{}[]:,"\\/ é😀', max_size=8)


@st.composite
def _frames_with_secrets(draw):
    secret = draw(_SECRETS)
    strings = st.tuples(_WORDS, st.sampled_from(["", secret, secret + secret]), _WORDS).map("".join)
    keys = strings | st.sampled_from(sorted(SECRET_KEYS))
    leaves = strings | st.booleans() | st.none() | st.integers(-9, 9)
    for _json_within_json in range(draw(st.integers(0, 2))):
        leaves |= st.dictionaries(keys, leaves, max_size=2).map(json.dumps)
    containers = st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=8,
    )
    return secret, draw(containers)


def _strings(value):
    """Yield every string in ``value``, also of JSON inside strings."""
    if isinstance(value, str):
        yield value
        try:
            inner = json.loads(value)
        except ValueError:
            return
        yield from () if isinstance(inner, str) else _strings(inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _strings(key)
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _shape(value):
    if isinstance(value, dict):
        return [_shape(inner) for inner in value.values()]
    return [_shape(inner) for inner in value] if isinstance(value, list) else None


@given(_frames_with_secrets(), st.booleans())
def test_no_secret_survives_in_any_json_and_its_structure_does(frame, ascii_only):
    """PROTOCOL 16.1: masked JSON can still be read by people and tools."""
    secret, value = frame
    clean = scrub(json.dumps(value, ensure_ascii=ascii_only), [secret])
    assert secret not in clean
    read = json.loads(clean, object_pairs_hook=_every_pair)
    assert not [text for text in _strings(read) if secret in text]
    assert _shape(read) == _shape(json.loads(json.dumps(value), object_pairs_hook=_every_pair))


def _every_pair(pairs):
    # Two keys that held two secrets are both *** afterwards: a dict would lose one.
    return {f"{number} {key}": value for number, (key, value) in enumerate(pairs)}


@given(st.text(), st.lists(_SECRETS, max_size=3))
def test_any_text_can_be_scrubbed_and_twice_is_as_good_as_once(text, secrets):
    clean = scrub(text + "".join(secrets), secrets)
    assert not [secret for secret in secrets if secret in clean]
    assert scrub(clean, secrets) == clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("wss://user:pass@host/x", "wss://***@host/x"),
        ('{"url":"https:\\/\\/user:pass@host\\/x"}', '{"url":"https:\\/\\/***@host\\/x"}'),
        (
            '{"a":"{\\"url\\":\\"https:\\\\/\\\\/user:pass@host\\"}"}',
            '{"a":"{\\"url\\":\\"https:\\\\/\\\\/***@host\\"}"}',
        ),
        ("https://user:p@ss@host/x", "https://***@host/x"),
        ('{"url":"https://user:p\\u00e4ss@host"}', '{"url":"https://***@host"}'),
        ("https://user:" + "x" * 1000 + "@host", "https://***@host"),
        ('{"url":"https://host/a@b","mail":"c@d"}', '{"url":"https://host/a@b","mail":"c@d"}'),
        ('{"url":"https:\\/\\/host\\/a@b"}', '{"url":"https:\\/\\/host\\/a@b"}'),
    ],
)
def test_who_logs_in_by_a_url_is_hidden_however_it_is_written(text, clean):
    """A token is longer than most passwords, and many encoders write a slash with an escape."""
    assert scrub(text) == scrub(clean) == clean


@pytest.mark.parametrize(
    "piece",
    [
        "\\",
        '"',
        "\\u",
        "\\n",
        '"token":',
        '\\"token\\":\\"',
        '"\\',
        "PTabcde",
        "://",
        ":\\/\\/",
        "://a@",
        ':"token"\\n',
    ],
)
def test_hostile_text_costs_linear_time(piece):
    """A server must not be able to stall its client through the log; quadratic matching would take minutes here."""
    begun = time.perf_counter()
    scrub(piece * (100_000 // len(piece)), ["PTabcdef", '\\"x\\', "\\\\n", '"u', "uuu\\x"])
    assert time.perf_counter() - begun < 10.0


def test_an_excerpt_is_short_and_scrubbed():
    text = '{"token":"' + "s" * 3000 + '","x":"' + "y" * 10_000
    assert excerpt(text).startswith('{"token":"***","x":"yyy')
    assert len(excerpt(text)) == 201


def test_an_excerpt_hides_a_secret_that_its_end_cuts():
    secret = "PT" + "s" * 100
    text = "x" * 150 + secret + "y" * 1_000_000
    assert excerpt(text, [secret]) == "x" * 150 + MASK + "y" * 47 + "…"


def test_a_short_text_is_its_own_excerpt():
    assert excerpt(b"short") == "short"
