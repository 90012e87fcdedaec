"""How a running application comes to its end: six phases, from the last new call to the last thread. Layer: hall.

::

    stop_intake         contexts are given back at the server; what still comes is declined
    finish_accepted     calls offered and not begun, dials under way, texts being sent or handled
    drain_calls         calls that are up go on to their end, until the deadline
    stop_actions        who is still up then is dealt with as the application says
    close_connections   the goodbye; or calls are left to the next process
    stop_system         the last moment in which actors live

Nothing here waits: phases go on by callbacks, so that signals are heard meanwhile, and the first thread that asks for
the end is not held more than any other. Source: SEMANTICS H5 to H8.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import math
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from typing import Any, Final

from relay_actors.actors.app_checks import AtDeadline
from relay_actors.actors.call_handle import CallHandle
from relay_actors.actors.give_up import BEFORE_ANSWER, Apologise, HangUp, LeaveUp, TransferTo, phase_of
from relay_actors.actors.leaving import SETTLES_S, LeaveForNext
from relay_actors.actors.leg import StateWait
from relay_actors.actors.orders import LetGo, WaitFor
from relay_actors.actors.shutdown_tasks import PHASES, ShutdownTask
from relay_actors.actors.tree import Tree
from relay_actors.actors.wire import Disconnect, Drain
from relay_actors.errors import ConnectionLostError
from relay_actors.protocol.states import CallState
from relay_actors.runtime.base import TimerHandle
from relay_actors.runtime.future import Future, WaitTimeout
from relay_actors.runtime.phases import Begin, Phase, Phases, in_background

__all__ = ["Shutdown"]

_log = logging.getLogger("relay_actors.app")

PROGRESS_S: Final = 10.0
"""How often a drain says how far it is."""

LOOKS_AGAIN_S: Final = 0.1
"""How often it is looked whether flows whose calls have ended are through, which takes ``timing.wrap_up_s`` at most."""

_OWN_PART: Final = "the framework's part"

_DRAINING: Final = ("finish_accepted", "drain_calls")


class Shutdown:
    """The end of one running application, which comes once.

    Args:
        tree: of the application.
        tasks: of the user's.
        at_deadline: what becomes of calls that are up at the deadline.
    """

    def __init__(self, tree: Tree, tasks: Iterable[ShutdownTask], at_deadline: AtDeadline) -> None:
        self.tree = tree
        self._at_deadline = at_deadline
        self._deadline = math.inf
        self._progress: TimerHandle | None = None
        self._next_look: TimerHandle | None = None
        self.rejects = False
        stop_s = tree.office.timing.stop_timeout_s
        self._phases = Phases(list(_in_a_row(stop_s, at_deadline)), tree.system.dispatcher)
        for phase, begin in (
            ("stop_intake", self._stop_intake),
            ("finish_accepted", self._finish_accepted),
            ("drain_calls", partial(self._until_none, "drain_calls", self._up)),
            ("stop_actions", self._stop_actions),
            ("close_connections", self._close_connections),
        ):
            self._phases.add(phase, _OWN_PART, begin)
        for task in tasks:
            self.add(task)

    def add(self, task: ShutdownTask) -> None:
        """Add a task of the user's. Any thread.

        Raises:
            ConfigError: its phase has begun (SEMANTICS H8).
        """
        self._phases.add(task.phase, task.name, self._begin_of(task), timeout_s=task.timeout_s)

    # -- what is asked for -------------------------------------------------------------------------------------------

    def begin(self, drain_s: float) -> Future[bool]:
        """Begin, and return what is settled when all phases are over. Any thread; does not wait.

        Once it has begun, this joins it; the earliest deadline counts.

        Args:
            drain_s: for how long calls that are up may go on.
        """
        self._end_drain_by(self._now() + drain_s)
        return self._phases.run()

    def reject(self) -> int:
        """Take nothing new that has not begun: decline who is not answered, dial nobody; return how many. Any thread.

        Whom this side dials already may still answer.
        """
        self.rejects = True
        new = [
            handle
            for handle in self.tree.handles()
            if handle.direction == "inbound" and phase_of(handle.leg) == BEFORE_ANSWER
        ]
        for handle in new:
            handle.hangup("decline")
        return len(new)

    def hang_up(self) -> None:
        """Wait for nobody: end the drain, and hang everybody up, whatever was to become of them. Any thread."""
        self.rejects = True
        self._at_deadline = HangUp("hangup")
        self._end_drain_by(self._now())
        if self._phases.is_over("drain_calls"):  # then what was to become of them is under way
            for handle in self.tree.handles():
                handle.hangup()

    def hand_over(self, on_left: Callable[[], object]) -> bool:
        """Leave all calls to the next process at once; then go through the phases as `finish` does.

        Args:
            on_left: called as soon as the journal is not used any more, so that the next process need not wait for
                the rest; not called if it may still be.
        """
        self.rejects = True
        timeout_s = SETTLES_S + self.tree.office.timing.stop_timeout_s
        left = self.tree.leave_for_next()
        try:
            is_clean = left.get(timeout=timeout_s)
        except WaitTimeout:
            _log.error("the connection has not left its calls within %g s", timeout_s)
            is_clean = False
        else:
            on_left()
        self.tree.let_go()
        return self.finish(0.0) and is_clean

    def finish(self, drain_s: float) -> bool:
        """Go through all phases, and end all actors and threads; True if nothing was left over."""
        refs = self.tree.refs()
        self.begin(drain_s).get()
        office = self.tree.office
        if self._leaves and office.left is None:  # the connection did not get as far as that: all the same
            self.tree.let_go()
        office.desk.close(office.left or ConnectionLostError("Connection shut down"))
        return self.tree.end(refs)

    def finish_effects(self) -> None:
        """Wait for what blocking code of calls is about to give: the next process would do it once more.

        All else goes on meanwhile. What such code is asked for from now on is for the next process to run.
        """
        self.tree.office.is_finishing = True
        due = self._now() + SETTLES_S
        for effect in self.tree.effects():
            known = self._future()
            Future.add_done_callback(effect, lambda _effect, known=known: known.try_set(None))  # type: ignore[misc]
            with contextlib.suppress(WaitTimeout):
                known.get(timeout=max(0.0, due - self._now()))

    def finish_texts(self) -> None:
        """Wait until inbound texts are handled that are just being handled: the next process would begin anew."""
        handled = [
            ref.stop(block=False)  # behind the text itself, after which it stops anyway
            for ref in self.tree.texts()
            if ref.kept.message.direction == "inbound"
        ]
        due = self._now() + SETTLES_S
        try:
            for done in handled:
                done.get(timeout=max(0.0, due - self._now()))
        except WaitTimeout:
            _log.warning("a text is still being handled, and left all the same")

    # -- the phases --------------------------------------------------------------------------------------------------

    def _stop_intake(self) -> Future[Any]:
        done = self._future()
        if not self.tree.office.tell_connection(Drain(done)):
            done.try_set(False)
        return done

    def _finish_accepted(self) -> Future[Any]:
        self._report_later()
        return self._until_none("finish_accepted", self._accepted)

    def _accepted(self) -> Future[Any] | None:
        """Return what is settled by the next thing that was accepted, and has not begun or is being done (H6)."""
        for handle in self.tree.handles():
            dialling = handle.leg.dialling
            if dialling is not None and not dialling.is_over:
                return _handled(handle, handle.wait_for_answered())
            if not handle.leg.begun:
                return _passed(handle)
        for ref in self.tree.texts():
            if ref.kept.message.direction == "inbound":
                return ref.stop(block=False)  # behind the text itself, after which it stops anyway
            if not ref.kept.sent.is_settled:
                return ref.kept.sent
        return None

    def _up(self) -> Future[Any] | None:
        """Return what is settled by the end of a call that is up, or of something that such a call goes on with."""
        handles = self.tree.handles()
        if handles:
            return _handled(handles[0], handles[0].wait_for_ended())
        if any(ref.is_flow_running for ref in self.tree.refs()):
            # It may be writing down what the call was about. Nobody else has to be told when it is through: look again.
            return self._soon()
        return self._accepted()

    def _soon(self) -> Future[Any]:
        soon = self._future()
        due = self._now() + LOOKS_AGAIN_S
        self._next_look = self.tree.system.dispatcher.call_at(due, lambda: soon.set(None))
        return soon

    def _until_none(self, phase: str, find: Callable[[], Future[Any] | None]) -> Future[Any]:
        """Return what is settled when there is nothing to find any more, or the phase is over."""
        done = self._future()

        def look(_settled: object = None) -> None:
            found = find() if phase in self._phases.current else None
            if found is None:
                done.try_set(None)
            else:
                found.add_done_callback(look)

        look()
        return done

    def _stop_actions(self) -> Future[Any]:
        handles = self.tree.handles()
        for timer in (self._progress, self._next_look):
            if timer is not None:
                timer.cancel()
        if not handles or self._leaves:
            return self._settled()
        if not self.tree.is_connected and not isinstance(self._at_deadline, LeaveUp):
            if not self.tree.may_connect:
                _log.warning(
                    "no connection: calls cannot be hung up, and end with their session calls=%d", len(handles)
                )
                return self._settled()
            # It may be back in a moment, and what is said now is said then.
            _log.warning("no connection: calls are hung up only if it is back in time calls=%d", len(handles))
        match self._at_deadline:
            case HangUp(reason=reason):
                _log.warning("hanging up calls=%d", len(handles))
                for handle in handles:
                    handle.hangup(reason)
            case Apologise():
                _log.warning("taking leave of those who are up calls=%d", len(handles))
                for handle in handles:
                    self._take_leave(handle, self._at_deadline)
            case TransferTo(dest=dest):
                _log.warning("transferring calls=%d dest=%s", len(handles), dest)
                for handle in handles:
                    self._transfer(handle, dest)
            case LeaveForNext():  # not here: until the connection is closed, tasks of this phase may use it
                pass
            case LeaveUp():
                _log.warning("leaving to the server calls=%d", len(handles))
                self._leave_up(handles)
        return self._until_none("stop_actions", self._up_now)

    def _close_connections(self) -> Future[Any]:
        done = self._future()
        if self._leaves:
            self._leave_for_next(done)
            return done
        if not self.tree.office.tell_connection(Disconnect(done)):
            done.try_set(False)
        return done

    @property
    def _leaves(self) -> bool:
        """Whether who is up is the next process's to deal with."""
        return isinstance(self._at_deadline, LeaveForNext) or self.tree.office.left is not None

    def _leave_for_next(self, done: Future[Any]) -> None:
        self.rejects = True

        def let_go(_left: object) -> None:
            if self.tree.office.left is None:
                self.tree.let_go()
            done.try_set(None)

        self.tree.leave_for_next().add_done_callback(let_go)

    # -- what becomes of calls at the deadline -----------------------------------------------------------------------

    def _up_now(self) -> Future[Any] | None:
        handles = self.tree.handles()
        if handles:
            return handles[0].wait_for_ended()
        # Whom a dial rings is known only from the server, and only then can they be hung up.
        rings_on = self.tree.is_connected and any(ref.rings_on for ref in self.tree.refs())
        return self._soon() if rings_on else None

    def _take_leave(self, handle: CallHandle, policy: Apologise) -> None:
        if phase_of(handle.leg) == BEFORE_ANSWER:
            _turn_away(handle)
            return
        said = handle.play_tts(policy.text, language=policy.language, gender=policy.gender, voice=policy.voice)

        def hang_up(_said: object) -> None:  # however it has ended: said, refused, or too long
            handle.hangup()

        said.wait(timeout=policy.within_s).add_done_callback(hang_up)

    def _transfer(self, handle: CallHandle, dest: str) -> None:
        def hang_up_if_refused(reply: Any) -> None:
            if reply.error is not None:
                handle.hangup()

        handle.transfer(dest).add_done_callback(hang_up_if_refused)

    def _leave_up(self, handles: list[CallHandle]) -> None:
        error = ConnectionLostError("the application has stopped, and its call was left to the server")
        for handle in handles:
            if phase_of(handle.leg) == BEFORE_ANSWER:  # nobody has this call, and nobody will
                _turn_away(handle)
            else:
                handle.ref.post(LetGo(error, self._future()))

    # -- inside ------------------------------------------------------------------------------------------------------

    def _end_drain_by(self, due: float) -> None:
        self._deadline = min(self._deadline, due)
        if due == math.inf:
            return
        for phase in _DRAINING:
            self._phases.end_by(phase, due)

    @property
    def _is_draining(self) -> bool:
        return any(phase in self._phases.current for phase in _DRAINING)

    def _report_later(self) -> None:
        self._progress = self.tree.system.dispatcher.call_at(self._now() + PROGRESS_S, self._report)

    def _report(self) -> None:
        if not self._is_draining:
            return
        now = self._now()
        ages = [now - handle.ref.kept.since for handle in self.tree.handles()]
        longest_s, left_s = max(ages, default=0.0), self._deadline - now
        _log.info("draining calls_up=%d longest_s=%.0f left_s=%.0f%s", len(ages), longest_s, left_s, self._others())
        self._report_later()

    def _others(self) -> str:
        """Say what is waited for beside calls that are up."""
        texts = sum(
            ref.kept.message.direction == "inbound" or not ref.kept.sent.is_settled for ref in self.tree.texts()
        )
        flows = sum(ref.is_flow_running and not ref.kept.leg.is_ours for ref in self.tree.refs())
        tasks = ",".join(name for name in self._phases.waits_for if name != _OWN_PART)
        found = {"texts": texts, "flows_after_calls": flows, "tasks": tasks}
        return "".join(f" {name}={what}" for name, what in found.items() if what)

    def _begin_of(self, task: ShutdownTask) -> Begin:
        desk, where = self.tree.office.desk, f"task={task.name}"

        def begin() -> Future[Any]:
            done = self._future()

            async def run(begun: Callable[[], Awaitable[Any]]) -> None:
                try:
                    done.try_set(await begun())
                except BaseException as error:  # also a SystemExit: it is the task's, and the next phase begins
                    done.try_fail(error)

            def take(called: Future[Any]) -> None:
                try:
                    found = called.get(timeout=0)
                except BaseException as error:  # the task's, see above
                    done.try_fail(error)
                    return
                if inspect.isawaitable(found) and not isinstance(found, Future):
                    desk.drive(run(lambda: found), "on_shutdown", where)
                else:
                    done.try_set(found)

            if inspect.iscoroutinefunction(task.function):
                desk.drive(run(task.function), "on_shutdown", where)
            else:
                in_background(task.function, task.name, self.tree.system.dispatcher)().add_done_callback(take)
            return done

        return begin

    def _future(self) -> Future[Any]:
        return Future(self.tree.system.dispatcher)

    def _settled(self) -> Future[Any]:
        done = self._future()
        done.set(None)
        return done

    def _now(self) -> float:
        return self.tree.system.clock.now()


