# June: `make demo` grades HumanEval's own solutions, `make test` runs every test. Both set up what
# they need: in this clone, in the cache folder, and (only if something is missing) with apt.

SHELL := /bin/bash -euo pipefail
.DELETE_ON_ERROR:
.SUFFIXES:

cache  := $(or $(JUNE_CACHE),$(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME)/june,$(HOME)/.cache/june))
target := $(or $(CARGO_TARGET_DIR),target)
dist   := components/dist
guest  := components/runners/python
june   := $(target)/debug/june

# What `make` runs is recorded in this clone.
export JUNE_JOURNAL ?= $(CURDIR)/runs/journal

# Python environments, named by what is in them.
venv = $(cache)/python/$(1)-$(firstword $(shell sha256sum $(2) | cut -c1-12))
componentize := $(call venv,componentize,$(guest)/requirements.txt)
peers        := $(call venv,peers,benchmarks/benches/requirements.txt)
testing      := $(call venv,testing,tests/requirements.txt)
schemathesis := $(call venv,schemathesis,tests/api/requirements.txt)
transformers := $(call venv,transformers,tests/transformers/requirements.txt)

# The same for JavaScript: what builds guests, MCP servers whose tools the tests use, and what
# drives the review page in a browser.
modules = $(cache)/javascript/$(firstword $(shell sha256sum $(1)/package-lock.json | cut -c1-12))
node    := $(call modules,components/javascript)
servers := $(call modules,tests/mcp)
page    := $(call modules,tests/page)

