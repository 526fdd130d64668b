# The words of this project. `make` alone lists them; each can be repeated and does only what is left to do.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

SWIFT ?= swift
PYTHON ?= python3
PREFIX ?= /usr/local
DESTDIR ?=
# Test data outside the repository; tests that need it are skipped where it is absent.
EMOTIOND_TEST_DATA ?= ../shared
export SWIFT EMOTIOND_TEST_DATA

EMOTIOND := .build/release/emotiond
RELEASE := --configuration release --static-swift-stdlib --product emotiond
# Tests are all Swift Testing; without this an empty XCTest run comes first.
TEST := --disable-xctest --skip-build
# Not --build-tests, which also builds every tool of every plugin: protoc alone is half an hour.
# In groups, since a test that waits holds one of the few threads of Swift's pool, and others need them to answer.
WAITING := WebTests|WorkersTests|DaemonTests|LedgerTests|IntakeTests|PipelineTests|EndToEndTests
define RUN_TESTS
	$(2) $(SWIFT) test $(TEST) $(1) --skip '$(WAITING)'
	$(2) $(SWIFT) test $(TEST) $(1) --filter 'WebTests'
	$(2) $(SWIFT) test $(TEST) $(1) --filter 'WorkersTests|DaemonTests|LedgerTests|IntakeTests'
	$(2) $(SWIFT) test $(TEST) $(1) --filter 'PipelineTests'
	$(2) $(SWIFT) test $(TEST) $(1) --filter 'EndToEndTests'
endef
define BUILD_TESTS
	$(SWIFT) build $(1) --product emotiond
	$(SWIFT) build $(1) --product LedgerCrash
	$(SWIFT) build $(1) --product emotiondPackageTests
endef
PYTHON_FILES = $(shell git ls-files '*.py' 2>/dev/null)
SWIFT_PLACES := Package.swift Sources Tests

.PHONY: help
help: ## list these words
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

.PHONY: packages
packages:
	@.ci/install-packages

.PHONY: build
build: packages ## install what is missing and build the release binary
	$(SWIFT) build $(RELEASE)

.PHONY: test
test: packages ## install what is missing, build, run all tests
	$(call BUILD_TESTS)
	$(call RUN_TESTS)
	$(PYTHON) Tests/Service/faults.py --emotiond .build/debug/emotiond --data $(EMOTIOND_TEST_DATA) --quick

.PHONY: demo
demo: build ## analyse samples/ad.mp4 and say where the results are
	@$(EMOTIOND) --file samples/ad.mp4 --out emotiond-results
	@echo
	@echo "Results in emotiond-results/ad.mp4:"
	@echo "  timeline.csv   a row per face and frame     column -s, -t < emotiond-results/ad.mp4/timeline.csv | less -S"
	@echo "  summary.csv    a row per face               column -s, -t < emotiond-results/ad.mp4/summary.csv | less -S"
	@echo "  annotated.mp4  the clip with what was found: open it in any player, for example: mpv emotiond-results/ad.mp4/annotated.mp4"
	@echo "  run.json       settings, counts, timing     less emotiond-results/ad.mp4/run.json"
	@echo "What the columns mean: docs/output.md. To analyse your own: $(EMOTIOND) --file PATH"

# Everything heavy. The parts can be called one by one.
.PHONY: test-all test-levels test-heavy test-asan test-tsan test-odd test-training test-notebook test-faults test-dashboard
test-all: test test-levels test-heavy test-training test-notebook test-odd test-faults test-dashboard test-asan test-tsan ## test, and all that is heavy: CPU levels, sanitizers, large models, training, faults, dashboard
	@echo "test-all: all parts passed, commit $$(git describe --always --dirty 2>/dev/null || echo unknown), $$(date -u +%F)"

# The same tests with the kernels held at each lower level that this CPU has; `make test` takes the highest.
test-levels: packages
	$(call BUILD_TESTS)
	for level in scalar $$(grep -qw avx2 /proc/cpuinfo && echo avx2) $$(grep -qw avx512bw /proc/cpuinfo && echo avx512); do \
	    echo "== EMOTIOND_CPU_LEVEL=$$level"; \
	    EMOTIOND_CPU_LEVEL=$$level $(SWIFT) test $(TEST); \
	done

