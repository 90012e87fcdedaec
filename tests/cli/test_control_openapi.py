"""The document is made of the table: what is served is described, and nothing else."""

import json
import re
from random import Random
from typing import Any

import pytest

from relay_actors.cli.control_faults import list_faults
from relay_actors.cli.control_openapi import SCHEMAS, openapi
from relay_actors.cli.control_table import STORY, ControlTable
from relay_actors.cli.control_views import line_view, person_view, plain
from relay_actors.protocol.states import CallState
from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator.messaging import TextMessage
from relay_actors.simulator.simulator import Simulator


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(clock=SystemClock(), random=Random(1))


@pytest.fixture
def table(simulator: Simulator) -> ControlTable:
    return ControlTable(simulator)


@pytest.fixture
def document(table: ControlTable) -> dict[str, Any]:
    return openapi(table.operations, url="http://127.0.0.1:8444")


def test_each_operation_is_described_once(table: ControlTable, document: dict[str, Any]):
    described = [(method.upper(), path) for path, methods in document["paths"].items() for method in methods]
    assert sorted(described) == sorted((one.method, one.path) for one in table.operations)
    ids = [one["operationId"] for methods in document["paths"].values() for one in methods.values()]
    assert len(ids) == len(set(ids))
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": "http://127.0.0.1:8444"}]
    json.dumps(document)


def test_each_verb_has_its_arguments(document: dict[str, Any]):
    for name, word in STORY.items():
        described = document["paths"][f"/phones/{{number}}/{name}"]["post"]
        schema = described["requestBody"]["content"]["application/json"]["schema"]
        assert schema["properties"].keys() == {argument.name for argument in word.arguments}
        assert described["requestBody"]["required"] == ("required" in schema)
        assert [one["name"] for one in described["parameters"]] == ["number"]
    hears = document["paths"]["/phones/{number}/hears"]["post"]
    assert hears["responses"]["409"]["description"].endswith("it was not heard in time, or the call ended before.")
    assert hears["responses"]["200"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Line"}


def test_a_query_is_described_as_parameters(document: dict[str, Any]):
    parameters = {one["name"]: one for one in document["paths"]["/frames"]["get"]["parameters"]}
    assert parameters.keys() == {"method", "event", "direction", "since"}
    assert parameters["direction"]["schema"]["enum"] == ["", "received", "sent"]
    assert parameters["method"]["description"] == "only requests of this method."


def test_each_fault_is_named(document: dict[str, Any]):
    schema = document["paths"]["/faults"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["fault"]["enum"] == [one["fault"] for one in list_faults()]
    assert schema["additionalProperties"] is True


def test_every_reference_leads_somewhere(document: dict[str, Any]):
    for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)):
        assert name in SCHEMAS


def test_what_is_answered_has_the_form_that_is_described(simulator: Simulator):
    phone = simulator.phone("+15550001111")
    line = phone.dials(context="office")
    for value, name in (
        (line_view(line), "Line"),
        (person_view(phone), "Person"),
        (plain(TextMessage("1", "2", "hi")), "Text"),
    ):
        assert value.keys() == SCHEMAS[name]["properties"].keys()
    assert {*CallState, "transferred"} == {*SCHEMAS["Line"]["properties"]["state"]["enum"]}


def test_a_token_is_described_when_one_is_asked_for(table: ControlTable, document: dict[str, Any]):
    assert "security" not in document
    with_token = openapi(table.operations, has_token=True)
    assert with_token["security"] == [{"token": []}]
    assert with_token["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
