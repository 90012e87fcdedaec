"""The tree of errors: complete, drawn truly, and saying what to do next."""

import copy
import inspect
import pickle
import re

import pytest

from relay_actors import errors
from relay_actors.errors import (
    CallEnded,
    CommandRejectedError,
    ConfigError,
    ConnectFailedError,
    ConnectionLostError,
    DialFailedError,
    MailboxFull,
    NotSentError,
    RelayActorsError,
    RelayError,
    RequestTimeoutError,
)

CLASSES = {
    name: cls for name, cls in vars(errors).items() if inspect.isclass(cls) and cls.__module__ == errors.__name__
}


def drawn_parents() -> dict[str, str | None]:
    """Each class of the drawing in the module's docstring, with the class under which it hangs."""
    parents: dict[str, str | None] = {}
    path: list[str] = []
    for line in errors.__doc__.splitlines():
        found = re.match(r"    ((?:│   |    )*)(?:[├└]── )?([A-Z]\w+)", line)
        if found:
            depth = 0 if found[2] == "RelayActorsError" else len(found[1]) // 4 + 1
            path[depth:] = [found[2]]
            parents[found[2]] = path[depth - 1] if depth else None
    return parents


def test_the_drawing_is_the_tree():
    """Whoever chooses what to catch looks at the drawing."""
    real = {
        name: next((b.__name__ for b in cls.__bases__ if b in CLASSES.values()), None) for name, cls in CLASSES.items()
    }

    assert drawn_parents() == real


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_error_is_public_and_under_the_root(name: str):
    """One ``except RelayActorsError`` catches all that the framework raises."""
    assert name in errors.__all__
    assert issubclass(CLASSES[name], RelayActorsError)
    assert CLASSES[name].__doc__


ERRORS = [
    ConfigError("mend this"),
    RelayError(402, "payment required"),
    CommandRejectedError("calling.play", 404, "call not found"),
    RequestTimeoutError("calling.dial"),
    ConnectionLostError(),
    NotSentError("queue full"),
    DialFailedError("tag-1", "Dial failed (tag=tag-1)"),
    CallEnded("call-1", "busy"),
    ConnectFailedError("tls", "example.com:443", "certificate expired"),
    MailboxFull("full"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("carry", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_an_error_survives_being_copied_and_pickled(error: RelayActorsError, carry: object):
    """Futures, process pools and test runners carry errors around; Python's own way fails for our constructors."""
    carried = carry(error)

    assert type(carried) is type(error)
    assert str(carried) == str(error)
    assert vars(carried) == vars(error)


def test_a_relay_error_has_code_and_message():
    """The contract of the wire's error. Source: PROTOCOL 2.4."""
    error = RelayError(402, "payment required")

    assert (error.code, error.message) == (402, "payment required")
    assert str(error) == "RELAY error 402: payment required"


def test_errors_made_here_have_the_local_code():
    """A caller tells a server's refusal from a failure on this side by the code. Source: PROTOCOL 2.4."""
    made_here = [e for e in ERRORS if isinstance(e, RelayError) and type(e) not in (RelayError, CommandRejectedError)]

    assert len(made_here) == 4
    assert {error.code for error in made_here} == {errors.LOCAL_ERROR_CODE} == {-1}
    assert str(RequestTimeoutError("calling.dial")) == "RELAY error -1: Request timeout for calling.dial"
    assert str(ConnectionLostError()) == "RELAY error -1: Connection closed"


@pytest.mark.parametrize(("code", "is_gone"), [(404, True), (410, True), (400, False), (409, False), (-32601, False)])
def test_a_rejection_tells_when_the_call_is_gone(code: int, is_gone: bool):
    """Only then is the advice about ended calls of any use. Source: PROTOCOL 8.7."""
    error = CommandRejectedError("calling.play", code, "no")

    assert error.call_is_gone is is_gone
    assert str(error).startswith(f"RELAY error {code}: no (the server refused calling.play)")
    assert ("already ended" in str(error)) is is_gone


def test_a_config_error_is_a_value_error():
    """Code written for the SDK of the platform catches ``ValueError``. Source: PROTOCOL 15."""
    assert issubclass(ConfigError, ValueError)


def test_an_ended_call_tells_which_and_why():
    """The reason decides what a caller does next (SEMANTICS X2, X4)."""
    assert str(CallEnded("call-1", "busy")) == "call call-1 has ended (busy)"
    assert str(CallEnded("call-1", "")) == "call call-1 has ended (no reason given)"


def test_a_failed_connection_tells_how_far_it_came():
    """TCP, TLS and the upgrade fail for different people to mend."""
    error = ConnectFailedError("tls", "example.com:443", "certificate expired")

    assert (error.stage, error.target) == ("tls", "example.com:443")
    assert str(error) == "could not connect to example.com:443: tls failed: certificate expired"