# Full-size networks exported from PyTorch and Keras, compared with onnxruntime. Too large to commit.
test-heavy: packages training-venv Tests/Golden/.venv/ready
	$(call BUILD_TESTS)
	training/.venv/bin/python Tests/Golden/make_goldens.py .build-heavy/torch --heavy
	EMOTIOND_HEAVY_MODELS=$(CURDIR)/.build-heavy/torch $(SWIFT) test $(TEST) --filter InferenceTests
	Tests/Golden/.venv/bin/python Tests/Golden/make_goldens.py .build-heavy/keras --keras full
	EMOTIOND_HEAVY_MODELS=$(CURDIR)/.build-heavy/keras $(SWIFT) test $(TEST) --filter InferenceTests

# LeakSanitizer is off: it reports leaks of the test runner itself. Own folders, so that the usual build stays as it is.
test-asan: packages
	$(call BUILD_TESTS,--sanitize address --scratch-path .build-asan)
	$(call RUN_TESTS,--sanitize address --scratch-path .build-asan,ASAN_OPTIONS=detect_leaks=0)

test-tsan: packages
	$(call BUILD_TESTS,--sanitize thread --scratch-path .build-tsan)
	$(call RUN_TESTS,--sanitize thread --scratch-path .build-tsan)

test-odd: build
	$(PYTHON) Tests/EndToEndTests/odd_inputs.py $(EMOTIOND)

# Kills, full disks, frozen workers, clock steps and the rest, done to a real service: minutes to an hour.
# FAULTS="--only disk-full --keep DIR" passes options.
test-faults: build
	.ci/install-packages faults
	$(PYTHON) Tests/Service/faults.py --emotiond $(EMOTIOND) --data $(EMOTIOND_TEST_DATA) $(FAULTS)

# The dashboard in a real browser; pictures of it in .build-dashboard.
test-dashboard: build
	.ci/install-packages dashboard
	$(SWIFT) build --product WebDemo
	$(EMOTIOND) --file samples/ad.mp4 samples/astronaut.jpg --out .build-dashboard/results
	$(PYTHON) -m venv .build-dashboard/venv
	.build-dashboard/venv/bin/pip install --quiet --requirement Tests/Browser/requirements.txt
	.build-dashboard/venv/bin/python Tests/Browser/dashboard.py --demo .build/debug/WebDemo --video .build-dashboard/results/ad.mp4 \
	    --picture .build-dashboard/results/astronaut.jpg --screenshots .build-dashboard
	.build-dashboard/venv/bin/python Tests/Browser/service.py --emotiond $(EMOTIOND) --screenshots .build-dashboard

test-training: training-venv
	$(MAKE) --no-print-directory -C training test

# samples/emotiond.ipynb from first cell to last; `samples/run_notebook.py --write` keeps its new outputs.
test-notebook: build samples/.venv/ready
	EMOTIOND=$(EMOTIOND) samples/.venv/bin/python -B samples/run_notebook.py

.PHONY: lint
lint: ## check the style of Swift, shell and Python files
	$(SWIFT) format lint --strict --recursive $(SWIFT_PLACES)
	for script in .ci/run .ci/install-packages; do bash -n $$script; done
	$(PYTHON) -c 'import ast, sys; [ast.parse(open(name).read(), name) for name in sys.argv[1:]]' $(PYTHON_FILES)

.PHONY: format
format: ## rewrite Swift files in the project's style
	$(SWIFT) format --in-place --recursive $(SWIFT_PLACES)

.PHONY: golden
golden: packages training-venv ## record the golden files again (this fails on purpose: review the diff)
	training/.venv/bin/python Tests/Golden/make_goldens.py Tests/Golden/models
	EMOTIOND_RECORD_GOLDENS=1 $(SWIFT) test $(TEST) || true
	@git --no-pager diff --stat -- Tests/Golden
	@echo "Goldens recorded. A run that records proves nothing: review the diff, then run make test." && exit 1

.PHONY: bench
bench: build Tests/Benchmarks/.venv/ready ## measure beside a plain Python pipeline (BENCH="--repeats 5 --only speed" passes options)
	$(PYTHON) Tests/Benchmarks/bench.py --emotiond $(EMOTIOND) --python Tests/Benchmarks/.venv/bin/python $(BENCH)

