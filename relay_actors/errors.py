"""Every error of the framework, in one tree. Layer: floor, standard library only.

::

    RelayActorsError
    ├── ConfigError                 an argument, variable, host or number that cannot be used (a ValueError)
    ├── ArgumentError               an argument of a command that cannot be sent (a ValueError)
    ├── ConnectionLimitError        this process has as many connections as it may have (a RuntimeError)
    ├── RelayError                  a request that the server refused, or whose answer is lost (code, message)
    │   ├── CommandRejectedError    the server answered, and said no
    │   ├── RequestTimeoutError     no answer in time: the outcome is unknown
    │   ├── ConnectionLostError     the socket went before the answer came: the outcome is unknown
    │   ├── NotSentError            it never left this process, so it may be tried again
    │   └── DialFailedError         no device answered
    ├── FlowChanged                 a flow cannot be brought to where it was before the process ended
    ├── CallEnded                   the call ended while something waited on it, or before a command
    │   └── EndedWhileWaiting       with a time-out, in asyncio (also a ``TimeoutError``)
    ├── TransportError              the socket: could not be opened, was lost, broke the protocol
    │   └── ConnectFailedError      which of TCP, TLS and the WebSocket upgrade failed, and why
    ├── ProtocolError               misuse of the protocol machines by the code that drives them
    ├── JournalError                the journal could not be opened, written or read
    │   └── DamagedJournalError     what is there is not what was written
    └── ActorError                  the runtime
        ├── ActorDead               the actor is gone (in ``runtime``: also a ``pykka.ActorDeadError``)
        ├── StartFailed             an actor failed while it started
        ├── StartTimeout            an actor did not start in time
        ├── ParentStopping          a child was asked of a parent that is stopping
        ├── TooManyChildren         a child was asked of a parent that has as many as it may have
        ├── ChildStateError         what was asked about a child cannot be done in the state in which it is
        ├── MailboxFull             a bounded mailbox refused a message
        ├── NameTaken               a unique registry key has a living owner
        ├── DeathPact               somebody without whom an actor does not want to live has ended, and it did not mind
        ├── LinkedActorFailed       an actor to which this one is linked has ended abnormally
        ├── WouldDeadlock           an actor was about to wait for itself
        ├── Poisoned                a message failed its handler twice
        ├── StashFull               an actor has put aside as many messages as it may
        ├── StateError              a state machine was told to do what it cannot
        ├── IllegalEvent            a strict state machine was sent an event that its state does not allow
        └── FlowError               a flow awaited something that its actor cannot drive
"""

from __future__ import annotations

__all__ = [
    "LOCAL_ERROR_CODE",
    "ActorDead",
    "ActorError",
    "ArgumentError",
    "CallEnded",
    "ChildStateError",
    "CommandRejectedError",
    "ConfigError",
    "ConnectFailedError",
    "ConnectionLimitError",
    "ConnectionLostError",
    "DamagedJournalError",
    "DeathPact",
    "DialFailedError",
    "EndedWhileWaiting",
    "FlowChanged",
    "FlowError",
    "IllegalEvent",
    "JournalError",
    "LinkedActorFailed",
    "MailboxFull",
    "NameTaken",
    "NotSentError",
    "ParentStopping",
    "Poisoned",
    "ProtocolError",
    "RelayActorsError",
    "RelayError",
    "RequestTimeoutError",
    "StartFailed",
    "StartTimeout",
    "StashFull",
    "StateError",
    "TooManyChildren",
    "TransportError",
    "WouldDeadlock",
]

LOCAL_ERROR_CODE = -1
"""The code of every `RelayError` that was made here and not by the server. Source: PROTOCOL 2.4."""


class RelayActorsError(Exception):
    """The root: catch this to catch everything that the framework raises."""

    def __reduce__(self) -> tuple[object, ...]:
        # What Python does by itself, calling the class with `args`, fails for every constructor that takes other ones;
        # and errors are copied and pickled by those who carry them between threads and processes.
        return _restore, (type(self), self.args, self.__dict__.copy())


class ConfigError(RelayActorsError, ValueError):
    """An argument, environment variable, host or number that cannot be used.

    Raised before any network activity; the text names the variable or argument to mend.
    """


