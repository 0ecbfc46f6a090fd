# Cartwheel: `make demo` to see it, `make test` to check it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1
PORT ?= 8642
SHOP ?= demo-shop

.PHONY: help demo test check lint types lock-check wheel-check test-spark browser java referee \
	postgres bench wrk crash screenshot lock clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(VENV)/runtime: requirements.lock pyproject.toml
	@echo "Making the environment in $(VENV) (about a minute the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/dev: requirements-dev.lock $(VENV)/runtime
	@echo "Installing what the tests need"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(VENV)/runtime ## Make a sample shop that lives, serve console and storefront
	@$(BIN)/cartwheel demo --folder demo-shop --port $(PORT)

test: $(VENV)/dev browser postgres ## Run every test
	$(BIN)/python -m pytest

check: lint types lock-check test wheel-check ## Everything that CI runs

lint: $(VENV)/dev ## Style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev ## Types, strictly
	$(BIN)/mypy

lock-check: ## No addresses in the lock files
	@! grep -n '://' requirements.lock requirements-dev.lock

wheel-check: ## The wheel builds and starts in a bare environment
	@scripts/check_wheel.sh $(PYTHON)

browser: ## Install Debian's Chromium when it is missing and this is root
	@scripts/need.sh chromium chromium "browser tests"

postgres: ## Install Debian's PostgreSQL when it is missing and this is root
	@scripts/need.sh "/usr/lib/postgresql/*/bin/initdb" postgresql "tests on PostgreSQL"

test-spark: $(VENV)/dev ## The signals' conformance on local Spark (needs Java 17)
	@scripts/need.sh java openjdk-17-jre-headless "tests on Spark"
	@$(BIN)/python -m pip install -q --disable-pip-version-check "pyspark>=4.3,<5"
	$(BIN)/python -m pytest tests/spark -m spark

referee: $(VENV)/dev ## Connected must beat isolated in fixed simulated worlds
	$(BIN)/python scripts/referee.py

bench: $(VENV)/dev ## Speed and memory, printed with the machine
	$(BIN)/python -m bench

wrk: $(VENV)/dev ## Load by wrk on a shop: make wrk SHOP=demo-shop
	@scripts/need.sh wrk wrk "load by wrk"
	$(BIN)/python -m bench.wrk $(SHOP)

crash: $(VENV)/dev ## kill -9 of turn, API and import, 20 times each
	$(BIN)/python scripts/crash.py --times 20

screenshot: $(VENV)/dev browser ## Draw the README's screenshot from the demo shop
	@scripts/draw_screenshot.sh

lock: ## Write the lock files again (needs uv)
	uv pip compile pyproject.toml --extra postgres --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements.lock
	uv pip compile pyproject.toml --group dev --extra postgres --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -c requirements.lock -o requirements-dev.lock

clean: ## Remove the environment and the demo shop
	rm -rf $(VENV) demo-shop dist