.PHONY: bench-service
bench-service: build ## measure the service: throughput, latency, start, idle cost (BENCH="--only latency")
	$(PYTHON) Tests/Service/bench.py --emotiond $(EMOTIOND) $(BENCH)

.PHONY: serve-demo
serve-demo: build ## run the service on a temporary folder with the samples; Ctrl-C ends it
	@folder=$$(mktemp -d --suffix=-emotiond-demo); mkdir "$$folder/incoming"; \
	cp samples/ad.mp4 samples/astronaut.jpg samples/two_people.png "$$folder/incoming/"; \
	echo "Drop files into $$folder/incoming; results come in $$folder/results."; \
	echo "Open the link below to watch it; Ctrl-C ends it."; \
	exec $(EMOTIOND) serve --root "$$folder" --set watch.quiet=1s

.PHONY: training-venv
training-venv:
	.ci/install-packages bench
	$(MAKE) --no-print-directory -C training venv

# Python environments, each from its pinned list.
Tests/Benchmarks/.venv/ready: Tests/Benchmarks/requirements.txt
Tests/Golden/.venv/ready: Tests/Golden/requirements.txt
samples/.venv/ready: samples/requirements.txt
%/.venv/ready:
	.ci/install-packages bench
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --requirement $(@D)/../requirements.txt
	touch $@

.PHONY: install install-service
install: ## copy binary, models, man page and completions below PREFIX (/usr/local); as root also the service
	@test -x $(EMOTIOND) || { echo "Run make build first, as an ordinary user." >&2; exit 1; }
	install -D -m 755 $(EMOTIOND) $(DESTDIR)$(PREFIX)/bin/emotiond
	install -d $(DESTDIR)$(PREFIX)/share/emotiond/models
	install -m 644 Sources/emotiond/Models/*.onnx $(DESTDIR)$(PREFIX)/share/emotiond/models/
	if [ -e docs/man/emotiond.1 ]; then install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man1 docs/man/*.1; fi
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/emotiond docs/operations.md docs/output.md docs/streams.md
	install -d $(DESTDIR)$(PREFIX)/share/{bash-completion/completions,zsh/site-functions,fish/vendor_completions.d}
	$(EMOTIOND) --generate-completion-script bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/emotiond
	$(EMOTIOND) --generate-completion-script zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_emotiond
	$(EMOTIOND) --generate-completion-script fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/emotiond.fish
	if [ "$$(id -u)" = 0 ] || [ -n "$(DESTDIR)" ]; then $(MAKE) --no-print-directory install-service; fi

# Unit, user, folders, configuration, token. A configuration or token that is there stays.
install-service:
	install -d $(DESTDIR)/etc/systemd/system $(DESTDIR)/usr/lib/sysusers.d $(DESTDIR)/usr/lib/tmpfiles.d $(DESTDIR)/etc/emotiond
	sed 's#/usr/local/#$(PREFIX)/#g' systemd/emotiond.service > $(DESTDIR)/etc/systemd/system/emotiond.service
	install -m 644 systemd/emotiond.sysusers $(DESTDIR)/usr/lib/sysusers.d/emotiond.conf
	install -m 644 systemd/emotiond.tmpfiles $(DESTDIR)/usr/lib/tmpfiles.d/emotiond.conf
	install -D -m 644 systemd/emotiond-streams.conf $(DESTDIR)$(PREFIX)/share/doc/emotiond/emotiond-streams.conf
	if [ ! -e $(DESTDIR)/etc/emotiond/emotiond.yaml ]; then install -m 644 systemd/emotiond.yaml $(DESTDIR)/etc/emotiond/emotiond.yaml; fi
	if [ ! -e $(DESTDIR)/etc/emotiond/token ]; then \
	    (umask 077; od -An -tx1 -N32 /dev/urandom | tr -d ' \n' > $(DESTDIR)/etc/emotiond/token); fi
	if [ -z "$(DESTDIR)" ] && command -v systemd-sysusers >/dev/null; then systemd-sysusers && systemd-tmpfiles --create emotiond.conf; fi
	@echo "Next: systemctl daemon-reload && systemctl enable --now emotiond"

# The man page comes from the argument definitions; it is committed, so that installing needs no plugin.
.PHONY: man
man: packages
	mkdir -p docs/man
	$(SWIFT) package --allow-writing-to-directory docs/man generate-manual --output-directory docs/man