class ArgumentError(RelayActorsError, ValueError):
    """An argument of a command that cannot be sent.

    Raised where the command is made, before anything is sent; the text names the command and the argument to mend.
    A class of its own, because a running handler makes it and a supervisor may decide about it.
    """


class ConnectionLimitError(RelayActorsError, RuntimeError):
    """The process has as many RELAY connections as ``RELAY_MAX_CONNECTIONS`` allows. Source: PROTOCOL 6.8."""


class RelayError(RelayActorsError):
    """A request that the server refused, or whose answer is lost.

    Attributes:
        code: the server's code, or -1 for a failure on this side.
        message: the server's text, or what happened here.

    Source: PROTOCOL 2.4.
    """

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(f"RELAY error {code}: {message}")


class CommandRejectedError(RelayError):
    """The server answered a command with a code outside 200..299, or with a JSON-RPC error.

    Attributes:
        method: the wire method, for example ``calling.play``.
    """

    def __init__(self, method: str, code: int, message: str) -> None:
        super().__init__(code, message)
        self.method = method

    def __str__(self) -> str:
        text = f"{super().__str__()} (the server refused {self.method})"
        if self.call_is_gone:
            text += '. If the call has already ended, match CallStateEvent(call_state="ended") before sending.'
        return text

    @property
    def call_is_gone(self) -> bool:
        """Whether the code says that the call no longer exists. Source: PROTOCOL 8.7."""
        return self.code in (404, 410)


class RequestTimeoutError(RelayError):
    """No answer came in time. The outcome is unknown: the server may have done it. Source: PROTOCOL 2.6."""

    def __init__(self, method: str) -> None:
        super().__init__(LOCAL_ERROR_CODE, f"Request timeout for {method}")
        self.method = method


class ConnectionLostError(RelayError):
    """The connection went while an answer was outstanding. The outcome is unknown.

    Attributes:
        is_final: whether it was shut down for good, so that nothing will ever be known of it here.

    Source: PROTOCOL 6.3.
    """

    def __init__(self, message: str = "Connection closed", *, is_final: bool = False) -> None:
        super().__init__(LOCAL_ERROR_CODE, message)
        self.is_final = is_final


class NotSentError(RelayError):
    """The request never left this process, so trying it again is safe. Source: PROTOCOL 6.4, SEMANTICS K6."""

    def __init__(self, message: str) -> None:
        super().__init__(LOCAL_ERROR_CODE, message)


class FlowChanged(RelayActorsError):
    """A flow cannot be brought to where it was before the process ended: its code, or what it rests on, has changed.

    Or it has become so long that its past was not kept (``Limits.recorded_per_call``).

    The flow begins anew, with its ``self.data`` and with ``self.flow_changed`` saying why, or the call is given up, as
    ``on_flow_changed`` of its class says. The text tells what it asked for, and what it had asked for then.
    """


class DialFailedError(RelayError):
    """No device of a dial answered. Source: PROTOCOL 9.3."""

    def __init__(self, tag: str, message: str) -> None:
        super().__init__(LOCAL_ERROR_CODE, message)
        self.tag = tag


class CallEnded(RelayActorsError):
    """The call ended while something waited on it, or had ended before a command was given.

    Attributes:
        call_id: which call.
        reason: the end reason of the wire (``hangup``, ``busy``, …), or ``lost``.

    Source: SEMANTICS X2, X4.
    """

    def __init__(self, call_id: str, reason: str) -> None:
        self.call_id = call_id
        self.reason = reason
        super().__init__(f"call {call_id} has ended ({reason or 'no reason given'})")


class EndedWhileWaiting(CallEnded, TimeoutError):
    """The call ended while a `relay_actors.client.Call` waited for one of its events, with a time-out.

    The event will not come in time any more, which is what code for a time-out is for.
    """


class TransportError(RelayActorsError):
    """The socket was lost, or the peer broke the WebSocket protocol."""


class ConnectFailedError(TransportError):
    """The connection could not be opened.

    Attributes:
        stage: ``tcp``, ``tls`` or ``upgrade``: how far it came.
        target: ``host:port``.
    """

    def __init__(self, stage: str, target: str, why: str) -> None:
        self.stage = stage
        self.target = target
        super().__init__(f"could not connect to {target}: {stage} failed: {why}")


