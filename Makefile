# credsync: everything a person runs from a clone. Needs python3 (3.11 or newer), make and a shell; the rest is
# installed into .venv here, each package pinned and checked by its hash. `make` alone lists the targets.

#: make setup         make .venv and install credsync into it (again only when requirements change)
#: make demo          the four real cases, 200 sign-ups and seven stories, live, against the HubSpot stand-in
#: make test          lint, types, and every test, on SQLite and on a real PostgreSQL
#: make lint          ruff and mypy alone
#: make format        let ruff rewrite what it can
#: make bench         the performance tables
#: make storm         real rounds through seeded storms against the stand-in (SEEDS=300; ON=sqlite or postgres)
#: make storm-processes  real processes killed, stopped, and PostgreSQL restarted beneath them (STORMS=stops BLOWS=10)
#: make pictures      take the pictures of docs/ and README anew, of made-up people
#: make wheel         build the wheel into dist/
#: make requirements  compile the pins from pyproject.toml again (UPGRADE=1: to the newest versions)
#: make clean         remove .venv, builds and caches

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format bench storm storm-processes pictures wheel requirements clean
.SUFFIXES:

# What belongs to some other environment must not lead pip or Python out of this clone.
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT
export PIP_DISABLE_PIP_VERSION_CHECK := 1

python := .venv/bin/python
install := $(python) -m pip install -q -q --require-hashes
judge := tests/sdk/node
axe := tests/browser/node

help:
	@sed -n 's/^#: //p' Makefile

setup: .venv/.installed
	@echo "credsync is installed: .venv/bin/credsync"

demo: .venv/.installed
	@.venv/bin/credsync demo

test: .venv/.installed-dev .venv/.browser $(judge)/node_modules/.installed $(axe)/node_modules/.installed
	@$(MAKE) --no-print-directory lint
	@$(python) -m pytest -n 2 --dist worksteal

lint: .venv/.installed-dev
	@$(python) -m ruff check
	@$(python) -m ruff format --check
	@$(python) -m mypy

format: .venv/.installed-dev
	@$(python) -m ruff check --fix
	@$(python) -m ruff format

storm: .venv/.installed-dev
	@$(python) -m storm --seeds $(or $(SEEDS),300) --on $(or $(ON),sqlite)

pictures: .venv/.installed-dev .venv/.browser
	@$(python) -m tests.browser.pictures

bench: .venv/.installed-dev
	@$(python) -m bench

storm-processes: .venv/.installed-dev
	@$(python) -m storm.real $(STORMS) $(if $(BLOWS),--blows $(BLOWS))

wheel: .venv/.installed
	@$(python) -m hatchling build -t wheel

compile := .venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make requirements" $(if $(UPGRADE),--upgrade)

requirements: .venv/.installed-dev
	@$(compile) pyproject.toml --group dev -o requirements/dev.txt
	@$(compile) pyproject.toml -c requirements/dev.txt -o requirements/run.txt
	@$(compile) --group build -c requirements/dev.txt -o requirements/build.txt

clean:
	rm -rf .venv $(judge)/node_modules $(axe)/node_modules build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .demo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The steps behind them. Each stamp is written last, so what was cut short starts again.

# A clone that was moved or copied with its .venv is installed again: its scripts still name the old place.
ifneq ($(shell cat .venv/.made 2>/dev/null),$(CURDIR))
.PHONY: .venv/.made
endif

define not_installed
if command -v cc >/dev/null 2>&1; then \
  echo "credsync: a package could not be installed (pip says why above): see that pip reaches its package index from here, then run make again." >&2; \
else \
  echo "credsync: a package could not be installed (pip says why above); if it wanted to compile, install a C compiler and Python's headers (Debian, Ubuntu: apt-get install gcc python3-dev), then run make again." >&2; \
fi; exit 1
endef

