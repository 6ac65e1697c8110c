# Two commands are enough: `make demo` and `make test`. The rest is for developers.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LAB ?= inventories/sisr

.PHONY: demo test unit lint types clean down setup help
.DEFAULT_GOAL := help

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

$(VENV)/.ready: pyproject.toml hatch_build.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed / Python 3.11 au moins"; exit 2; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { apt-get install -y python3-venv && $(PYTHON) -m venv $(VENV); }
	@echo "Installing sio-lab and what it needs in $(VENV)…"
	@$(BIN)/pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.developer: $(VENV)/.ready
	@echo "Installing what tests and linters need…"
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: $(VENV)/.ready  ## set up this machine, bring up the embedded lab, audit it, write the report
	@$(BIN)/sio-lab setup
	@$(BIN)/sio-lab up $(LAB)
	@$(BIN)/sio-lab check $(LAB); code=$$?; \
	case $$code in 0|1|3) ;; *) exit $$code;; esac

setup: $(VENV)/.ready  ## install what this machine lacks
	@$(BIN)/sio-lab setup

test: unit setup  ## every test: unit, integration on a lab of its own, end to end in a browser
	@$(BIN)/pytest tests/peers -q -n 2 --dist worksteal --ignore tests/peers/disruption
	@$(BIN)/pytest tests/peers/disruption tests/integration tests/e2e
	@SIO_LAB_TEST_LAB=slam $(BIN)/pytest tests/integration/test_proofs.py tests/integration/test_disruption.py

unit: $(VENV)/.developer  ## tests that need neither root nor Incus, in seconds
	@$(BIN)/pytest tests/unit -q -n 3 --dist worksteal

lint: $(VENV)/.developer  ## style, types and playbooks
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	@cd playbooks && ../$(BIN)/ansible-lint --offline -q

down: $(VENV)/.ready  ## remove the embedded lab
	@$(BIN)/sio-lab down $(LAB)

clean:  ## remove what was built in this folder
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache
