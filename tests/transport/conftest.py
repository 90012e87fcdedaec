"""What the tests of `transport/` share."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.support.raw_server import DEADLINE_S, RawServer
from tests.support.tls import ThrowawayAuthority

Background = Callable[[Callable[[], object]], "Future[object]"]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> ThrowawayAuthority:
    return ThrowawayAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server() -> Iterator[RawServer]:
    with RawServer() as listening:
        yield listening


@pytest.fixture
def background() -> Iterator[Background]:
    """Run a blocking call beside the test, which plays the other side meanwhile."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        yield pool.submit


@pytest.fixture(autouse=True)
def no_proxy_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine that runs the tests may have a proxy; the tests that want one say so."""
    for name in ("https_proxy", "http_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="session")
def light_heap() -> None:
    """Spare the collector what was there before: it is asked after each of these tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def no_descriptor_leaks(light_heap: None) -> Iterator[None]:
    """Fail when the test leaves a descriptor open."""
    before = open_descriptors()
    yield
    if open_descriptors().items() - before.items():
        gc.collect()  # the far end's library leaves some of its own to the collector; ours would be a ResourceWarning
    assert not open_descriptors().items() - before.items()


def open_descriptors() -> dict[str, str]:
    """Every descriptor of this process and what it is, without the one that lists them."""
    found = {}
    for number in os.listdir("/proc/self/fd"):
        try:
            found[number] = os.readlink(f"/proc/self/fd/{number}")
        except FileNotFoundError:  # the listing's own
            continue
    return found


__all__ = ["DEADLINE_S", "Background"]
