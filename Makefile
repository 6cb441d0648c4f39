# Everything runs from a virtual environment that is made on first use; nothing else is installed.
PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
export PATH := $(BIN):$(PATH)
C_SOURCES = $(shell find solvers/native tests/native -name '*.[ch]')
READY := $(VENV)/ready
BUILD_TOOLS := "meson-python>=0.17" "meson>=1.4" ninja "cython>=3.1" "numpy>=2.0"

# What an extra of pyproject.toml lists, each by itself: one that does not install here is left out.
extra = for peer in $$($(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["$(1)"])'); do \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check $(2) "$$peer" || echo "left out: $$peer"; done

.PHONY: help peers-lapx peers-entropic demo gallery examples test test-slow fuzz cliffs lint format sanitize wheel cross docs advice paper bench bench-quick clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Build tools go in first, since the editable build uses this environment's own. A peer that has no wheel for this platform
# is left out: its solvers, or its method of embedding, then show as missing, with the reason.
$(READY): pyproject.toml meson.build solvers/native/meson.build
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=…")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(BUILD_TOOLS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --editable '.[dev]'
	$(call extra,peers)
	$(call extra,embeddings)
	touch $(READY)

# lapx and lap are imported by the same name, so that it has an environment of its own.
peers-lapx: $(READY) ## Make the environment lapx, for the package that cannot live beside the peer lap
	lapmark env add lapx 'lapx>=0.11.1' --again

# PyTorch's own index has a build for CPUs, a tenth as large as the usual one; where it cannot be reached, that is taken.
peers-entropic: $(VENV)/entropic ## Add GeomLoss and OTT-JAX to .venv, for entropic transport: some 1.2 GB

$(VENV)/entropic: $(READY)
	$(call extra,entropic,--extra-index-url https://download.pytorch.org/whl/cpu)
	touch $(VENV)/entropic

demo: $(READY) ## Compare every solver on digits laid on a grid, and write the report to results/
	lapmark run --to results
	lapmark report results --pictures

# What anybody can remake: data that come with the packages, and nothing from the network.
gallery: export LAPMARK_DATA =
gallery: $(READY) ## Draw every application from built-in data, on one page in results/gallery (minutes)
	lapmark gallery --to results/gallery

examples: $(READY) ## Run the notebooks in examples/, and keep what they print and draw (a minute)
	$(BIN)/python tests/helpers/notebooks.py

# The tests of a file share what it has made, and stay together.
test: $(READY) ## Run the tests, two files at a time
	pytest --numprocesses 2 --dist loadfile

# Another SEED draws other problems; what fails names its own.
SEED ?= 0
SECONDS ?= 3600

fuzz: $(READY) ## Hold random problems of every kind against exact referees, for an hour or SECONDS=…
	python -m tests.fuzz --seconds $(SECONDS) --seed $(SEED)

cliffs: $(READY) ## Look for costs that the default solver is slow on, for an hour or SECONDS=…
	python -m tests.fuzz.cliffs --seconds $(SECONDS) --seed $(SEED)

test-slow: $(READY) ## Run the tests that take longer, too
	pytest -m 'slow or not slow'

lint: $(READY) ## Check style and types
	ruff check .
	ruff format --check .
	mypy
	mypy --platform darwin
	python -m lapmark.reports.published --check
	clang-format --dry-run --Werror $(C_SOURCES)

format: $(READY) ## Mend style
	ruff check --fix .
	ruff format .
	clang-format -i $(C_SOURCES)

# The checks multiply the code: to optimise it further, or to describe its variables, takes minutes and finds no more.
sanitize: $(READY) ## Run the native tests under ASan and UBSan
	meson setup build/sanitize --reconfigure -Doptimization=1 -Dc_args=-g1 -Db_sanitize=address,undefined -Db_lundef=false -Dwerror=true >/dev/null
	ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1 meson test -C build/sanitize --print-errorlogs

# For every system that has wheels, by Clang of the package ziglang, which brings the C libraries of all of them. The tests
# of a target run where this machine can: on its own processor, else by the program after the colon, if it is installed.
CROSS = linux-aarch64 macos-aarch64 macos-x86_64 musl-aarch64 musl-x86_64 windows-x86_64
CROSS_RUN = musl-x86_64: musl-aarch64:qemu-aarch64 windows-x86_64:wine

cross: $(READY) ## Compile the native code and its tests for other systems, and run the tests under emulators
	$(BIN)/python -m pip install --quiet --disable-pip-version-check ziglang
	set -e; for target in $(CROSS); do \
	  echo "compiling for $$target"; \
	  meson setup build/cross/$$target --reconfigure --cross-file packaging/cross/$$target.ini --cross-file packaging/cross/zig.ini \
	    -Dextensions=false -Dwerror=true >/dev/null; \
	  ninja --quiet -C build/cross/$$target; \
	done
	set -e; for pair in $(CROSS_RUN); do \
	  target=$${pair%:*}; by=$${pair#*:}; \
	  if [ "$$by" ] && ! command -v $$by >/dev/null; then echo "no $$by: the tests for $$target do not run here"; continue; fi; \
	  for test in $$(find build/cross/$$target/tests/native -maxdepth 1 -type f -name 'test_*' ! -name '*.pdb'); do \
	    echo "$$test"; WINEDEBUG=-all $$by $$test; \
	  done; \
	done

# What a release builds and tests for every Python and system, for this one.
wheel_setting = $$($(BIN)/python -c 'import tomllib; value = tomllib.load(open("pyproject.toml", "rb"))["tool"]["cibuildwheel"]["$(1)"]; print(*value if isinstance(value, list) else [value])')

wheel: $(READY) ## Build the sdist and from it a wheel in dist/, and test the wheel in an environment of its own
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/python -m virtualenv --quiet --clear build/wheel
	build/wheel/bin/pip install --quiet --disable-pip-version-check dist/*.whl $(call wheel_setting,test-requires)
	PATH=$(CURDIR)/build/wheel/bin:$$PATH; $(call wheel_setting,test-command)

# To read it with its search, `mkdocs serve`: browsers run no search on pages from files.
docs: export NO_MKDOCS_2_WARNING = 1
docs: $(READY) ## Build the documentation as a site in build/site
	mkdocs build

# asv on the installed package, as it is; over commits, each in an environment of its own: see docs/history.md.
ASV_RUN = asv run --environment existing:$(BIN)/python --set-commit-hash $$(git rev-parse HEAD) --launch-method forkserver --show-stderr

# Where npm is not there, the site loads its scripts from the network, as asv makes it.
PUBLISH = asv publish && { python -m lapmark.bench.asv_benchmarks.asv_site .asv/html || true; }

advice: $(READY) ## Measure anew what `lapmark choose` rests on, and keep it in bench/advice/shipped_measurements.parquet (half an hour, continues)
	$(BIN)/python -m lapmark.bench.advice.measure results/advice
	$(BIN)/python -m lapmark.bench.advice.shipped_measurements results/advice

paper: $(READY) ## Measure what README and documents publish, and write their tables and chart (an hour or two, continues)
	python -m lapmark.reports.published

bench: $(READY) ## Track time, memory, gap and work with asv, and write its site to .asv/html (an hour or two)
	asv machine --yes
	$(ASV_RUN)
	$(PUBLISH)

bench-quick: export LAPMARK_BENCH_SIZES = 484
bench-quick: export LAPMARK_BENCH_LIMIT = 0.5
bench-quick: export LAPMARK_BENCH_PROBLEMS = tsne-grid,uniform
bench-quick: $(READY) ## The same on two families at one size, a sample each (minutes)
	asv machine --yes
	$(ASV_RUN) --quick
	$(PUBLISH)

clean: ## Remove the environment and what was built
	rm -rf $(VENV) build .asv
