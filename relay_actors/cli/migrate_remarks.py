"""What behaves differently here, for programs that were written for the official client. Layer: door.

Each of these was looked up, or tried, with signalwire-sdk 3.7.5 and with ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["REMARKS", "Remark"]


@dataclass(frozen=True, slots=True)
class Remark:
    """A difference. In each text ``{}`` stands for what is used there.

    Attributes:
        what: with what the program is concerned.
        there: what the official client does.
        here: what ours does.
        instead: what to write; "" if there is nothing to do.
    """

    what: str
    there: str
    here: str
    instead: str = ""


REMARKS: Final[Mapping[str, Remark]] = {
    "action ends": Remark(
        "{} of what wait() gives",
        "wait() goes on to wait when the call ends, unless the server says that the action is over",
        "then it gives the end of the call: a CallStateEvent, which has no {}",
        "event.params.get(…), or look at event.event_type first",
    ),
    "blocking": Remark(
        "{} blocks the loop",
        "all calls wait for it, and so do acknowledgements and pings",
        "all handlers wait for it, the connection does not; it is logged with its line",
        'await asyncio.to_thread(…), or RelayClient(…, isolation="call"): then only this call waits',
    ),
    "collect goes on": Remark(
        "{} of a collect",
        "wait() gives the first result, and the others are told to listeners only",
        "wait() gives the end of the collect, and each result is told to listeners",
        'await call.wait_for("calling.call.collect") for the first, call.on("calling.call.collect", …) for all',
    ),
    "collect is interim": Remark(
        "{} of a collect",
        "wait() gives the first thing that is told, which is no final result",
        "wait() gives the final result, and the others are told to listeners",
        'await call.wait_for("calling.call.collect") for the first, call.on("calling.call.collect", …) for all',
    ),
    "configure_logging": Remark(
        "configure_logging() of signalwire",
        "it has what the client logs written",
        "it does nothing for relay_actors, whose log is that of the standard library",
        "logging.basicConfig(level=…), or SIGNALWIRE_LOG_LEVEL",
    ),
    "connect": Remark(
        "the connection of a client that is not run by run()",
        "connect() raises OSError when there is no server; a connection that is lost does not come back",
        "connect() tries for 30 s, then raises TimeoutError; a connection that is lost comes back by itself",
    ),
    "connections": Remark(
        "RELAY_MAX_CONNECTIONS",
        "it is read when signalwire.relay is imported",
        "it is read when a client connects",
    ),
    "context": Remark(
        "the context of a call",
        "the name of the session, for all calls",
        "of a call that came in, the label by which it came in, such as office",
        "client.relay_protocol, for the name of the session",
    ),
    "crash": Remark(
        "a handler that raises",
        "that is logged, and the call stays up",
        "that is logged, and the call is hung up, unless it is bridged",
        "RelayClient(…, on_give_up=None), if it is to stay up",
    ),
    "dial is cancelled": Remark(
        "a dial that is cancelled by a time-out",
        "the phone rings on, and who answers it is connected to nobody",
        "the phone stops ringing",
    ),
    "dial is late": Remark(
        "a dial that times out",
        "the phone rings on, and who answers it is connected to nobody",
        "the phone stops ringing",
    ),
    "dial's error": Remark(
        "TimeoutError of a dial",
        "a dial that times out raises RelayError, so this is never reached",
        "the same",
        "except RelayError",
    ),
    "digits": Remark(
        "the digits of a result",
        "they are not there but in its params",
        "the same; a CollectEvent has them as event.digits",
        'result["params"]["digits"], or event.digits',
    ),
    "limit": Remark(
        "calls beyond max_active_calls",
        "a call that is too many is left to ring",
        "it is passed on, as by call.pass_()",
    ),
    "log form": Remark(
        "{}",
        "it is read by signalwire.configure_logging(), and by nothing else",
        "it is not read: the log is that of the standard library",
        "logging.basicConfig(format=…)",
    ),
    "log level": Remark(
        "SIGNALWIRE_LOG_LEVEL",
        "it is read by signalwire.configure_logging(), and by nothing else",
        "it is heeded when a client connects: on standard error, if the program has no log of its own",
    ),
    "logger": Remark(
        'the logger "{}"',
        "its loggers are below signalwire",
        "its loggers are below relay_actors",
        'logging.getLogger("relay_actors")',
    ),
    "never completes": Remark(
        "the completion of {}",
        "wait() does not end with the operation: it waits for a state that the server does not send",
        "wait() ends with the operation",
    ),
    "on_completed": Remark(
        "on_completed=…",
        "it is not called when the call was over before",
        "it is called then, too, with an empty event",
    ),
    "predicate": Remark(
        "a predicate that does more than to look at the event",
        "it is called on the loop",
        "it is called in another thread",
        "await in a loop, and do it after wait_for",
    ),
    "retry connect": Remark(
        "connect() in a loop",
        "a connection that is lost does not come back by itself",
        "it comes back by itself; connect() tries for 30 s, and does nothing when it is connected",
        "await client.connect(), without the loop",
    ),
    "retry run": Remark(
        "run() in a loop",
        "run() connects again by itself; once it has ended, it ends at once each time",
        "run() connects again by itself; it ends with SIGINT or SIGTERM, and the loop would connect anew",
        "client.run(), without the loop",
    ),
    "signal": Remark(
        "a handler of SIGINT",
        "run() takes SIGINT, and this handler is not called",
        "this handler is called, and run() goes on",
        "client.run() without a handler of SIGINT, and after it what is to be done at the end",
    ),
    "SIGTERM": Remark(
        "run() and SIGTERM",
        "the process ends at once, and its calls stay up",
        "no new calls are taken, and the process ends with the last one and its handler; after 600 s it hangs up",
        "RelayClient(…, drain_s=…), if it is killed before; at_drain_deadline=LeaveUp() leaves calls up",
    ),
    "state at once": Remark(
        "wait_for of a state",
        "only a state that is still to come is told: after dial() the call is answered already",
        "the state in which the call is counts, too",
    ),
    "state is passed": Remark(
        "{} of a call that ends without it",
        "it goes on to wait",
        "it gives the state that came in its place",
        "look at call.state afterwards",
    ),
    "timestamp": Remark(
        "the timestamp of an event",
        "0.0, always",
        "seconds since the epoch, by the clock of the server",
    ),
    "wait_for": Remark(
        "wait_for without a time-out, when the call ends",
        "it waits for ever",
        "it raises CallEnded; a handler that ends with it has not crashed",
        "except CallEnded, of relay_actors.errors, if the handler is to go on after its call",
    ),
    "wait_for_ended": Remark(
        "wait_for_ended with a time-out",
        "once it has timed out, it raises CancelledError each time",
        "it can be called again",
    ),
    "websockets": Remark(
        "{}",
        "connect() and commands raise errors of that library when the connection is lost",
        "they do not: commands raise RelayError, and connect() TimeoutError",
        "except RelayError",
    ),
}
