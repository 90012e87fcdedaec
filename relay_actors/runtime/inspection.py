"""What can be seen of actors while they run: statistics of one, and the tree of all. Layer: pillar.

Nothing is stopped, no message is sent and no turn waits: an inspection reads what is there, on the thread of whoever
asks. Source: SEMANTICS M8, O3, X14.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Final

from relay_actors.errors import ConfigError
from relay_actors.late_dataclasses import dataclass
from relay_actors.runtime.anatomy import AnyCell
from relay_actors.runtime.dispatcher_loop import LoopDispatcher
from relay_actors.runtime.mailbox import STOP
from relay_actors.runtime.restart_record import RestartRecord
from relay_actors.runtime.signals import Internal

__all__ = ["ActorNode", "ActorStats", "label_of", "name_of_message", "node_of", "oldest_s_of", "stats_of", "tree_of"]

_log = logging.getLogger("relay_actors.runtime")

_STATES: Final[Mapping[str, str]] = {
    "NEW": "starting",
    "RUNNING": "running",
    "FAILED": "restarting",
    "STOPPING": "stopping",
    "DEAD": "dead",
}

_OURS: Final = "relay_actors."

_LOOKS: Final = 5
"""How often an actor is read until two readings agree; it changes only when it fails, restarts or ends."""


@dataclass(frozen=True, slots=True)
class ActorStats:
    """How one actor is doing. Source: SEMANTICS M8.

    Attributes:
        state: ``starting``, ``running``, ``restarting`` (it has failed, and waits for its parent, its back-off or its
            new start), ``stopping`` (it waits for its children, or its last hook runs), ``dead``.
        incarnation: 0 for the first, and 1 more for each restart.
        system: how many of the runtime's signals wait.
        control: how many messages wait ahead of the users': timers, flows that go on, what the framework tells.
        user: how many messages of users wait.
        oldest_s: how many seconds the oldest message has waited; None if none does. Exact where the system is
            observed (``RelayApp(metrics=True)``, ``relay-actors run --inspect`` or ``--metrics``, a trace); elsewhere
            no clock is read when a message is sent, and the age counts from the first inspection that came upon the
            message, so that it is a lower bound: right to within the interval at which somebody looks.
        message: the type of the message that is being handled, also while its handler awaits, and no turn is under way;
            "" between messages and for the runtime's own work.
        turn_s: how many seconds the turn that is under way has taken so far, all its messages together; None if none
            is. A pooled actor's counts from when its thread was free for it.
    """

    state: str
    incarnation: int
    system: int
    control: int
    user: int
    oldest_s: float | None
    message: str
    turn_s: float | None

    @property
    def waiting(self) -> int:
        """How many messages wait in all lanes."""
        return self.system + self.control + self.user

    @property
    def restarts(self) -> int:
        """How often it has been restarted."""
        return self.incarnation


@dataclass(frozen=True, slots=True)
class ActorNode:
    """One actor with everybody beneath it, at one moment. ``print(node)`` draws the tree. Source: SEMANTICS O3.

    What is said of one actor belongs together; two actors are read one after the other.

    Attributes:
        name: class and number, ``Support#12``; unique in its system, and kept over restarts by the same class.
        actor_class: the name of the class of the present incarnation.
        label: what it says of itself (`Actor.label`, such as a call id), else the name under which it is registered.
        stats: how it is doing.
        restarts: its latest restarts, as far as its parent remembers, oldest first.
        children: in the order in which they were made; behind them what it says of itself to be made of
            (`Actor.parts`, such as the operations of a call), which are no actors and have no mailbox.
    """

    name: str
    actor_class: str
    label: str
    stats: ActorStats
    restarts: tuple[RestartRecord, ...]
    children: tuple[ActorNode, ...]

    def walk(self) -> Iterable[ActorNode]:
        """Give this node and everybody beneath it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()

    def as_dict(self) -> dict[str, Any]:
        """Return it as what JSON has."""
        stats = self.stats
        return {
            "name": self.name,
            "class": self.actor_class,
            "label": self.label,
            "state": stats.state,
            "incarnation": stats.incarnation,
            "mailbox": {"system": stats.system, "control": stats.control, "user": stats.user},
            "oldest_s": stats.oldest_s,
            "message": stats.message,
            "turn_s": stats.turn_s,
            "restarts": [
                {"at": note.at, "reason": note.reason, "attempt": note.attempt, "delay_s": note.delay_s}
                for note in self.restarts
            ],
            "children": [child.as_dict() for child in self.children],
        }

    def __str__(self) -> str:
        return "\n".join(_lines(self, "", ""))


