# `make run` and `make test` do all the set-up; nothing else has to be installed but Python 3.11 or later.

PYTHON ?= $(shell command -v python3.11 || command -v python3 || command -v python)
SCENARIO ?= scenarios/hello.toml
PORT ?= 2112
BENCH ?=
BROWSER ?= yes
SEED := $(or $(SEED),$(shell date +%s))
VENV := .venv
BIN := $(VENV)/bin
INTEROP := tests/interop
ENVIRONMENTS := newest previous older
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --constraint constraints.txt

.PHONY: run test soak lint browser interop wheelhouse pins behaviour bench streams format clean

run: $(VENV)/.installed
	@echo 'When it listens, try this in another terminal:'
	@echo
	@echo '  curl -s http://127.0.0.1:$(PORT)/v1/chat/completions -H "content-type: application/json" \'
	@echo '    -d '"'"'{"model": "gpt-4o", "messages": [{"role": "user", "content": "hello, are you there?"}]}'"'"
	@echo
	@$(BIN)/llmposter run $(SCENARIO) --port $(PORT) --verbose

test: lint browser interop wheelhouse
	@$(BIN)/python -m pytest -n 2 $(if $(filter no,$(BROWSER)),-m 'not browser')

soak: browser interop wheelhouse
	@echo 'seed $(SEED): `make soak SEED=$(SEED)` repeats it'
	@LLMPOSTER_SOAK=1 $(BIN)/python -m pytest -n 2 --timeout 3000 --hypothesis-seed=$(SEED) $(if $(filter no,$(BROWSER)),-m 'not browser')

lint: $(VENV)/.tested
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

browser: $(VENV)/.tested
	@test '$(BROWSER)' = no || $(BIN)/python tests/support/browsing.py

interop: $(ENVIRONMENTS:%=$(VENV)/interop/%/.installed) $(INTEROP)/js/node_modules/.installed

# What the package needs to be built and to run, so that a hook can be installed in a test without a network.
wheelhouse: $(VENV)/wheelhouse/.filled

# What the environments of other clients hold is renewed only here; `make test` installs what stands in the files.
pins: $(VENV)/.tested
	@for name in $(ENVIRONMENTS); do \
	  UV_CUSTOM_COMPILE_COMMAND='make pins' $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	    --no-annotate $(INTEROP)/environments/$$name.in --output-file $(INTEROP)/environments/$$name.txt || exit 1; done
	@cd $(INTEROP)/js && rm -f package-lock.json && $(CURDIR)/$(BIN)/npm install --package-lock-only --loglevel=error

# After `make pins`: what the SDKs now do is written into the page, for the difference to be read.
behaviour: interop
	@LLMPOSTER_GOLDEN=write $(BIN)/python -m pytest -q tests/interop/test_sdk_behaviour.py

bench: $(VENV)/.tested
	@$(BIN)/python tests/bench/run.py $(BENCH)

streams: $(VENV)/.tested
	@$(BIN)/python tests/bench/streams.py $(BENCH)

format: $(VENV)/.tested
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

clean:
	rm -rf $(VENV) $(INTEROP)/js/node_modules

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

$(VENV)/interop/%/.installed: $(INTEROP)/environments/%.txt | $(VENV)/.tested
	@echo 'making an environment of other clients in $(@D)'
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(@D)
	@$(BIN)/uv pip sync --quiet --python $(@D) $<
	@$(BIN)/uv pip check --quiet --python $(@D)
	@touch $@

$(VENV)/wheelhouse/.filled: pyproject.toml constraints.txt | $(VENV)/.tested
	@echo 'fetching what the package needs, as wheels'
	@rm -rf $(@D)
	@$(BIN)/python -m pip --disable-pip-version-check --quiet wheel --constraint constraints.txt --wheel-dir $(@D) hatchling .
	@rm $(@D)/llmposter-*.whl
	@touch $@

$(INTEROP)/js/node_modules/.installed: $(INTEROP)/js/package.json $(INTEROP)/js/package-lock.json | $(VENV)/.tested
	@echo 'installing what the JavaScript clients need'
	@cd $(INTEROP)/js && $(CURDIR)/$(BIN)/npm ci --loglevel=error
	@touch $@
