# What can be done here. Each target first installs what it needs and this machine lacks: infra/setup/install.
# ARGS goes to the command behind, as in: make demo ARGS=photo.jpg, make flows ARGS=inbox_to_quarantine

# Tools are kept here, outside the clone, so that the next clone finds them.
export VESTIBULE_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/vestibule
# Python's virtual environments are called after what is in them: for the linters, and for what we check in Python ourselves.
venv = $(VESTIBULE_CACHE)/$(1)-$(firstword $(shell cat $(2) | cksum))
export LINT_VENV := $(call venv,lint,infra/lint/requirements.txt)
export CHECK_VENV := $(call venv,check,tests/independent/requirements.txt fixtures/requirements.txt)
export BENCH_VENV := $(call venv,bench,bench/requirements.txt)
export CORPUS_VENV := $(call venv,corpus,tests/corpus/requirements.txt)
export BENCH_PHOTOS := $(VESTIBULE_CACHE)/photos
export INDEPENDENT_PYTHON := $(CHECK_VENV)/bin/python
export PATH := $(VESTIBULE_CACHE)/tools/bin:$(PATH)

# What can be left out of a build, and what is left with one of them out: films' poster needs what reads films.
codecs := audio avif h264 heic jxl pdf text video
all_but = $(filter-out $(1) $(if $(filter video,$(1)),h264),$(codecs))
vestibule := $(or $(CARGO_TARGET_DIR),target)/debug/vestibule
lint := $(LINT_VENV)/bin
# There are no examples to build, but asking for them makes Cargo choose the same features of dependencies as for tests, and
# so compile them once for everything here.
as_for_tests := --examples
SOAK_SECONDS ?= 600
# Nothing but packages from npm's registry is fetched, and no package's script is run on this machine.
npm := npm_config_ignore_scripts=true npm --no-update-notifier
page_sources := web/index.html web/vite.config.js web/package.json $(shell find web/src web/styles web/public -type f)
shell_scripts := .ci/run infra/lint/layers infra/setup/install

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo dev page test units without features flows soak corpus sample fuzz test-web bench lint format binaries tests

help: ## Say what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: binaries ## Run the main job once, on real files, in a local cloud, and print what happened
	$(vestibule) demo $(ARGS)

dev: binaries page ## Start the local cloud with everything in it, until Ctrl-C
	$(vestibule) dev $(ARGS)

binaries: install-build
	cargo build --workspace --bins $(as_for_tests) --locked

page: web/dist/index.html ## Build the chat page: static files in web/dist

web/dist/index.html: $(page_sources) web/node_modules/.package-lock.json
	$(npm) run --prefix web build

# npm writes this file last, and keeps what it fetches outside the clone.
%/node_modules/.package-lock.json: %/package-lock.json %/package.json | install-page
	cd $* && $(npm) ci --no-audit --no-fund --loglevel=error
	@touch $@

test: units without sample flows test-web ## Run every test: of the parts, then of the whole system in a local cloud, then in a browser

units: tests ## Run the tests of the parts
	cargo nextest run --workspace --locked $(ARGS)

corpus: binaries install-corpus ## Examine strangers' files, fetched from the registries, and compare the verdicts: ARGS=--update
	$(CORPUS_VENV)/bin/python tests/corpus/run.py --vestibule $(vestibule) $(ARGS)

sample: binaries install-corpus
	$(CORPUS_VENV)/bin/python tests/corpus/run.py --vestibule $(vestibule) --sample

# Each file of the fixtures is decided with all features by `units`. Here it is in a build with none.
without: tests
	cargo test --package vestibule-media --no-default-features --locked --test fixtures --quiet

# The same for all builds with one feature less: they take minutes.
features: $(addprefix test-without-,$(codecs)) ## Decide the fixtures in builds that leave out one codec each

test-without-%: install-test
	cargo test --package vestibule-media --no-default-features --features "$(call all_but,$*)" --locked --test fixtures --quiet

