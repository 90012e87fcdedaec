"""Pools: equal workers behind one ref, supervised."""

import threading
from typing import Any

import pytest

from relay_actors.errors import ActorDead, ActorError, ConfigError
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.failures import AskTimeout
from relay_actors.runtime.pool import Pool, PoolRef
from relay_actors.runtime.restart_policy import Backoff, Restart
from relay_actors.runtime.routers import Router
from relay_actors.runtime.supervisor import Child, Supervisor
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Parent, Recorder, World, crash, fail, spawn


class Worker(Recorder):
    """Says who it is, with what it handles."""

    def on_receive(self, message: Any) -> Any:
        if callable(message):
            return message(self)
        self.log_of.append((self._cell.serial, message))
        return self._cell.serial, message


def start(world: World, *args: Any, **kwargs: Any) -> PoolRef:
    ref = world.start(Pool, Worker, *args, **kwargs)
    assert isinstance(ref, PoolRef)
    return ref


def handled(log: list[Any]) -> list[Any]:
    return [entry[1] for entry in log if isinstance(entry, tuple) and isinstance(entry[0], int)]


def test_a_pool_shares_messages_among_its_workers(world: World):
    """S4: started with what it was given; told and asked like one actor."""
    log: list[Any] = []
    pool = start(world, log, size=3)
    serials = [ref._cell.serial for ref in pool.workers]
    assert len(set(serials)) == 3
    for number in range(3):
        pool.tell(number)
    world.settle()

    assert {entry[0] for entry in log if entry != "start"} == set(serials)
    assert sorted(handled(log)) == [0, 1, 2]
    assert {pool.ask("a", timeout=1)[0] for _ in range(3)} == set(serials)


def test_a_message_takes_no_detour(world: World):
    """It is in a worker's mailbox when `tell` returns; the pool gets no turn for it."""
    pool = start(world, size=2)
    pool.tell("a")
    pool.ask("b", block=False)

    assert [ref._cell.mailbox.user_length for ref in pool.workers] == [1, 1]
    assert pool._cell.mailbox.empty()
    world.settle()


def test_a_worker_that_fails_is_restarted_and_the_others_do_not_notice(world: World):
    """S3, S4, S10: what waits for it is kept."""
    log: list[Any] = []
    pool = start(world, log, size=2)
    first, second = pool.workers
    first.tell(crash())
    first.tell("kept")
    world.settle()

    assert (first.incarnation, second.incarnation) == (1, 0)
    assert (first._cell.serial, "kept") in log
    assert pool.workers == (first, second)


def test_messages_wait_while_the_pool_starts(world: World):
    """M1: and keep their order with those that are sent later; answers come."""
    log: list[Any] = []
    pool = world.system.start(Pool, Worker, log, size=1)
    assert pool.workers == ()
    pool.tell(0)
    answer = pool.ask(1, block=False)
    number = 2
    while world.dispatcher.step():
        if number < 8:
            pool.tell(number)
            number += 1

    assert handled(log) == list(range(8))
    assert answer.get(timeout=0)[1] == 1
    assert pool.ask("waits", timeout=1)[1] == "waits"


@pytest.mark.parametrize("seed", range(12))
def test_no_schedule_of_the_start_reorders_what_one_sender_sends(seed: int):
    """M1: between the two ways, by the pool and straight to the workers, nothing is overtaken."""
    world = World(seed)
    log: list[Any] = []
    spec = ChildSpec(restart=Restart.PERMANENT)
    pool: Any = world.system.start_child(world.start(Parent), Pool, Worker, log, spec=spec, size=1)
    for number in range(60):
        pool.tell(number)
        for _ in range(world.system.random.randrange(3)):
            world.dispatcher.step()
        if number == 30:
            pool._cell.signal(_Fail())
    world.settle()

    got = handled(log)
    assert pool.incarnation == 1
    assert got == sorted(got)
    assert len(got) + sum(isinstance(letter.message, int) for letter in world.letters) == 60
    world.end()