# Guests in Rust, named by their folders.
strategies := $(patsubst components/strategies/%/Cargo.toml,%,$(wildcard components/strategies/*/Cargo.toml))
tools      := $(patsubst components/tools/%/Cargo.toml,%,$(wildcard components/tools/*/Cargo.toml))
tests      := $(patsubst tests/guests/%/Cargo.toml,%,$(wildcard tests/guests/*/Cargo.toml))
rust       := --profile guest --target wasm32-wasip2 \
	-p june-echo $(strategies:%=-p june-strategy-%) $(tools:%=-p june-tool-%) \
	$(tests:%=-p june-test-%)
built      := $(target)/wasm32-wasip2/guest

# One set of features for everything, so that it is all built once.
workspace := --workspace --features june/voice-channels

.PHONY: demo test test-transformers sanitize bench components setup lint clean

demo: $(dist)/python.wasm
	cargo build $(workspace)
	$(june) dataset pull humaneval --python $(componentize)/bin/python
	$(june) doctor
	$(june) eval humaneval --reference

# Tests run the built binary, so it is built first. nextest is quicker, and not needed.
test: components $(servers)/done $(page)/done $(testing)/done $(schemathesis)/done
	./setup --tests
	cargo build $(workspace)
	export JUNE_TEST_MCP_SERVERS=$(servers) JUNE_TEST_PAGE=$(page) \
		JUNE_TEST_PYTHON=$(testing)/bin/python JUNE_TEST_SCHEMATHESIS=$(schemathesis)/bin/python; \
	if cargo nextest --version >/dev/null 2>&1; then cargo nextest run $(workspace); \
	else cargo test $(workspace) --lib --bins --tests; fi
	cargo test $(workspace) --doc

# A second model server, of 6 GB: on request only.
test-transformers: $(transformers)/done
	export JUNE_TEST_TRANSFORMERS=$(transformers)/bin/python; \
	cargo test -p june-models --test openai transformers

# The bridge to TensorRT-LLM under sanitizers, which compile what it needs anew: on request only.
sanitize:
	host/trtllm/testing/sanitize address
	host/trtllm/testing/sanitize thread

lint:
	cargo fmt --check
	cargo clippy $(workspace) --all-targets -- -D warnings
	cargo clippy $(rust) -- -D warnings

# June and other graders, in turn, on HumanEval's own solutions.
bench: components $(peers)/done
	cargo build $(workspace)
	cargo bench --profile dev $(workspace) --bench instance
	cargo bench --profile dev $(workspace) --bench journal
	cargo bench --profile dev $(workspace) --bench agent
	cargo bench --profile dev $(workspace) --bench conversations
	cargo bench --profile dev $(workspace) --bench search
	python3 benchmarks/benches/against_peers.py --june $(june) --python $(peers)/bin/python \
		--dataset-file "$$($(june) dataset pull humaneval --python $(peers)/bin/python)" $(BENCH)

components: $(dist)/python.wasm $(dist)/echo.wasm $(tests:%=$(dist)/tests/%.wasm) $(strategies:%=$(dist)/strategies/%.wasm) \
	$(tools:%=$(dist)/tools/%.wasm) \
	$(foreach language,python js,$(dist)/strategies/direct-$(language).wasm $(dist)/tools/words-$(language).wasm)

# CPython, snapshotted with the runner in it, then flattened into one core module.
$(dist)/python.wasm: $(wildcard $(guest)/*.py wit/*.wit components/flatten/src/*.rs) \
		components/flatten/Cargo.toml Cargo.lock $(componentize)/done
	mkdir -p $(dist)
	cargo build $(workspace)
	cd $(guest) && PYTHONDONTWRITEBYTECODE=1 $(componentize)/bin/componentize-py \
		--wit-path ../../../wit --world runner componentize app --output $(CURDIR)/$@.linked
	$(target)/debug/june-flatten --immortal $@.linked -o $@
	rm $@.linked

# All guests in Rust at once, for one build of what they are built with.
$(dist)/echo.wasm $(tests:%=$(dist)/tests/%.wasm) $(strategies:%=$(dist)/strategies/%.wasm) $(tools:%=$(dist)/tools/%.wasm) &: \
		$(shell find components/{sdk,strategies,tools,runners/echo} tests/guests -name '*.rs' -o -name '*.md' -o -name Cargo.toml) \
		$(wildcard wit/*.wit) Cargo.toml Cargo.lock | setup
	mkdir -p $(dist)/strategies $(dist)/tools $(dist)/tests
	cargo build $(rust)
	cp $(built)/june_echo.wasm $(dist)/echo.wasm
	for name in $(strategies); do cp $(built)/june_strategy_$$name.wasm $(dist)/strategies/$$name.wasm; done
	for name in $(tools); do cp $(built)/june_tool_$$name.wasm $(dist)/tools/$$name.wasm; done
	for name in $(tests); do cp $(built)/june_test_$${name//-/_}.wasm $(dist)/tests/$$name.wasm; done

# Guests in Python and JavaScript are the templates for new ones, so these are known to work.
templates := components/templates
$(dist)/strategies/%: world := strategy
$(dist)/tools/%: world := tool
source = $(filter $(templates)/%,$^)
named = mkdir -p $@.source && sed 's/{{name}}/$(basename $(@F))/' $(source) >$@.source/$(notdir $(source))

$(dist)/strategies/direct-python.wasm: $(templates)/python-strategy/app.py
$(dist)/tools/words-python.wasm: $(templates)/python-tool/app.py
$(dist)/strategies/direct-python.wasm $(dist)/tools/words-python.wasm: \
		$(wildcard wit/*.wit) $(componentize)/done
	$(named)
	$(componentize)/bin/componentize-py --wit-path wit --world $(world) componentize \
		--python-path $@.source app --output $@
	rm -r $@.source

$(dist)/strategies/direct-js.wasm: $(templates)/js-strategy/component.js
$(dist)/tools/words-js.wasm: $(templates)/js-tool/component.js
$(dist)/strategies/direct-js.wasm $(dist)/tools/words-js.wasm: $(wildcard wit/*.wit) $(node)/done
	$(named)
	$(node)/node_modules/.bin/componentize-js $@.source/component.js --wit wit \
		--world-name $(world) --disable http fetch-event --out $@
	rm -r $@.source

# Which tools are there; what is missing is installed where that can be done, else named.
setup:
	@./setup

$(componentize)/done: $(guest)/requirements.txt | setup
$(peers)/done: benchmarks/benches/requirements.txt | setup
$(testing)/done: tests/requirements.txt | setup
$(schemathesis)/done: tests/api/requirements.txt | setup
$(transformers)/done: tests/transformers/requirements.txt | setup
$(componentize)/done $(peers)/done $(testing)/done $(schemathesis)/done $(transformers)/done:
	@echo "making the Python environment $(@D)"
	rm -rf $(@D)
	python3 -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--only-binary :all: --no-deps -r $<
	touch $@

$(node)/done: components/javascript/package.json components/javascript/package-lock.json
$(servers)/done: tests/mcp/package.json tests/mcp/package-lock.json
$(page)/done: tests/page/package.json tests/page/package-lock.json
$(node)/done $(servers)/done $(page)/done:
	./setup --javascript
	@echo "making the JavaScript environment $(@D)"
	rm -rf $(@D)
	mkdir -p $(@D)
	cp $^ $(@D)
	cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

clean:
	rm -rf $(target) $(dist)