def stats_of(cell: AnyCell) -> ActorStats:
    """Read one actor. Any thread."""
    return _stats(cell, _began(cell.system), cell.system.clock.now())


def tree_of(system: Any, root: AnyCell | None = None) -> tuple[ActorNode, ...]:
    """Return the trees of all living actors of a system, or that of ``root``. Any thread.

    Whom no parent has taken yet is not in it.
    """
    began, now = _began(system), system.clock.now()
    beneath: dict[AnyCell | None, list[AnyCell]] = {}
    for cell in system.living:
        beneath.setdefault(cell.parent, []).append(cell)

    def node(cell: AnyCell) -> ActorNode:
        return _node(cell, began, now, tuple(map(node, beneath.get(cell, ()))))

    if root is not None:
        return (node(root),)
    return tuple(node(cell) for cell in beneath.get(None, ()) if cell.was_begun)


def node_of(system: Any, path: str) -> AnyCell:
    """Return the living actor that ``path`` leads to.

    Args:
        system: where to look.
        path: a name (``Support#12``), a label, a class, or several of them from the top down, with slashes
            between them; steps may be left out.

    Raises:
        ConfigError: there is none, or several are called so.
    """
    *above, last = path.split("/")
    living: list[AnyCell] = system.living
    found = [cell for cell in living if last in _names(cell) and _is_beneath(cell, above)]
    exact = [cell for cell in found if repr(cell) == last]
    found = exact or found
    if not found:
        raise ConfigError(f"there is no actor {path!r}: give a name such as Support#12, as print(app.tree()) shows")
    if len(found) > 1:
        raise ConfigError(f"{path!r} may be any of {', '.join(map(repr, found[:5]))}: give one of these names")
    return found[0]


def name_of_message(message: object) -> str:
    """Return what a message is called where only its type may be shown: never its content (SEMANTICS O6)."""
    if message is STOP:
        return "stop"
    kind = type(message)
    name = kind.__name__.lstrip("_")
    # Of the framework's own only: a ``method`` of the user's may say anything, or raise when it is looked at.
    method = getattr(message, "method", None) if kind.__module__.startswith(_OURS) else None
    return f"{name} {method}" if isinstance(method, str) else name


def _names(cell: AnyCell) -> tuple[str, ...]:
    return repr(cell), label_of(cell), cell.actor_class.__name__


def _is_beneath(cell: AnyCell, above: list[str]) -> bool:
    """Whether the steps ``above`` lead down to ``cell``, in this order."""
    wanted, parent = list(above), cell.parent
    while wanted and parent is not None:
        if wanted[-1] in _names(parent):
            wanted.pop()
        parent = parent.parent
    return not wanted


def _node(cell: AnyCell, began: Mapping[object, float], now: float, children: tuple[ActorNode, ...]) -> ActorNode:
    siblings = cell.parent.children if cell.parent is not None else None
    restarts = siblings.restarts_of(cell) if siblings is not None else ()
    name = cell.actor_class.__name__
    children = (*children, *_parts(cell))
    return ActorNode(repr(cell), name, label_of(cell), _stats(cell, began, now), restarts, children)


def _parts(cell: AnyCell) -> Iterable[ActorNode]:
    actor: Any = cell.actor
    try:
        parts = tuple((str(kind), str(label)) for kind, label in actor.parts()) if actor is not None else ()
    except Exception:  # as of a label: it must not hide all others
        _log.exception("parts() raised actor=%s", cell)
        parts = ()
    for kind, label in parts:
        yield ActorNode(kind, kind, label, ActorStats("running", 0, 0, 0, 0, None, "", None), (), ())