class _Fail:
    """A signal that fails the actor which handles it."""

    def handle(self, cell: Any) -> None:
        raise OSError("by the test")

    def refuse(self, cell: Any) -> None:
        """Nothing is owed."""


def test_a_pool_that_is_restarted_keeps_what_is_sent_meanwhile(world: World):
    """S8, S10: new workers handle it, in its order; the ref is the same."""
    log: list[Any] = []
    parent = world.start(Parent)
    pool = spawn(parent, Pool, Worker, log, size=2, spec=ChildSpec(restart=Restart.PERMANENT))
    world.settle()
    old = pool.workers
    pool._cell.signal(_Fail())
    while pool.incarnation == 0 and pool._cell.kept_limit is None:
        world.dispatcher.step()
    pool.tell("told")
    answer = pool.ask("asked", block=False)
    world.settle()

    assert pool.incarnation == 1
    assert set(handled(log)) == {"told", "asked"}
    assert answer.get(timeout=0)[1] == "asked"
    assert len(pool.workers) == 2
    assert not set(pool.workers) & set(old)
    assert world.letters == []


def test_too_many_restarts_end_the_pool_and_its_supervisor_decides(world: World):
    """S8: all workers counted together."""
    log: list[Any] = []
    parent = world.start(Parent)
    pool = spawn(parent, Pool, Worker, log, size=2, spec=ChildSpec(restart=Restart.PERMANENT))
    world.settle()
    for number in range(4):
        pool.workers[number % 2].tell(crash())
        world.settle()

    assert (pool.incarnation, pool.is_alive()) == (1, True)
    assert pool.ask("a", timeout=1)[1] == "a"


def test_a_pool_whose_workers_have_all_ended_fails(world: World):
    """S13: it says why, and whoever supervises it decides; until it is there again nothing is lost."""
    parent = world.start(Parent)
    pool = spawn(parent, Pool, Worker, size=2, worker_spec=ChildSpec(), spec=ChildSpec(restart=Restart.PERMANENT))
    world.settle()
    for worker in pool.workers:
        worker.tell(crash())
    world.settle()
    assert (pool.incarnation, len(pool.workers)) == (1, 2)

    alone = start(world, size=1, worker_spec=ChildSpec())
    alone.workers[0].tell(fail(OSError("broken")))
    world.settle()
    assert not alone.is_alive()
    assert "every worker of Pool" in str(alone._cell.exit_reason)
    with pytest.raises(ActorDead):
        alone.tell("a")
    assert isinstance(alone.ask("b", block=False).error, ActorDead)
    assert world.dead()[-2:] == [("a", "dead"), ("b", "dead")]


def test_what_waits_when_the_pool_ends_is_a_dead_letter_of_its_sender(world: World):
    """DL1, A5: and who asked is told; what the pool itself wrapped around it is not shown."""
    sender = world.start(Recorder)
    pool = world.system.start(Pool, Worker, size=1)  # it has had no turn yet
    pool.tell("outside")
    answer = pool.ask("asked", block=False)
    sender.tell(lambda _actor: pool.tell("inside"))
    sender._cell.run_now()
    pool._cell.kill("by the test")

    assert isinstance(answer.error, ActorDead)
    assert [(letter.message, letter.sender) for letter in world.letters] == [
        ("outside", "outside"),
        ("asked", "outside"),
        ("inside", repr(sender._cell)),
    ]


def test_a_message_without_a_key_harms_its_sender_only(world: World):
    """A7: whether the workers are there already or not."""
    pool = world.system.start(Pool, Worker, size=2, routing="consistent_hash", key=lambda message: message["key"])
    early = pool.ask({}, block=False)
    pool.tell({})
    world.settle()
    assert isinstance(early.error, KeyError)
    with pytest.raises(KeyError):
        pool.tell({})
    assert pool.is_alive()
    assert pool.ask({"key": 1}, timeout=1)[1] == {"key": 1}


