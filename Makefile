# The front door: `make help` lists the doors.
# Every target installs the system packages it misses (asks first on a terminal; YES=1 does not ask).

CARGO ?= cargo
BIN = target/debug
FUZZ_TARGETS ?= luma code capture pass
FUZZ_SECONDS ?= 60

.DEFAULT_GOAL := help
.PHONY: help setup build run test lint screens bench decode-tools bench-decode misreads fuzz power-cut vectors deny

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install the system packages that are missing (Debian, Ubuntu, Raspberry Pi OS)
	@scripts/system-packages.sh

build: setup ## Build the checkpoint, the registry and the phone simulator
	$(CARGO) build --workspace --locked

run: build ## See it work: a registry, a gate and a simulated phone (CAMERA=0 for a webcam)
	$(BIN)/tongguan-sim demo $(if $(CAMERA),--camera $(CAMERA)) $(ARGS)

test: setup ## Run every test: units, vectors, properties, end to end with the real programs, and the demo's walk
	$(CARGO) test --workspace --locked
	$(BIN)/tongguan-sim demo --once --screen none

lint: setup ## Formatting and lints, warnings are errors
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	for dir in decode-bench fuzz; do (cd $$dir && $(CARGO) metadata --format-version 1 --locked >/dev/null) || exit 1; done

screens: setup ## Draw every state of the screen, both languages, three sizes, into target/screens (see its index-*.png)
	TONGGUAN_SCREENS=$(CURDIR)/target/screens $(CARGO) test --locked --lib screen::tests::states

bench: setup ## Measure what was promised: ratios in one run, the way from text to relay, and that no frame takes new memory
	$(CARGO) build --release --locked -p tongguan-registry
	$(CARGO) bench --locked --bench promises --bench latency --bench allocations

decode-tools:
	@command -v cmake >/dev/null && command -v g++ >/dev/null || { echo "Install cmake and g++ first: apt-get install cmake g++" >&2; exit 1; }

bench-decode: setup decode-tools ## Hold the decoder against zxing-cpp, rxing and rqrr on the same frames (needs cmake and g++)
	cd decode-bench && $(CARGO) run --release --locked -- compare $(ARGS)

misreads: setup decode-tools ## Look for misreads and panics of the decoder in frames of all kinds (ARGS='--fresh --frames 100000')
	cd decode-bench && $(CARGO) run --release --locked -- misreads $(ARGS)

fuzz: setup ## Hostile frames, recordings, codes and lists, FUZZ_SECONDS (60) each (installs cargo-fuzz and nightly Rust)
	@$(CARGO) fuzz --version >/dev/null 2>&1 || { echo "Installing cargo-fuzz."; $(CARGO) install --locked cargo-fuzz; }
	@$(CARGO) +nightly --version >/dev/null 2>&1 || { command -v rustup >/dev/null || { echo "make fuzz needs nightly Rust: get rustup from https://rustup.rs" >&2; exit 1; }; echo "Installing nightly Rust."; rustup toolchain install nightly --profile minimal; }
	@for target in $(FUZZ_TARGETS); do \
		echo "fuzz $$target for $(FUZZ_SECONDS) s; an input that fails is kept in fuzz/artifacts/$$target"; \
		mkdir -p fuzz/corpus/$$target fuzz/seeds/$$target || exit 1; \
		$(CARGO) +nightly fuzz run $$target fuzz/corpus/$$target fuzz/seeds/$$target -- -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=4096 -max_len=65536 $(ARGS) || exit 1; \
	done

power-cut: setup ## Kill a gate at KILLS (500) random moments while it opens and syncs, and look what is left (SEED=1)
	KILLS=$(or $(KILLS),500) SEED=$(or $(SEED),1) $(CARGO) test --workspace --locked --test power_cut

vectors: ## Write the test vectors anew (after a change of the formats)
	UPDATE_VECTORS=1 $(CARGO) test -p tongguan-pass --test vectors

deny: ## Check the licences and sources of all dependencies (installs cargo-deny)
	$(CARGO) deny --version >/dev/null 2>&1 || $(CARGO) install --locked cargo-deny
	$(CARGO) deny check licenses bans sources
