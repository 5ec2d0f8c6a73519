# Every command works first, on a clean checkout, in any order: each brings .venv up to what it needs.
# Only python3 (3.11 or newer) and access to a package index have to be there.

PYTHON ?= python3
N ?= 1000

VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help demo serve test lint format bench chaos docs pins clean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

demo: $(RUNTIME) ## publish a sample through the simulator, with a crash in the middle; FILE=path.mp4 uses your own video
	@$(BIN)/python -m clipcast.demo $${FILE:+"$$FILE"}

serve: $(RUNTIME) ## serve the API on http://127.0.0.1:8000
	@$(BIN)/clipcast serve

test: $(DEV) ## run every test, as many at a time as there are processors; ARGS="-k name" chooses
	@$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

lint: $(DEV) ## check style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(DEV) ## put the code into the form that lint expects
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(DEV) ## measure uploads, claiming, handing out, throughput and lateness on this machine; ARGS="dispatch workers" chooses
	@$(BIN)/python -m bench $(ARGS)

chaos: $(DEV) ## kill the worker N=1000 times and count what was lost or doubled; BROKER=redis (or rabbitmq): all of Celery's parts
	@$(BIN)/python tests/process/$(if $(BROKER),celery_chaos.py --broker $(BROKER),chaos.py) --kills $(N) $(ARGS)

docs: $(DEV) ## write the generated pages of docs/reference anew
	@$(BIN)/python docs/generate.py

pins: $(DEV) ## choose the exact versions of requirements/ again; ARGS=--upgrade takes newer ones
	$(BIN)/uv pip compile --quiet $(ARGS) --extra postgres --extra celery --group build pyproject.toml --output-file requirements/runtime.txt
	$(BIN)/uv pip compile --quiet $(ARGS) --extra postgres --extra celery --extra otel --group dev --constraint requirements/runtime.txt pyproject.toml --output-file requirements/dev.txt

clean: ## remove .venv and caches; your clipcast-data stays
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests bench docs -name __pycache__ -type d -exec rm -rf {} +

# The stamps say which pins are installed. Wheels only, with known hashes and without build isolation:
# nothing is ever downloaded that requirements/ does not name.
$(RUNTIME): requirements/runtime.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'Clipcast needs Python 3.11 or newer, and "$(PYTHON)" is not. Install one, or name it: make PYTHON=python3.12 demo' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo '"$(PYTHON)" cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo 'Installing Clipcast into $(VENV), about a minute the first time' >&2
	@$(PIP_INSTALL) --require-hashes --only-binary :all: -r requirements/runtime.txt
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements/dev.txt $(RUNTIME)
	@echo 'Installing the development tools into $(VENV)' >&2
	@$(PIP_INSTALL) --require-hashes --only-binary :all: -r requirements/dev.txt
	@touch $@