def test_a_broadcast_pool_can_be_told_and_not_asked(world: World):
    """Also while it starts."""
    log: list[Any] = []
    pool = world.system.start(Pool, Worker, log, size=3, routing="broadcast")
    pool.tell("a")
    early = pool.ask("b", block=False)
    world.settle()
    pool.tell("c")
    world.settle()

    assert isinstance(early.error, ActorError)
    assert sorted(handled(log)) == ["a"] * 3 + ["c"] * 3


def test_stopping_a_pool_stops_its_workers(world: World):
    """H1, H2: after what waits for them, if it waits in line; to stop means the pool, not a worker."""
    log: list[Any] = []
    pool = start(world, log, size=3)
    workers = pool.workers
    assert pool.stop(timeout=1) is True
    assert not any(worker.is_alive() for worker in workers)
    assert log.count("stop") == 3
    assert pool.workers == ()


def test_a_pool_is_a_child_like_others(world: World):
    """S1: in a static supervisor, found by key, watched; with workers that outlive its restart if they are kept."""
    spec = ChildSpec(restart=Restart.PERMANENT, keep_children=True)
    top = world.start(Supervisor, [Child(id="pool", actor_class=Pool, args=(Worker,), kwargs={"size": 2}, spec=spec)])
    pool: Any = top._cell.actor.child("pool")
    workers = pool.workers
    assert len(workers) == 2
    pool._cell.signal(_Fail())
    world.settle()

    assert pool.incarnation == 1
    assert pool.workers == workers


def test_what_makes_no_sense_is_refused(world: World):
    """S1: when the pool is made, with what to mend."""
    with pytest.raises(ConfigError, match="1 or more"):
        world.system.start(Pool, Worker, size=0)
    with pytest.raises(ConfigError, match="give a class of actors"):
        world.system.start(Pool, "Worker", size=1)
    with pytest.raises(ConfigError, match="needs a key"):
        world.system.start(Pool, Worker, size=1, routing="consistent_hash")
    with pytest.raises(ConfigError, match="one of round_robin"):
        world.system.start(Pool, Worker, size=1, routing="random")
    assert world.system.actor_count == 0


def test_a_proxy_of_a_pool_speaks_to_the_pool(world: World):
    """pykka's own messages are no work for workers."""
    pool = start(world, size=2)
    assert pool.proxy().actor_urn.get(timeout=1) == pool.actor_urn


