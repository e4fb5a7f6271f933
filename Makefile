# Every target does its own set-up: on Debian 12, `make` and git are all that must be there before.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
PRESET ?= release
TRANSACTIONS ?= ../shared/data/fraud/transactions.parquet
DEPS := $(shell scripts/setup.sh --where)
PYTHON := $(DEPS)/venv/bin/python
CONFIGURE = cmake --preset $(1) >/dev/null
SOURCES = git ls-files -co --exclude-standard -- 'src/*.h' 'src/*.cc' 'include/*.h' 'bench/*.cc' 'tests/*.h' 'tests/*.cc' 'examples/*.cc'

.DEFAULT_GOAL := help
.PHONY: help setup build demo test test-room test-clients bench verify soak fuzz format check-format check-includes check-style clean

help: ## print this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install dependencies (system packages, .deps/)
	@scripts/setup.sh

build: setup ## release build: build/release/tidemill
	@$(call CONFIGURE,release)
	@cmake --build --preset release -j $(JOBS) --target tidemill

demo: build ## the fraud example, live, with a summary at the end
	@examples/fraud/demo.sh

test: ## everything: unit tests (also under sanitizers), SQL cases, end-to-end tests, kill -9
	@scripts/test.sh

test-room: setup ## unit tests of one room: make test-room ROOM=sql [PRESET=debug] [FILTER=Parser*]
	@test -n "$(ROOM)" || { echo "say which room: make test-room ROOM=sql" >&2; exit 2; }
	@$(call CONFIGURE,$(PRESET))
	@cmake --build --preset $(PRESET) -j $(JOBS) --target $(ROOM)_tests
	@build/$(PRESET)/$(ROOM)_tests $(if $(FILTER),--gtest_filter='$(FILTER)')

test-clients: build ## what `make test` leaves out: JVM, Go and JavaScript clients, and all clients against a real Apache Kafka too (minutes)
	@scripts/setup_clients.sh
	@cmake --build --preset release -j $(JOBS) --target wire_codec_tool
	@$(PYTHON) -m pytest tests/wire tests/e2e/test_kafka_connector.py --server kafka
	@$(PYTHON) -m pytest tests/clients --server both
	@$(PYTHON) -m pytest tests/e2e/test_pubsub.py --clients

bench: build ## build and run the benchmarks; BENCH=log runs one
	@cmake --build --preset release -j $(JOBS) --target $(if $(BENCH),bench_$(BENCH),bench)
	@if [ -x bench/run.sh ]; then bench/run.sh $(BENCH); \
	 else for program in build/release/bench_$(or $(BENCH),*); do echo "== $${program##*/}"; $$program || exit 1; done; fi

verify: build ## compare every feature with pandas: TRANSACTIONS=FILE, by default the published set (minutes)
	@test -f $(TRANSACTIONS) || { echo "no $(TRANSACTIONS): say TRANSACTIONS=FILE (examples/fraud/generate.py makes one)" >&2; exit 2; }
	@rm -rf build/verify
	@build/release/tidemill run examples/fraud/fraud.sql -D transactions=$(TRANSACTIONS) -D out=build/verify
	@$(PYTHON) examples/fraud/verify.py --transactions $(TRANSACTIONS) --features build/verify/features --scored build/verify/scored

soak: build ## long runs with crashes in them: SOAK_KILLS (50), SOAK_ROUNDS (1), SOAK_EVENTS (200000)
	@tests/chaos/soak.sh

fuzz: setup ## fuzz whatever reads outside input, FUZZ_SECONDS each
	@tests/fuzz/run.sh

format: ## lay out the C++ sources with clang-format
	@$(SOURCES) | xargs -r clang-format-14 -i

check-format: ## name the files that clang-format would change
	@python3 scripts/check_format.py

check-includes: ## rooms include only the rooms above them
	@python3 scripts/check_includes.py

check-style: ## file length and names
	@python3 scripts/check_style.py

clean: ## remove build folders (dependencies stay)
	rm -rf build