# They start and stop their local cloud themselves, one for all of them: .config/nextest.toml leaves them to Cargo.
flows: tests ## Run the tests of the whole system
	cargo test --workspace --locked --test flows $(if $(ARGS),-- $(ARGS))

soak: tests install-fuzz ## Fuzz, then run faults in pairs and random interleavings, for SOAK_SECONDS each; large loads once; break the protocol to see it noticed
	tests/fuzz/run.py --seconds $(SOAK_SECONDS)
	LONG_FLOWS=1 SOAK_SECONDS=$(SOAK_SECONDS) cargo test --workspace --locked --test flows $(if $(ARGS),-- $(ARGS))
	tests/mutants/run.py

# Every parser of strangers' bytes, in turn: tests/fuzz.
fuzz: install-fuzz ## Fuzz what reads strangers' bytes, for SOAK_SECONDS in all: ARGS=probe
	tests/fuzz/run.py --seconds $(SOAK_SECONDS) $(ARGS)

test-web: binaries page tests/web/node_modules/.package-lock.json tests/uppy/node_modules/.package-lock.json install-web ## Run the tests in a browser: of the chat page, and of Uppy's published clients
	VESTIBULE_BIN=$(abspath $(vestibule)) $(npm) test --prefix tests/web
	VESTIBULE_BIN=$(abspath $(vestibule)) $(npm) test --prefix tests/uppy

bench: install-bench bench/node_modules/.package-lock.json ## Measure thumbnails beside libvips and sharp, from the same pictures in one run: ARGS="--case png --rounds 9"
	cargo build --release --package vestibule-bench $(if $(findstring --no-flow,$(ARGS)),--no-default-features,--package vestibule-inspect) --locked
	$(BENCH_VENV)/bin/python bench/quality.py --check
	$(BENCH_VENV)/bin/python bench/run.py $(ARGS)

tests: install-test
	cargo build --workspace --all-targets --locked

lint: lint-format lint-scripts lint-web lint-spelling lint-template lint-fixtures lint-dependencies lint-code lint-docs ## Check all that needs no run

lint-format: install-lint
	cargo fmt --all --check
	$(lint)/ruff format --check --config infra/lint/ruff.toml .

lint-scripts: install-lint
	$(lint)/shellcheck $(shell_scripts)
	$(lint)/ruff check --config infra/lint/ruff.toml .
	tests/mutants/run.py --check

lint-web: web/node_modules/.package-lock.json install-page
	$(npm) run --prefix web lint

lint-spelling: install-lint
	$(lint)/typos

lint-template: install-lint
	$(lint)/cfn-lint infra/template.yaml
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-central-1 $(lint)/sam validate --lint --template infra/template.yaml

# What is committed is what the code beside it makes.
lint-fixtures: install-lint
	$(INDEPENDENT_PYTHON) fixtures/generate.py --check
	$(INDEPENDENT_PYTHON) common/jpeg-scaled/tests/corpus/generate.py --check

# Advisories are not checked: their database is fetched from the network at every run, and CI has only package registries.
lint-dependencies: install-lint
	cargo deny --workspace check --hide-inclusion-graph bans licenses sources
	cargo machete --with-metadata
	infra/lint/layers

lint-code: install-lint $(addprefix lint-without-,$(codecs))
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy --package vestibule-media --all-targets --no-default-features --locked -- -D warnings

lint-without-%: install-lint
	cargo clippy --package vestibule-media --all-targets --no-default-features --features "$(call all_but,$*)" --locked -- -D warnings

lint-docs: install-lint
	RUSTDOCFLAGS='-D warnings -A rustdoc::private-intra-doc-links' \
		cargo doc --workspace --lib $(as_for_tests) --no-deps --document-private-items --locked

format: install-lint ## Put the code into its usual shape
	cargo fmt --all
	$(lint)/ruff format --config infra/lint/ruff.toml .

install-%:
	@infra/setup/install $*