@pytest.mark.usefixtures("eager_switches")
def test_on_threads_everything_is_handled_while_workers_crash(system: System):
    """S10, M1: per key in order, each once, whatever fails meanwhile."""
    got: dict[int, list[int]] = {}
    done = threading.Semaphore(0)
    keys, number = 6, 60

    class Shaky(Actor):
        def on_receive(self, message: Any) -> None:
            key, count = message
            if count == -1:
                raise OSError("shaky")
            got.setdefault(key, []).append(count)
            done.release()

    class Sturdy(Pool):
        max_restarts = 1000

    pool = system.start(Sturdy, Shaky, size=3, routing="consistent_hash", key=lambda message: message[0])

    def send(key: int) -> None:
        for count in range(number):
            pool.tell((key, count))
            if count % 20 == 7:
                pool.tell((key, -1))

    threads = [threading.Thread(target=send, args=(key,)) for key in range(keys)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    for _ in range(keys * number):
        assert done.acquire(timeout=DEADLINE_S)

    assert got == {key: list(range(number)) for key in range(keys)}


@pytest.mark.parametrize("unrouted", ["dead_letter", "buffer"])
def test_a_pool_is_reached_by_its_name(world: World, unrouted: Any):
    """R4: the workers get what is sent to the name, also what waited for it."""
    log: list[Any] = []
    desk = world.system.via("desk", unrouted=unrouted)
    if unrouted == "buffer":
        desk.tell(0)
        early = desk.ask(1, block=False)
    spec = ChildSpec(restart=Restart.PERMANENT)
    world.system.start_child(world.start(Parent), Pool, Worker, log, size=2, spec=spec, keys=("desk",))
    world.settle()
    desk.tell(2)
    assert desk.ask(3, timeout=1)[1] == 3
    world.settle()

    assert sorted(handled(log)) == ([0, 1, 2, 3] if unrouted == "buffer" else [2, 3])
    if unrouted == "buffer":
        assert early.get(timeout=0)[1] == 1
    assert world.letters == []


def test_a_pool_that_takes_a_name_late_gets_what_waited_for_it(world: World):
    """R4, M1: straight into the workers' mailboxes, before what is sent afterwards."""
    log: list[Any] = []
    pool = start(world, log, size=1)
    desk = world.system.via("desk", unrouted="buffer")
    desk.tell(0)
    desk.tell(1)
    pool._cell.register("desk")
    desk.tell(2)
    world.settle()

    assert handled(log) == [0, 1, 2]


def test_what_has_waited_for_a_name_and_has_no_key_harms_its_sender_only(world: World):
    """R4: of a pool that takes the name late; its key function is called where that is done."""
    log: list[Any] = []
    pool = start(world, log, size=1, routing="consistent_hash", key=lambda message: message["account"])
    desk = world.system.via("desk", unrouted="buffer")
    desk.tell({})
    asked = desk.ask({"bill": 1}, block=False)
    desk.tell({"account": "a"})
    pool._cell.register("desk")
    world.settle()

    assert isinstance(asked.error, KeyError)
    assert world.dead() == [({}, "unrouted"), ({"bill": 1}, "unrouted")]
    assert handled(log) == [{"account": "a"}]
    assert desk.is_alive()


def test_a_pool_can_hear_of_events_and_a_router_can_choose_among_pools(world: World):
    """DL4: each event reaches one worker."""
    log: list[Any] = []
    pools = [start(world, log, size=2) for _ in range(2)]
    world.system.events.subscribe(pools[0], float)
    world.system.events.publish(1.5)
    router = Router(pools)
    router.tell("a")
    assert router.ask("b", timeout=1)[1] == "b"
    world.settle()

    assert set(handled(log)) == {1.5, "a", "b"}
    assert len(handled(log)) == 3


def test_a_pool_hears_of_events_again_when_its_killed_workers_are_replaced(world: World):
    """DL4: an event that no worker can take is counted; only a pool that has ended is detached."""
    log: list[Any] = []
    backoff = Backoff(min_s=1.0, max_s=1.0, jitter=0)
    pool = start(world, log, size=1, worker_spec=ChildSpec(restart=Restart.PERMANENT, backoff=backoff))
    world.system.events.subscribe(pool, str)
    [worker] = pool.workers
    worker.kill("by the test")
    world.settle()
    world.system.events.publish("nobody is there")
    assert world.counters.snapshot()["events.dropped"] == 1
    world.advance(1.0)
    world.system.events.publish("somebody is there again")
    world.settle()
    assert handled(log) == ["somebody is there again"]

    pool.stop(timeout=0)
    assert not world.system.events.is_used


def test_a_pool_that_can_make_nothing_of_an_event_harms_nobody(world: World, caplog: pytest.LogCaptureFixture):
    """DL4: its key function is called where the event is published, which is in anybody's turn."""
    log: list[Any] = []
    pool = start(world, log, size=1, routing="consistent_hash", key=lambda message: message.account)
    world.system.events.subscribe(pool)
    assert world.start(Recorder).is_alive()
    assert not world.system.events.is_used
    assert "is detached" in caplog.text
    assert "has no attribute 'account'" in caplog.text


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[PoolRef]:
    """To which pools something was sent; fails who sends again and again."""
    tries: list[PoolRef] = []
    send = PoolRef.send

    def note_and_send(ref: PoolRef, message: object, reply: Any = None) -> bool:
        tries.append(ref)
        assert len(tries) < 10
        return send(ref, message, reply)

    monkeypatch.setattr(PoolRef, "send", note_and_send)
    return tries


def test_a_pool_whose_killed_workers_are_being_replaced_is_tried_once(world: World, sent: list[PoolRef]):
    """DL1: whoever sends by a router goes on to another pool, and is told if there is none."""
    log: list[Any] = []
    backoff = Backoff(min_s=1.0, max_s=1.0, jitter=0)
    spec = ChildSpec(restart=Restart.PERMANENT, backoff=backoff)
    empty, other = start(world, size=1, worker_spec=spec), start(world, log, size=1)
    [worker] = empty.workers
    worker.kill("by the test")
    world.settle()
    router = Router([empty, other])
    for number in range(3):
        router.tell(number)
    world.settle()
    assert handled(log) == [0, 1, 2]

    sent.clear()
    with pytest.raises(ActorDead):
        Router([empty]).tell("a")
    assert sent == [empty]
    world.advance(1.0)
    Router([empty]).tell("b")
    assert world.dead() == [("a", "dead")]


def test_a_name_of_a_pool_whose_killed_workers_are_being_replaced_is_nobodys(world: World, sent: list[PoolRef]):
    """R4: as long as none is there; what is sent meanwhile is not lost without a word."""
    log: list[Any] = []
    backoff = Backoff(min_s=1.0, max_s=1.0, jitter=0)
    pool = start(world, log, size=1, worker_spec=ChildSpec(restart=Restart.PERMANENT, backoff=backoff))
    pool._cell.register("desk")
    [worker] = pool.workers
    worker.kill("by the test")
    world.settle()
    desk = world.system.via("desk", unrouted="raise")
    with pytest.raises(ActorDead):
        desk.tell("a")
    assert sent == [pool]
    assert world.dead() == [("a", "unrouted")]
    world.advance(1.0)
    desk.tell("b")
    world.settle()
    assert handled(log) == ["b"]


def test_a_broadcast_pool_whose_workers_are_full_hears_of_events_again(world: World):
    """DL4: what fits into none of the mailboxes is counted, and detaches nobody."""

    class Small(Worker):
        mailbox_capacity = 1

    log: list[Any] = []
    pool = world.start(Pool, Small, log, size=2, routing="broadcast")
    world.system.events.subscribe(pool, str)
    for event in ("taken", "does not fit"):
        world.system.events.publish(event)
    assert world.counters.snapshot()["events.dropped"] == 1
    world.settle()
    world.system.events.publish("taken again")
    world.settle()
    assert handled(log) == ["taken", "taken", "taken again", "taken again"]


@pytest.mark.parametrize("number", [1, 2])
def test_a_worker_that_was_killed_is_begun_anew_and_chosen_again(world: World, number: int):
    """S3: one of two, or all of them: the pool lives on."""
    log: list[Any] = []
    pool = start(world, log, size=2)
    for ref in pool.workers[:number]:
        ref.kill("by the test")
    world.settle()
    assert pool.is_alive()
    log.clear()
    for message in range(4):
        pool.tell(message)
    world.settle()
    assert sorted(handled(log)) == [0, 1, 2, 3]
    assert len({entry[0] for entry in log if isinstance(entry, tuple)}) == 2
    assert len(pool.workers) == 2


def test_a_question_to_a_pool_that_starts_has_a_deadline(world: World):
    """A1, A2, A3: also before there is a worker; whose asker has given up is not handled."""
    log: list[Any] = []
    pool: Any = world.system.start(Pool, Worker, log, size=1)
    late = pool.ask("late", block=False, timeout=0.0)
    asked = pool.ask("in time", block=False)
    assert asked.deadline == 5.0
    world.settle()
    assert isinstance(late.error, AskTimeout)
    assert asked.get(timeout=0)[1] == "in time"
    assert handled(log) == ["in time"]