def _in_a_row(stop_timeout_s: float, at_deadline: AtDeadline) -> Iterator[Phase]:
    """Return the phases, one after the other; as long as a drain may take it is ended by its deadline alone."""
    before: tuple[str, ...] = ()
    for name in PHASES:
        timeout_s = math.inf if name in _DRAINING else stop_timeout_s
        if name == "stop_actions" and isinstance(at_deadline, Apologise):
            timeout_s += at_deadline.within_s
        if name == "close_connections" and isinstance(at_deadline, LeaveForNext):
            timeout_s += SETTLES_S
        yield Phase(name=name, after=before, timeout_s=timeout_s)
        before = (name,)


def _turn_away(handle: CallHandle) -> None:
    handle.hangup("decline" if handle.direction == "inbound" else "cancel")


def _passed(handle: CallHandle) -> Future[Any]:
    """Return what is settled when a call's actor has handled all that it was told by the wire before this."""
    passed = StateWait(lambda _event: True, handle.runs_on, handle.runs_as)
    # It has this state already, or is over: so this settles as soon as the actor comes to it, or has ended.
    handle.ref.post(WaitFor(passed, CallState.CREATED))
    return passed


def _handled(handle: CallHandle, event: Future[Any]) -> Future[Any]:
    """Return what is settled when a call's actor has handled an event: waits for it are over a moment before.

    Only then it is certain what the handler has begun because of it.
    """
    handled: Future[Any] = Future(handle.runs_on)

    def settle(_passed: object) -> None:
        handled.try_set(None)

    def pass_by(_event: object) -> None:
        _passed(handle).add_done_callback(settle)

    event.add_done_callback(pass_by)
    return handled