.venv/.made:
	@found=; \
	set -- python3 python3.14 python3.13 python3.12 python3.11; \
	if [ -n "$$PYTHON" ]; then set -- "$$PYTHON"; fi; \
	for each in "$$@"; do \
	  if "$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then found=$$each; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "credsync: no Python 3.11 or newer was found: install one (Debian 12, Ubuntu 24.04 or newer: apt-get install python3 python3-venv) or name it with 'make PYTHON=/path/to/python3', then run make again." >&2; \
	  exit 1; \
	fi; \
	if $(python) -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then :; \
	elif "$$found" -m venv --clear .venv >/dev/null 2>&1; then :; \
	elif "$$found" -m virtualenv --clear .venv >/dev/null 2>&1; then :; \
	elif { "$$found" -m venv --clear --without-pip .venv && "$$found" -m pip --python $(python) --version; } >/dev/null 2>&1; then \
	  "$$found" -m pip --python $(python) install -q -q --require-hashes -r requirements/build.txt || { $(not_installed); }; \
	elif uv venv -q --clear --no-project --python "$$(command -v "$$found")" .venv >/dev/null 2>&1; then \
	  uv pip install -q --python $(python) --require-hashes -r requirements/build.txt || { $(not_installed); }; \
	else \
	  rm -rf .venv; \
	  echo "credsync: $$found can make no virtual environment with pip in it (no ensurepip, virtualenv, pip or uv): install its venv module (Debian, Ubuntu: apt-get install python3-venv), then run make again." >&2; \
	  exit 1; \
	fi
	@echo "$(CURDIR)" > $@

.venv/.installed: .venv/.made requirements/run.txt requirements/build.txt pyproject.toml
	@echo "Installing credsync into .venv (about a minute the first time) ..."
	@$(install) -r requirements/run.txt -r requirements/build.txt || { $(not_installed); }
	@$(python) -m pip install -q -q --no-deps --no-build-isolation -e .
	@touch $@

.venv/.installed-dev: .venv/.installed requirements/dev.txt
	@echo "Installing what the tests need into .venv (about a minute the first time) ..."
	@$(install) -r requirements/dev.txt || { $(not_installed); }
	@touch $@

# HubSpot's Node client judges the stand-in in tests/sdk, axe-core the console in tests/browser. Root on Debian gets
# Node.js and Chromium themselves; nobody else is root.

has_node := command -v npm >/dev/null 2>&1 && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' >/dev/null 2>&1
has_browser := command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1
may_install := [ "$$(id -u 2>/dev/null)" = 0 ] && command -v apt-get >/dev/null 2>&1
apt_get := DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends

%/node_modules/.installed: %/package.json %/package-lock.json
	@if ! { $(has_node); } && $(may_install); then \
	  echo "Installing Node.js and npm for the tests ..."; \
	  { apt-get update -qq && $(apt_get) nodejs npm; } >/dev/null || true; \
	fi; \
	if ! { $(has_node); }; then \
	  echo "credsync: the tests need Node.js 18 or newer and npm, which were not found: install them (Debian 12, Ubuntu 24.04 or newer: apt-get install nodejs npm), then run make again." >&2; \
	  exit 1; \
	fi
	@echo "Installing the Node packages of $* for the tests ..."
	@cd $* && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null || { \
	  echo "credsync: the Node packages of $* could not be installed (npm says why above): see that npm reaches its registry from here, then run make again." >&2; \
	  exit 1; \
	}
	@touch $@

.venv/.browser: .venv/.installed-dev
	@if ! { $(has_browser); } && $(may_install); then \
	  echo "Installing Chromium for the tests ..."; \
	  { apt-get update -qq && $(apt_get) chromium; } >/dev/null || true; \
	fi; \
	if ! { $(has_browser); }; then \
	  echo "credsync: the tests need a Chromium, which was not found: install it (Debian: apt-get install chromium), then run make again." >&2; \
	  exit 1; \
	fi
	@touch $@
