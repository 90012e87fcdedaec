"""Where our actors differ from pykka's on purpose: the test of pykka's that says otherwise, the statement, and why."""

from __future__ import annotations

from typing import Final

__all__ = ["DIFFERENCES"]

_OWN_THREAD = "an actor has no thread of its own, and one that has is a daemon: a handler that hangs keeps no process"
_LAST_HOOK = "on_stop is the last hook of every incarnation that does not come back, also of one that has failed"
_SAYS_MORE = "the log line also says which incarnation failed, why, and at which message"

DIFFERENCES: Final[dict[str, tuple[str, str]]] = {
    "test_actor.py::test_on_failure_is_called_when_exception_cannot_be_returned": ("L7", _LAST_HOOK),
    "proxy/test_static_method_calls.py::test_exception_in_deferred_method_call_triggers_on_failure": ("L7", _LAST_HOOK),
    "test_logging.py::test_base_exception_is_logged": ("L8", "a BaseException is the failure of one actor, an error"),
    "test_logging.py::test_exception_is_logged_when_not_reply_requested": ("L5", _SAYS_MORE),
    "test_logging.py::test_exception_in_on_start_is_logged": ("L5", _SAYS_MORE),
    "test_logging.py::test_exception_in_on_stop_is_logged": ("L5", _SAYS_MORE),
    "test_logging.py::test_exception_in_on_failure_is_logged": ("L5", _SAYS_MORE),
    "test_threading_actor.py::test_actor_thread_is_named_after_pykka_actor_class": ("D6", _OWN_THREAD),
    "test_threading_actor.py::test_actor_thread_is_not_daemonic_by_default": ("D6", _OWN_THREAD),
    "test_threading_actor.py::test_actor_thread_is_daemonic_if_use_daemon_thread_flag_is_set": ("D6", _OWN_THREAD),
}
