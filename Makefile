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
TEST := --disable-xctest
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
	$(SWIFT) build --build-tests
	$(SWIFT) test $(TEST)

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
.PHONY: test-all test-levels test-heavy test-asan test-tsan test-odd test-training test-notebook
test-all: test test-levels test-heavy test-training test-notebook test-odd test-asan test-tsan ## test, at each CPU level, with sanitizers, large models, training, notebook, hostile files
	@echo "test-all: all parts passed, commit $$(git describe --always --dirty 2>/dev/null || echo unknown), $$(date -u +%F)"

# The same tests with the kernels held at each lower level that this CPU has; `make test` takes the highest.
test-levels: packages
	$(SWIFT) build --build-tests
	for level in scalar $$(grep -qw avx2 /proc/cpuinfo && echo avx2) $$(grep -qw avx512bw /proc/cpuinfo && echo avx512); do \
	    echo "== EMOTIOND_CPU_LEVEL=$$level"; \
	    EMOTIOND_CPU_LEVEL=$$level $(SWIFT) test --skip-build $(TEST); \
	done

# Full-size networks exported from PyTorch and Keras, compared with onnxruntime. Too large to commit.
test-heavy: packages training-venv Tests/Golden/.venv/ready
	$(SWIFT) build --build-tests
	training/.venv/bin/python Tests/Golden/make_goldens.py .build-heavy/torch --heavy
	EMOTIOND_HEAVY_MODELS=$(CURDIR)/.build-heavy/torch $(SWIFT) test --skip-build $(TEST) --filter InferenceTests
	Tests/Golden/.venv/bin/python Tests/Golden/make_goldens.py .build-heavy/keras --keras full
	EMOTIOND_HEAVY_MODELS=$(CURDIR)/.build-heavy/keras $(SWIFT) test --skip-build $(TEST) --filter InferenceTests

# LeakSanitizer is off: it reports leaks of the test runner itself. Own folders, so that the usual build stays as it is.
test-asan: packages
	ASAN_OPTIONS=detect_leaks=0 $(SWIFT) test $(TEST) --sanitize address --scratch-path .build-asan

test-tsan: packages
	$(SWIFT) test $(TEST) --sanitize thread --scratch-path .build-tsan

test-odd: build
	$(PYTHON) Tests/EndToEndTests/odd_inputs.py $(EMOTIOND)

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

.PHONY: install
install: ## copy binary, models, man page and completions below PREFIX (/usr/local)
	@test -x $(EMOTIOND) || { echo "Run make build first, as an ordinary user." >&2; exit 1; }
	install -D -m 755 $(EMOTIOND) $(DESTDIR)$(PREFIX)/bin/emotiond
	install -d $(DESTDIR)$(PREFIX)/share/emotiond/models
	install -m 644 Sources/emotiond/Models/*.onnx $(DESTDIR)$(PREFIX)/share/emotiond/models/
	if [ -e docs/man/emotiond.1 ]; then install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man1 docs/man/*.1; fi
	install -d $(DESTDIR)$(PREFIX)/share/{bash-completion/completions,zsh/site-functions,fish/vendor_completions.d}
	$(EMOTIOND) --generate-completion-script bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/emotiond
	$(EMOTIOND) --generate-completion-script zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_emotiond
	$(EMOTIOND) --generate-completion-script fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/emotiond.fish

# The man page comes from the argument definitions; it is committed, so that installing needs no plugin.
.PHONY: man
man: packages
	mkdir -p docs/man
	$(SWIFT) package --allow-writing-to-directory docs/man generate-manual --output-directory docs/man