def _stats(cell: AnyCell, began: Mapping[object, float], now: float) -> ActorStats:
    # Within an incarnation the state only goes forward, and incarnations only grow. So two readings that agree are
    # what was so all the time between them, and belong together with what is read between them.
    for _ in range(_LOOKS):
        before = cell.incarnation, cell.state
        handling = cell.handling
        system, control, user = cell.mailbox.lengths()
        if (cell.incarnation, cell.state) == before:
            break
    incarnation, state = before
    since = _since(cell, began, now)
    message = _present(handling.message) if handling is not None and since is not None else ""
    if not message and (hold := cell.hold) is not None:
        message = _present(hold.message)
    return ActorStats(
        _STATES.get(state.name, state.name.lower()),
        incarnation,
        system,
        control,
        user,
        oldest_s_of(cell, now),
        message,
        None if since is None else max(0.0, now - since),
    )


def _present(message: object) -> str:
    return "" if message is None or isinstance(message, Internal) else name_of_message(message)


def oldest_s_of(cell: AnyCell, now: float) -> float | None:
    """Return how long the oldest message of an actor has waited, as `ActorStats` has it. Any thread."""
    ages = []
    for envelope in cell.mailbox.oldest():
        seen_at = getattr(envelope, "seen_at", None)
        if seen_at is None:
            seen_at = envelope.seen_at = now
        ages.append(max(0.0, now - seen_at))
    return max(ages, default=None)


def _began(system: Any) -> dict[object, float]:
    """From each actor whose turn a thread has begun to when that was."""
    return dict(system.turns())


def _since(cell: AnyCell, began: Mapping[object, float], now: float) -> float | None:
    """When the present turn of ``cell`` began: by itself, or inside the turn of an ancestor."""
    dispatcher = cell.dispatcher
    if not cell.is_running:
        # What its coroutine does on the loop is none of its turns, and lasts as they do: it is no time to await.
        there: dict[object, float] = dict(dispatcher.turns()) if isinstance(dispatcher, LoopDispatcher) else {}
        return there.get(cell)
    runner: AnyCell | None = cell
    while runner is not None and runner not in began:
        runner = runner.parent
    # One that has begun during the look is not among those that were looked up before.
    return now if runner is None else began[runner]


def label_of(cell: AnyCell) -> str:
    """Return what an actor is called beside its name: by itself, or by its latest key; "" if by neither. Any thread."""
    actor: Any = cell.actor
    try:
        label = str((actor.label() if actor is not None else "") or "")
    except Exception:  # a user's method, on a thread that it may not have thought of: it must not hide all others
        _log.exception("label() raised actor=%s", cell)
        label = ""
    if label:
        return label
    keys: tuple[Hashable, ...] = cell.system.registry.keys_of(cell)
    last = keys[-1] if keys else ""
    try:
        return str(last[-1]) if isinstance(last, tuple) and last else str(last)
    except Exception:  # a key may be anything that has a hash
        _log.exception("a key has no text actor=%s", cell)
        return ""


def _lines(node: ActorNode, first: str, rest: str) -> Iterable[str]:
    yield f"{first}{_line(node)}"
    for child in node.children:
        is_last = child is node.children[-1]
        yield from _lines(child, rest + ("└─ " if is_last else "├─ "), rest + ("   " if is_last else "│  "))


def _line(node: ActorNode) -> str:
    stats = node.stats
    words = [node.name, node.label] if node.label else [node.name]
    words.append(stats.state)
    if stats.waiting:
        oldest = "" if stats.oldest_s is None else f", the oldest for {stats.oldest_s:.3g} s"
        words.append(f"[{stats.waiting} waiting{oldest}]")
    if stats.turn_s is not None:
        words.append(f"[in {stats.message or 'a turn'} for {stats.turn_s:.3g} s]")
    elif stats.message:
        words.append(f"[awaits in {stats.message}]")
    if stats.restarts:
        reason = f", last: {node.restarts[-1].reason}" if node.restarts else ""
        words.append(f"[restarted {stats.restarts}x{reason}]")
    return " ".join(words)
