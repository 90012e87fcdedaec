# Every target makes what it needs; `make demo` and `make test` are all a newcomer has to know.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PARITY := .venv-parity
PYKKA  := .venv-pykka
DOCS   := $(VENV)/.installed-docs
# One more than there are cores: some tests wait for processes.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(5, (os.cpu_count() or 1) + 1))')

# Hundreds of short processes are started, which would compile all of it each time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test thorough seeds chaos mutants torn stress kill9 lint format reference docs parity pykka-suite bench bench-quick clean

help:  ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml relay_actors/_version.py
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("relay_actors needs Python 3.11 or newer; this is %s. Try: make PYTHON=python3.12" % sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,lint]'
	@touch $@

demo: $(STAMP)  ## Run the main job: real calls against the embedded simulator (ARGS="--seed 7 --fast")
	$(BIN)/relay-actors demo $(ARGS)

test: $(STAMP)  ## Run the whole test suite (ARGS="-k journal")
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal $(ARGS)

thorough: $(STAMP)  ## Run the test suite with all that the suite only takes a part of; takes minutes
	RELAY_TEST_THOROUGH=1 $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal $(ARGS)

seeds: $(STAMP)  ## Run many random programs of actors (N=100000), or show one again (SEED=17)
	$(BIN)/python -m tests.runtime.programs $(if $(SEED),--seed $(SEED),--number $(or $(N),10000)) $(ARGS)

chaos: $(STAMP)  ## Run the demo's application from 10,000 seeds, with people and mishaps (ARGS="--seeds 500")
	$(BIN)/relay-actors chaos examples.front_desk:app --seeds 10000 --journal --word "wake me" $(ARGS)

torn: $(STAMP)  ## Cut journals at every byte; takes minutes
	$(BIN)/python -m tests.stress torn

stress: $(STAMP)  ## Run on real threads, under load, for minutes (ARGS="programs fairness")
	$(BIN)/python -m tests.stress $(ARGS)

kill9: $(STAMP)  ## Kill an application five times while 500 people are on the phone (ARGS="--seed 7 --kills 1")
	$(BIN)/python -m tests.kill9 $(ARGS)

mutants: $(STAMP)  ## Put faults into our own code, one at a time: seeds must notice each (ARGS="old-tick --verbose")
	$(BIN)/python -m tests.mutants $(ARGS)

lint: $(STAMP)  ## Check format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(STAMP)  ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

reference: $(STAMP)  ## Write the generated pages of docs/reference anew, from the code's own tables
	$(BIN)/python -m tests.reference

$(DOCS): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@

docs: $(DOCS)  ## Build the documentation into docs/_build/html; a warning or a stale page is an error
	$(BIN)/python -m tests.reference --check
	$(BIN)/python -m sphinx --quiet --builder html --fail-on-warning --keep-going docs docs/_build/html
	@echo "docs/_build/html/index.html"

$(PARITY)/.installed: pyproject.toml tests/parity/requirements.txt
	$(PYTHON) -m venv $(PARITY)
	$(PARITY)/bin/python -m pip install --quiet --disable-pip-version-check --editable . --requirement tests/parity/requirements.txt
	@touch $@

$(PARITY)/.sources: $(PARITY)/.installed
	$(PARITY)/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --no-binary signalwire-sdk --dest $(PARITY)/signalwire-sdk signalwire-sdk==$$($(PARITY)/bin/python -c 'from importlib.metadata import version; print(version("signalwire-sdk"))')
	@touch $@

parity: $(PARITY)/.sources  ## Let the official SDK, unchanged, talk to the simulator; tell what it and we survive; run its examples under both (of the second: ARGS="--only socket")
	$(PARITY)/bin/python -m tests.parity.sdk_parity
	$(PARITY)/bin/python -m tests.parity.mishaps $(ARGS)
	$(if $(findstring --only,$(ARGS)),,$(PARITY)/bin/python -m tests.parity.shipped $(ARGS))

$(PYKKA)/.installed: pyproject.toml tests/pykka_suite/requirements.txt
	$(PYTHON) -m venv $(PYKKA)
	$(PYKKA)/bin/python -m pip install --quiet --disable-pip-version-check --editable . --requirement tests/pykka_suite/requirements.txt
	$(PYKKA)/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --no-binary pykka --dest $(PYKKA)/pykka pykka==$$($(PYKKA)/bin/python -c 'from importlib.metadata import version; print(version("pykka"))')
	@touch $@

pykka-suite: $(PYKKA)/.installed  ## Run pykka's own tests, unchanged, against our actors
	$(PYKKA)/bin/python tests/pykka_suite/run.py $(wildcard $(PYKKA)/pykka/*.tar.gz)

bench: $(STAMP) $(PARITY)/.installed  ## Measure speed, beside the official SDK in one run, and write it into docs (ARGS="--only calls --spin")
	$(BIN)/python -m tests.benchmarks $(ARGS)

bench-quick: $(STAMP)  ## Take a look at speed: smaller, fewer rounds, nothing is written (ARGS="--only calls")
	$(BIN)/python -m tests.benchmarks --quick $(ARGS)

clean:  ## Remove everything that was made
	rm -rf $(VENV) $(PARITY) $(PYKKA) build dist docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis
