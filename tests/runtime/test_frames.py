"""Looking at what a thread does, from another one."""

import gc
import subprocess
import sys
import threading

import pytest

from relay_actors.runtime.frames import frame_of
from tests.runtime.worlds import DEADLINE_S

LOOKS_WHILE_THREADS_COME_AND_GO = """
import gc, sys, threading
from relay_actors.runtime.frames import frame_of

class Finalised:  # in a circle, so that only the garbage collector ends it, and then another thread may go on
    def __init__(self): self.me = self
    def __del__(self): threading.Event().wait(0)

def come_and_go():
    for _ in range(400):
        thread = threading.Thread(target=lambda: [Finalised() for _ in range(20)])
        thread.start()
        thread.join()

gc.set_threshold(1, 1, 1)
sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=come_and_go) for _ in range(3)]
for thread in threads: thread.start()
while any(thread.is_alive() for thread in threads):
    for thread in threads:
        Finalised()
        frame_of(thread)
"""


def test_the_frame_of_a_thread_that_waits_is_where_it_waits():
    """O5: and of one that has ended there is none."""
    inside, let_go = threading.Event(), threading.Event()

    def wait_here() -> None:
        inside.set()
        assert let_go.wait(DEADLINE_S)

    thread = threading.Thread(target=wait_here)
    thread.start()
    assert inside.wait(DEADLINE_S)
    frame, names = frame_of(thread), []
    while frame is not None:
        names.append(frame.f_code.co_name)
        frame = frame.f_back
    let_go.set()
    thread.join(DEADLINE_S)
    assert "wait_here" in names
    assert frame_of(thread) is None


@pytest.mark.parametrize("is_on", [True, False])
def test_garbage_collection_is_left_as_it_was(is_on: bool):
    """Who has turned it off has a reason."""
    before = gc.isenabled()
    try:
        (gc.enable if is_on else gc.disable)()
        frame_of(threading.current_thread())
        assert gc.isenabled() is is_on
    finally:
        (gc.enable if before else gc.disable)()


def test_looking_never_stops_a_process_whose_finalisers_let_others_go_on():
    """O5, A16: CPython's own way to look may do that; a report must not be worse than what it reports."""
    run = [sys.executable, "-c", LOOKS_WHILE_THREADS_COME_AND_GO]
    assert subprocess.run(run, timeout=60.0, check=False).returncode == 0
