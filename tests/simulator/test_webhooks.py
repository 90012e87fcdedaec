"""What would have been told by HTTP."""

from __future__ import annotations

import pytest

from relay_actors.simulator.webhooks import BOUND, Webhook, Webhooks
from tests.simulator.stage import Stage


def test_reports_are_kept_in_the_order_in_which_they_would_have_gone_out():
    webhooks = Webhooks()
    webhooks.send("https://example.com/a", {"n": 1})
    webhooks.send("https://example.com/b", {"n": 2}, method="GET")

    assert webhooks.all() == (
        Webhook("https://example.com/a", {"n": 1}),
        Webhook("https://example.com/b", {"n": 2}, "GET"),
    )


@pytest.mark.parametrize("url", [None, "", 7, ["https://example.com"]])
def test_without_a_url_nobody_is_told(url: object):
    """Params come as they came: nobody has looked at them yet."""
    webhooks = Webhooks()
    webhooks.send(url, {"n": 1}, method=5)
    assert webhooks.all() == ()


def test_a_report_is_what_it_was_when_it_was_sent():
    webhooks, body = Webhooks(), {"n": 1}
    webhooks.send("https://example.com", body)
    body["n"] = 2
    assert webhooks.all()[0].body == {"n": 1}


def test_only_so_many_are_remembered():
    """A demonstration may run for days."""
    webhooks = Webhooks()
    for n in range(BOUND + 1):
        webhooks.send("https://example.com", {"n": n})
    assert len(webhooks.all()) == BOUND
    assert webhooks.all()[0].body == {"n": 1}


def test_a_simulator_shows_them_and_forgets_them_when_it_begins_anew(stage: Stage):
    with stage.sim.turn():
        stage.sim._world.webhooks.send("https://example.com", {"n": 1})
    assert [webhook.body for webhook in stage.sim.webhooks] == [{"n": 1}]
    stage.sim.reset()
    assert stage.sim.webhooks == ()
