"""Numbers as Prometheus reads them; read here by Prometheus's own parser."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from relay_actors.runtime.exposition import exposed_name, exposition
from relay_actors.runtime.metrics import BUCKETS_S, RUNTIME_METRICS, Metric
from tests.runtime.worlds import Echo, World


def read(text: str) -> dict[str, Any]:
    """From each sample's name and labels to its value, as Prometheus understands it."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_text_is_this():
    """The whole format at one glance."""
    table = {
        "calls.up": Metric("gauge", "Calls."),
        "dead_letters": Metric("counter", "Lost, by reason.", "reason"),
    }
    assert exposition({"calls.up": 2, "dead_letters": {"dead": 1}, "queue.left": 3}, table) == (
        "# HELP relay_actors_calls_up Calls.\n"
        "# TYPE relay_actors_calls_up gauge\n"
        "relay_actors_calls_up 2\n"
        "# HELP relay_actors_dead_letters_total Lost, by reason.\n"
        "# TYPE relay_actors_dead_letters_total counter\n"
        'relay_actors_dead_letters_total{reason="dead"} 1\n'
        "# HELP relay_actors_queue_left_total Counted by the application as queue.left.\n"
        "# TYPE relay_actors_queue_left_total counter\n"
        "relay_actors_queue_left_total 3\n"
    )


def test_a_running_system_is_understood(world: World):
    """With histograms: every bucket, its sum and its count."""
    world.system.measure()
    world.start(Echo).tell("x")
    world.settle()

    samples = read(exposition(world.system.metrics(), RUNTIME_METRICS))

    assert samples["relay_actors_actors_living",] == 1
    name, actor = "relay_actors_turn_seconds", ("actor", "Echo")
    assert samples[f"{name}_count", actor] == 1
    assert samples[f"{name}_sum", actor] == 0
    assert samples[f"{name}_bucket", actor, ("le", "+Inf")] == 1
    assert sum(key[0] == f"{name}_bucket" for key in samples) == len(BUCKETS_S) + 1


@given(label=st.text(), number=st.one_of(st.integers(0, 10**12), st.floats(0, 1e9)))
def test_any_label_comes_back_as_it_was(label: str, number: float):
    """Quotes, backslashes and line ends are escaped."""
    table = {"x": Metric("gauge", "One\nhelp \\ text.", "who")}
    if any(end in label for end in "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"):
        return  # its parser splits lines there, which the format does not
    assert read(exposition({"x": {label: number}}, table))["relay_actors_x", ("who", label)] == pytest.approx(number)


@given(name=st.text(min_size=1))
def test_any_name_of_an_application_is_made_one_that_is_allowed(name: str):
    """The format has letters, digits and underscores."""
    exposed = exposed_name(name, Metric("counter", ""))
    assert exposed.replace("_", "a").isascii()
    assert exposed.replace("_", "a").isalnum()
    assert exposed.endswith("_total")


def test_names_that_differ_in_a_sign_are_different_numbers():
    """Such as how often each key of a telephone was pressed."""
    numbers = {"menu.#": 3, "menu.*": 4, "menu.1": 5}
    assert read(exposition(numbers, {})) == {
        ("relay_actors_menu__23__total",): 3,
        ("relay_actors_menu__2a__total",): 4,
        ("relay_actors_menu_1_total",): 5,
    }


def test_names_that_are_one_for_prometheus_are_told_once():
    """It takes the first of two samples of the same name, and strict readers take nothing of such a text."""
    text = exposition({"orders.asked": 1, "orders_asked": 2}, {})
    assert text.count("# TYPE relay_actors_orders_asked_total counter") == 1
    assert read(text) == {("relay_actors_orders_asked_total",): 3}

    text = exposition({"dead-letters": 1, "dead.letters": 1, "dead_letters": {"dead": 2}}, RUNTIME_METRICS)
    assert read(text) == {
        ("relay_actors_dead_letters_total", ("reason", "dead")): 2,
        ("relay_actors_own_dead_letters_total",): 2,
    }