class ProtocolError(RelayActorsError):
    """A protocol machine was driven in a way that makes no sense, for example text before the socket opened."""


class JournalError(RelayActorsError):
    """The journal could not be opened, written or read.

    Attributes:
        at_start: whether it has kept an application from starting, so that something has to be mended first.
    """

    at_start: bool = False


class DamagedJournalError(JournalError):
    """The journal, or a record of it, is not what was written: a disk, a copy or another program has changed it.

    An application that is given such a journal by its path moves it aside, and goes on with what can still be read.

    Attributes:
        why: what is wrong, without the path and the advice; may be empty.
    """

    why: str = ""


class ActorError(RelayActorsError):
    """The root of the runtime's errors."""


class ActorDead(ActorError):
    """The actor is gone, and with it the answer. Source: SEMANTICS A5."""


class StartFailed(ActorError):
    """An actor failed while it started; ``__cause__`` says why. Source: SEMANTICS L2, L3."""


class StartTimeout(ActorError):
    """An actor did not finish its start in time. Source: SEMANTICS L2."""


class ParentStopping(ActorError):
    """A child was asked of a parent that is stopping or dead. Source: SEMANTICS L9."""


class TooManyChildren(ActorError):
    """A child was asked of a parent that has as many as it may have. Source: SEMANTICS S15."""


class ChildStateError(ActorError):
    """What a supervisor was asked about a child cannot be done now.

    Attributes:
        state: ``running``, ``restarting``, ``stopped`` or ``not_found``.

    Source: SEMANTICS S17.
    """

    def __init__(self, message: str, *, state: str) -> None:
        super().__init__(message)
        self.state = state


class MailboxFull(ActorError):
    """A bounded mailbox refused a message. Source: SEMANTICS M4."""


class NameTaken(ActorError):
    """A unique registry key already has a living owner.

    Attributes:
        owner: the ref of the actor that has it, where it is known.

    Source: SEMANTICS R1.
    """

    def __init__(self, message: str, *, owner: object = None) -> None:
        super().__init__(message)
        self.owner = owner


class DeathPact(ActorError):
    """An actor watched with ``death_pact=True`` has ended, and its `Down` was ignored. Source: SEMANTICS W6."""


class LinkedActorFailed(ActorError):
    """An actor to which this one is linked has ended abnormally; ``__cause__`` is what that one raised.

    Attributes:
        ref: the one that has ended.

    Source: SEMANTICS W7.
    """

    def __init__(self, message: str, *, ref: object = None) -> None:
        super().__init__(message)
        self.ref = ref


class WouldDeadlock(ActorError):
    """An actor was about to wait, in its own turn, for what only its own turn can bring.

    Attributes:
        chain: who waits for what, one after the other, from the actor back to itself; empty where that is not told.

    Source: SEMANTICS A8.
    """

    def __init__(self, message: str, *, chain: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.chain = chain


class Poisoned(ActorError):
    """The handler failed on a message, was given it once more, and failed again; ``__cause__`` is the second failure.

    Attributes:
        message: which. It is not part of the text, because texts are logged.

    Source: SEMANTICS M6.
    """

    def __init__(self, message: object, cause: BaseException) -> None:
        super().__init__(
            f"{type(message).__name__} failed its handler twice: {type(cause).__name__}: {_words_of(cause)}"
        )
        self.message = message
        self.__cause__ = cause


class StashFull(ActorError):
    """An actor has put aside as many messages as its ``stash_capacity`` allows. Source: SEMANTICS P1."""


class StateError(ActorError):
    """A state machine was told to do what it cannot: the text says what, and what would do. Source: SEMANTICS P5."""


class IllegalEvent(ActorError):
    """A strict state machine was sent an event that its present state does not allow. Source: SEMANTICS P6."""


class FlowError(ActorError):
    """A flow awaited something that its actor cannot drive; the text says what to use in its place."""


def _restore(cls: type[RelayActorsError], args: tuple[object, ...], attributes: dict[str, object]) -> RelayActorsError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error


def _words_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  # a user's method: what it raises must not take the place of the error
        return "(its __str__ raises)"
