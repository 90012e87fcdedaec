"""Settings: what is taken from where, and what is refused before any network activity."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.config import (
    DEFAULT_HOST,
    Credentials,
    Limits,
    Settings,
    Timing,
    check_contexts,
    is_loopback,
    split_host,
)
from relay_actors.errors import ConfigError

ENV = {"SIGNALWIRE_PROJECT_ID": "project-from-env", "SIGNALWIRE_API_TOKEN": "token-from-env"}


def test_credentials_and_host_come_from_the_environment():
    """The first example of the documentation passes no arguments. Source: PROTOCOL 16.3."""
    settings = Settings.from_env(
        {
            **ENV,
            "SIGNALWIRE_SPACE": "example.signalwire.com",
            "RELAY_MAX_ACTIVE_CALLS": "7",
            "RELAY_MAX_CONNECTIONS": "2",
            "SIGNALWIRE_LOG_LEVEL": "debug",
        }
    )

    assert settings.credentials == Credentials(project="project-from-env", token="token-from-env")
    assert settings.url == "wss://example.signalwire.com"
    assert (settings.max_active_calls, settings.max_connections, settings.log_level) == (7, 2, "DEBUG")


def test_what_is_not_set_has_its_documented_default():
    """Source: PROTOCOL 1, 15."""
    settings = Settings.from_env(ENV)

    assert settings == Settings(credentials=Credentials(project="project-from-env", token="token-from-env"))
    assert (settings.host, settings.scheme, settings.contexts) == (DEFAULT_HOST, "wss", ())
    assert (settings.max_active_calls, settings.max_connections) == (1000, 1)


def test_the_real_environment_is_the_default(monkeypatch: pytest.MonkeyPatch):
    """`os.environ` is read when settings are made, not when the module is imported."""
    monkeypatch.setenv("SIGNALWIRE_JWT_TOKEN", "jwt-from-env")

    assert Settings.from_env().credentials.jwt_token == "jwt-from-env"


def test_an_argument_wins_over_its_variable():
    """Source: PROTOCOL 15."""
    settings = Settings.from_env(
        {**ENV, "SIGNALWIRE_SPACE": "env.example", "RELAY_MAX_ACTIVE_CALLS": "7"},
        project="p",
        token="t",
        host="argument.example",
        contexts=["a", "b", "a"],
        max_active_calls=8,
    )

    assert settings.credentials == Credentials(project="p", token="t")
    assert (settings.host, settings.contexts, settings.max_active_calls) == ("argument.example", ("a", "b"), 8)


def test_an_empty_argument_or_variable_counts_as_missing():
    """Shells and compose files set empty variables where they mean none. Source: PROTOCOL 15."""
    env = {
        **ENV,
        "SIGNALWIRE_SPACE": "",
        "SIGNALWIRE_RELAY_HOST": "relay.example",
        "RELAY_MAX_ACTIVE_CALLS": "",
        "SIGNALWIRE_LOG_LEVEL": "",
    }
    settings = Settings.from_env(env, project="", token="", host="", scheme="", ca_file="")

    assert settings.credentials.project == "project-from-env"
    assert (settings.host, settings.scheme, settings.max_active_calls) == ("relay.example", "wss", 1000)


@pytest.mark.parametrize(
    ("env", "starts", "names"),
    [
        ({}, "project is required", "SIGNALWIRE_PROJECT_ID"),
        ({"SIGNALWIRE_PROJECT_ID": "p"}, "token is required", "SIGNALWIRE_API_TOKEN"),
        ({"SIGNALWIRE_API_TOKEN": "t"}, "project is required", "SIGNALWIRE_PROJECT_ID"),
    ],
)
def test_missing_credentials_are_named_one_at_a_time(env: dict[str, str], starts: str, names: str):
    """The text names the variable to set. Source: PROTOCOL 15."""
    with pytest.raises(ConfigError, match=f"^{starts}.*{names}"):
        Settings.from_env(env)


def test_a_jwt_needs_neither_project_nor_token():
    """Source: PROTOCOL 3.1, 15."""
    assert Settings.from_env({}, jwt_token="j").credentials == Credentials(jwt_token="j")


def test_secrets_are_not_shown():
    """Settings end up in tracebacks and debuggers; the project counts as a secret too. Source: PROTOCOL 16.1."""
    credentials = Credentials(project="the-project", token="the-token", jwt_token="the-jwt-which-is-long")
    settings = Settings(credentials=credentials)

    for secret in ("the-project", "the-token", "the-jwt-which-is-long"):
        assert secret not in repr(settings)
    assert credentials.secrets == ("the-jwt-which-is-long", "the-project", "the-token")
    assert Credentials(jwt_token="only").secrets == ("only",)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"project": 5}, "project must be a string, not int"),
        ({"token": b"t"}, "token must be a string, not bytes"),
        ({"jwt_token": ["j"]}, "jwt_token must be a string, not list"),
        ({"host": 80}, "host must be a string, not int"),
        ({"project": 0}, "project must be a string, not int"),
        ({"scheme": True}, "scheme must be a string, not bool"),
        ({"ca_file": Path("x")}, "ca_file must be a string"),
        ({"ca_file": "/no/such/file.pem"}, r"SIGNALWIRE_RELAY_CA_FILE \(ca_file\) names '/no/such/file.pem'"),
        ({"scheme": "http"}, r"SIGNALWIRE_RELAY_SCHEME \(scheme\) is 'http': must be 'wss' or 'ws'"),
        ({"scheme": "ws"}, "plain ws:// is for loopback only"),
        ({"contexts": "support"}, r"contexts must be a list of strings: write contexts=\['support'\]"),
        ({"contexts": 5}, "contexts must be a list of strings, not int"),
        ({"contexts": ["a", ""]}, "contexts must be non-empty strings, not ''"),
        ({"contexts": ["a", 1]}, "contexts must be non-empty strings, not 1"),
        ({"contexts": ["a", "\ud800"]}, "contexts must be text in UTF-8"),
        ({"project": "p\udcff"}, "project must be text in UTF-8"),
        ({"token": "t\udcff"}, "token must be text in UTF-8"),
        ({"max_active_calls": 0}, "max_active_calls=0: must be a whole number of at least 1"),
        ({"max_active_calls": True}, "max_active_calls=True"),
        ({"max_active_calls": 1.5}, r"max_active_calls=1\.5"),
    ],
)
def test_an_argument_that_cannot_be_used_is_named(arguments: dict[str, object], names: str):
    """Bad settings must fail where they are given, not at the first call of the night (DESIGN 5)."""
    with pytest.raises(ConfigError, match=names):
        Settings.from_env(ENV, **arguments)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RELAY_MAX_ACTIVE_CALLS", "many"),
        ("RELAY_MAX_ACTIVE_CALLS", "0"),
        ("RELAY_MAX_ACTIVE_CALLS", "1.5"),
        ("RELAY_MAX_ACTIVE_CALLS", "9" * 5000),
        ("RELAY_MAX_CONNECTIONS", "-1"),
        ("SIGNALWIRE_LOG_LEVEL", "loud"),
        ("SIGNALWIRE_RELAY_CA_FILE", "/no/such/file.pem"),
        ("SIGNALWIRE_RELAY_SCHEME", "tcp"),
        ("SIGNALWIRE_SPACE", "https://example.signalwire.com"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(variable: str, value: str):
    """The text must lead to the variable: it may have been set by somebody else, somewhere else (DESIGN 5)."""
    with pytest.raises(ConfigError, match=variable):
        Settings.from_env({**ENV, variable: value})


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_active_calls": 0},
        {"max_connections": -3},
        {"contexts": "support"},
        {"log_level": "debug"},
        {"ca_file": "/no/such/file.pem"},
        {"host": "a/b"},
    ],
)
def test_settings_made_by_hand_are_checked_as_well(wrong: dict[str, object]):
    """A value that exists has been checked, whoever made it."""
    with pytest.raises(ConfigError):
        Settings(credentials=Credentials(jwt_token="j"), **wrong)


def test_a_ca_file_that_exists_is_taken(tmp_path: Path):
    """Source: PROTOCOL 1."""
    bundle = tmp_path / "ca.pem"
    bundle.touch()

    assert Settings.from_env({**ENV, "SIGNALWIRE_RELAY_CA_FILE": str(bundle)}).ca_file == str(bundle)


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:9000", "LOCALHOST"])
def test_plain_websockets_are_for_this_machine(host: str):
    """The simulator needs them; a token must never travel in the clear. Source: PROTOCOL 1."""
    assert Settings.from_env(ENV, host=host, scheme="ws").url == f"ws://{host}"


@pytest.mark.parametrize(
    ("host", "split"),
    [
        ("example.signalwire.com", ("example.signalwire.com", None)),
        ("127.0.0.1:8443", ("127.0.0.1", 8443)),
        ("[::1]", ("::1", None)),
        ("[::1]:65535", ("::1", 65535)),
        ("x:1", ("x", 1)),
    ],
)
def test_a_host_is_split_into_name_and_port(host: str, split: tuple[str, int | None]):
    """Source: PROTOCOL 1, 16.2."""
    assert split_host(host) == split


@pytest.mark.parametrize(
    "host",
    [
        "", "a/b", "user@host", "a?b", "a#b", "a b", "a\r", "a\nb", "a\\b", "a\x00b", "a\x7f", "https://x", ":80", "x:",
        "x:0", "x:65536", "x:-1", "x:8o", "x:\u0661", "a:b:c", "::1", "[::1", "[::1]x", "[]", "[]:80", "[example]",
        "x:" + "9" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_host_is_refused(host: str):
    """It would end up in a URL, a log line and a TLS check. Source: PROTOCOL 16.2."""
    with pytest.raises(ConfigError, match=r"^Invalid host"):
        split_host(host)


@given(st.text(max_size=20))
def test_no_text_makes_splitting_fail_in_another_way(host: str):
    """Whatever somebody puts into a variable, the answer is a host or a `ConfigError`."""
    try:
        name, port = split_host(host)
    except ConfigError:
        return
    assert name
    assert port is None or 1 <= port <= 65535
    assert not set(host) & set("@/?#\\ \r\n")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.255.0.9", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
        ("example.com", False),
    ],
)
def test_loopback_is_this_machine_and_nothing_that_looks_like_it(host: str, expected: bool):
    """The check decides whether a token may go unencrypted."""
    assert is_loopback(host) is expected


def test_contexts_are_kept_in_order_without_repetition():
    """They are sent at every log-in. Source: PROTOCOL 4."""
    assert check_contexts(["b", "a", "b"]) == ("b", "a")


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Timing)])
@pytest.mark.parametrize("wrong", [0, -1.0, float("inf"), float("nan"), True, "5", None])
def test_every_time_is_a_positive_number(name: str, wrong: object):
    """A zero or infinite time-out turns into a busy loop or a hang far from here."""
    with pytest.raises(ConfigError, match=rf"Timing\({name}="):
        Timing(**{name: wrong})


@pytest.mark.parametrize("what", ["ping_retry", "reconnect"])
def test_a_shortest_delay_is_not_longer_than_the_longest(what: str):
    """A back-off that begins above its cap would never do what it was set to."""
    with pytest.raises(ConfigError, match=f"{what}_min_s must not be longer than {what}_max_s"):
        Timing(**{f"{what}_min_s": 31.0})


def test_all_times_shrink_together():
    """So that a test with a tenth of the times keeps their order."""
    scaled = Timing().scaled(0.1)

    for field in dataclasses.fields(Timing):
        assert getattr(scaled, field.name) == pytest.approx(field.default * 0.1)
    for wrong in (0, -1, float("inf"), float("nan"), True, "2"):
        with pytest.raises(ConfigError, match="factor must be a positive number"):
            Timing().scaled(wrong)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Limits)])
@pytest.mark.parametrize("wrong", [-1, float("nan"), True, "5", None])
def test_every_limit_is_checked(name: str, wrong: object):
    """A bound that is no bound lets a hostile server fill the memory. Source: PROTOCOL 16.4."""
    with pytest.raises(ConfigError, match=rf"Limits\({name}="):
        Limits(**{name: wrong})


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("queued_requests", 0), ("frame_bytes", 0.5), ("reconnect_factor", 0.5), ("reconnect_jitter", 1.5)],
)
def test_a_limit_outside_its_range_is_refused(name: str, wrong: float):
    """Counts are whole; a factor below 1 would shorten the delays, jitter above 1 make them negative."""
    with pytest.raises(ConfigError, match=rf"Limits\({name}={wrong}\): must be a"):
        Limits(**{name: wrong})
    assert Limits(reconnect_factor=1, reconnect_jitter=0) != Limits()


def test_the_documented_defaults_are_the_defaults():
    """Source: PROTOCOL 2.6, 5, 6.5, 9.3, 15."""
    timing, limits = Timing(), Limits()

    assert (timing.request_timeout_s, timing.watchdog_s, timing.client_ping_interval_s) == (10.0, 15.0, 30.0)
    assert (timing.reconnect_min_s, timing.reconnect_max_s, timing.dial_timeout_s) == (1.0, 30.0, 120.0)
    assert (limits.queued_requests, limits.log_in_refusals, limits.ping_failures) == (500, 3, 3)
    assert limits.frame_bytes == 10_485_760
    assert limits.reconnect_factor == 2.0
