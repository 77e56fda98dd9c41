# `make run` and `make test` do all the set-up; nothing else has to be installed but Python 3.11 or later.

PYTHON ?= $(shell command -v python3.11 || command -v python3 || command -v python)
SCENARIO ?= scenarios/hello.toml
PORT ?= 2112
BENCH ?=
SEED := $(or $(SEED),$(shell date +%s))
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --constraint constraints.txt

.PHONY: run test soak lint bench format clean

run: $(VENV)/.installed
	@echo 'When it listens, try this in another terminal:'
	@echo
	@echo '  curl -s http://127.0.0.1:$(PORT)/v1/chat/completions -H "content-type: application/json" \'
	@echo '    -d '"'"'{"model": "gpt-4o", "messages": [{"role": "user", "content": "hello, are you there?"}]}'"'"
	@echo
	@$(BIN)/llmposter run $(SCENARIO) --port $(PORT) --verbose

test: lint
	@$(BIN)/python -m pytest

soak: $(VENV)/.tested
	@echo 'seed $(SEED): `make soak SEED=$(SEED)` repeats it'
	@LLMPOSTER_SOAK=1 $(BIN)/python -m pytest --timeout 3000 --hypothesis-seed=$(SEED)

lint: $(VENV)/.tested
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/.tested
	@$(BIN)/python tests/bench/run.py $(BENCH)

format: $(VENV)/.tested
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

clean:
	rm -rf $(VENV)

$(VENV)/bin/python:
	@test -n '$(PYTHON)' || { echo 'Python 3.11 or later is needed: install it, or say where it is with `make PYTHON=...`'; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Python 3.11 or later is needed; $(PYTHON) is older: say `make PYTHON=python3.11`'; exit 1; }
	@echo 'making a virtual environment in $(VENV)'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo 'installing llmposter into $(VENV)'
	@$(PIP) hatchling editables
	@$(PIP) --no-build-isolation --editable .
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	@echo 'installing what the tests need'
	@$(PIP) --no-build-isolation --editable '.[test]'
	@touch $@
