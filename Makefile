# Every command a developer needs; `make help` lists them. python3 (3.11 or newer) is all that must be there.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install -qq
ARGS   ?=
FUZZ_MINUTES ?= 60
SOAK_MINUTES ?= 20

.DEFAULT_GOAL := help
.PHONY: help setup serve test conformance test-clients faults fuzz check docs bench bench-peers soak train eval lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo 'ARGS="..." is passed on: make serve ARGS="--port 8080", make test ARGS="tests/wire -x"'

setup: $(VENV)/dev.stamp ## install everything a developer needs into .venv

serve: $(VENV)/serve.stamp ## install what the server needs, and serve
	@exec $(BIN)/pointsman serve $(ARGS)

test: $(VENV)/dev.stamp ## install what the tests need, and run them all
	@$(BIN)/pytest -n auto --dist loadgroup $(ARGS)

conformance: $(VENV)/dev.stamp ## judge every recorded exchange for every dialect, in figures; ARGS="gemini streamed"
	@PYTHONPATH=tests $(BIN)/python -m conformance $(ARGS)

test-clients: $(VENV)/dev.stamp ## install coding agents from npm (3 GB) and send each on an errand to vendors of every dialect
	@PYTHONPATH=tests $(BIN)/python -m clients.agents $(ARGS)

faults: $(VENV)/dev.stamp ## play every fault for every caller, and write docs/fault-matrix.md
	@PYTHONPATH=tests $(BIN)/python -m faults $(ARGS)

fuzz: $(VENV)/dev.stamp ## spoil recorded traffic for FUZZ_MINUTES=60; ARGS="FOLDER --only stream:gemini"
	@PYTHONPATH=tests $(BIN)/python -m fuzz --minutes $(FUZZ_MINUTES) $(ARGS)

check: $(VENV)/dev.stamp ## format, lint, types, layers, generated documents
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/generate_docs.py --check
	$(BIN)/pytest --quiet tests/project -m "not slow"

docs: $(VENV)/dev.stamp ## write the tables in docs/ that are generated from code
	$(BIN)/python scripts/generate_docs.py

bench: $(VENV)/dev.stamp ## measure against nginx and write docs/benchmarks.md (needs nginx, wrk, cc)
	$(BIN)/python bench/run.py $(ARGS)

bench-peers: $(VENV)/dev.stamp ## the same, with LiteLLM and Portkey installed beside it
	$(BIN)/python bench/run.py --peers $(ARGS)

soak: $(VENV)/dev.stamp ## SOAK_MINUTES=20 of mixed load and faults; fails when anything grew or was kept (Linux)
	@$(BIN)/python bench/soak.py --minutes $(SOAK_MINUTES) $(ARGS)

train: $(VENV)/dev.stamp ## learn the shipped weights anew from the folder of outcomes (docs/routing-quality.md)
	$(BIN)/python scripts/train_router.py

eval: $(VENV)/dev.stamp ## write the figures of docs/routing-quality.md anew from the folder of outcomes
	$(BIN)/python scripts/evaluate_router.py

lock: ## resolve the newest allowed versions into the lock files (needs uv)
	scripts/lock.sh

$(VENV)/pip.stamp: scripts/bootstrap.py
	@echo "making $(VENV)"
	@$(PYTHON) scripts/bootstrap.py $(VENV)
	@touch $@

# The locks are whole, so pip resolves nothing: some of its releases would take a newer one for a name with an extra.
$(VENV)/serve.stamp: requirements.lock pyproject.toml $(VENV)/pip.stamp
	@echo "installing into $(VENV)"
	@$(PIP) --no-deps --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

# The development lock holds the runtime lock's versions: one environment serves both.
$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/serve.stamp
	@echo "installing the developer's tools into $(VENV)"
	@$(PIP) --no-deps --require-hashes -r requirements-dev.lock
	@touch $@
