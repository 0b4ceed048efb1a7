# The front door: `make help` lists the doors.
# Every target installs the system packages it misses (asks first on a terminal; YES=1 does not ask).

CARGO ?= cargo
BIN = target/debug
FUZZ_TARGETS ?= luma code capture pass policy
FUZZ_SECONDS ?= 600
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
# libFuzzer's coverage, as `cargo fuzz` asks for it, in the toolchain that everything else is built with.
COVERAGE = -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
	-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 \
	-Cdebug-assertions=yes -Coverflow-checks=yes --cfg fuzzing

.DEFAULT_GOAL := help
# No target is a file.
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*/\1/p' $(firstword $(MAKEFILE_LIST)))

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install the system packages that are missing (Debian, Ubuntu, Raspberry Pi OS), and make what browsers are given
	@scripts/system-packages.sh
	@scripts/web.sh

build: setup ## Build the checkpoint, the registry and the phone simulator
	$(CARGO) build --workspace --locked

run: build ## See it work: a registry, a gate and a simulated phone (CAMERA=0 for a webcam)
	$(BIN)/tongguan-sim demo $(if $(CAMERA),--camera $(CAMERA)) $(ARGS)

test: setup ## Run every test: units, vectors, properties, end to end with the real programs, and the demo's walk
	$(CARGO) test --workspace --locked
	$(BIN)/tongguan-sim demo --once --screen none

pages: build ## Residents' pages in a real browser: phone and desk, both languages, with script and without; pictures in target/pages
	@scripts/system-packages.sh chromium fonts-noto-cjk
	@cd registry/web && BIN=$(BIN) node --test --test-concurrency=1 tests/*.test.mjs

simulate: setup ## Play cities with their gates under a perfect observer: make simulate SEEDS=1000 FROM=1 (a minute or two)
	@$(CARGO) build --workspace --locked
	$(BIN)/tongguan-simulate runs $(if $(SEEDS),--seeds $(SEEDS)) $(if $(FROM),--from $(FROM)) $(ARGS)

power-cut: setup ## Kill a gate at KILLS (500) random moments (SEED=1), and cut the power at every write of its databases
	KILLS=$(or $(KILLS),500) SEED=$(or $(SEED),1) $(CARGO) test --workspace --locked --test power_cut
	@$(CARGO) build --workspace --locked
	$(BIN)/tongguan-simulate power-cut $(ARGS)

soak: setup ## Eight hours of a busy gate with faults, as fast as it goes: no growth of memory, files or threads (MINUTES=480)
	@$(CARGO) build --workspace --locked
	MINUTES=$(or $(MINUTES),480) SOAK_PLOT=$(or $(PLOT),target/soak.svg) $(CARGO) test --workspace --locked --test soak

lint: setup ## Formatting and lints, warnings are errors
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	for dir in decode-bench fuzz; do (cd $$dir && $(CARGO) metadata --format-version 1 --locked >/dev/null) || exit 1; done

units: ## Hold the systemd units against systemd itself: no fault, and how little a gate's process may do
	@scripts/system-packages.sh systemd
	tests/units.sh

screens: setup ## Draw every state of the screen, both languages, three sizes, into target/screens (see its index-*.png)
	TONGGUAN_SCREENS=$(CURDIR)/target/screens $(CARGO) test --locked --lib screen::tests::states

# Where the buttons are, for the tests that touch a real screen.
places:
	@mkdir -p target/kiosk
	@TONGGUAN_PLACES=$(CURDIR)/target/kiosk/places.json $(CARGO) test --quiet --locked --lib screen::tests::places >target/kiosk/places.log \
		|| { cat target/kiosk/places.log; exit 1; }

window-test: build places ## A guard at the real window: PIN, override, no phone; pictures in target/window-test
	@scripts/system-packages.sh python3 qrencode xvfb xdotool
	BIN=$(BIN) tests/hardware/window.py

pi: ## Build the checkpoint for a 64-bit Raspberry Pi (PROFILE=dev: quick and large), with Debian's arm64 libraries in target/sysroot
	@scripts/system-packages.sh gcc-aarch64-linux-gnu libc6-dev-arm64-cross
	sysroot/pi.sh $(or $(PROFILE),release)

deb: pi ## The checkpoint as a Debian package for arm64, with its service: target/deb/*.deb (installs cargo-deb)
	$(CARGO) deb --version >/dev/null 2>&1 || $(CARGO) install --locked cargo-deb
	sysroot/deb.sh $(or $(PROFILE),release)

deb-test: build ## Install, upgrade, downgrade and purge the package in a fresh arm64 Debian (root, QEMU's user emulation)
	@scripts/system-packages.sh gcc-aarch64-linux-gnu libc6-dev-arm64-cross python3 qemu-user-static
	$(MAKE) deb PROFILE=$(or $(PROFILE),dev)
	BIN=$(BIN) tests/hardware/deb.py $(or $(PROFILE),dev)

kiosk-pi: build places ## The checkpoint on the bare screens of emulated arm64 machines: touch, a Pi of 1970, its relay
	@scripts/system-packages.sh gcc-aarch64-linux-gnu libc6-dev-arm64-cross device-tree-compiler cpio python3 qrencode
	sysroot/pi.sh dev
	BIN=$(BIN) tests/hardware/pi.py

hardware-test: build ## The checkpoint with a real camera driver and a relay, and their faults, in a VM (SHORT=1: one code, one pulse)
	@scripts/system-packages.sh gcc make cpio python3 qrencode xz-utils
	BIN=$(BIN) SHORT=$(SHORT) tests/hardware/vm.py

lane-bench: setup ## Measure what a lane costs beside a bare loop of nokhwa and rqrr, in the same VM (PROFILE=dev)
	@scripts/system-packages.sh gcc make cpio python3 qrencode xz-utils
	$(CARGO) build --profile $(or $(PROFILE),release) --locked --workspace
	BIN=target/$(if $(filter dev,$(PROFILE)),debug,$(or $(PROFILE),release)) MEASURE=1 tests/hardware/vm.py

bench: setup ## Measure what was promised: ratios in one run, the way from text to relay, that no frame takes new memory, and a day's traffic
	$(CARGO) build --release --locked -p tongguan-registry
	$(CARGO) bench --locked --bench promises --bench latency --bench allocations
	$(CARGO) bench --locked -p tongguan-simulate --bench traffic

screen-bench: setup ## Measure the screen: verdict to pixels, the CPU of the live preview, whether redrawing delays the gate (PROFILE=dev)
	@scripts/system-packages.sh xvfb xauth
	$(CARGO) build --profile $(or $(PROFILE),release) --locked -p tongguan-registry
	$(CARGO) test --profile $(or $(PROFILE),release) --locked --lib screen::tests::speed -- --nocapture
	xvfb-run -a -s "-screen 0 1280x720x24" $(CARGO) bench --profile $(or $(PROFILE),release) --locked --bench screen

bench-decode: ## Hold the decoder against zxing-cpp, rxing and rqrr on the same frames
	@scripts/system-packages.sh cmake g++
	cd decode-bench && $(CARGO) run --release --locked -- compare $(ARGS)

misreads: ## Look for misreads and panics of the decoder in frames of all kinds (ARGS='--fresh --frames 100000')
	@scripts/system-packages.sh cmake g++
	cd decode-bench && $(CARGO) run --release --locked -- misreads $(ARGS)

fuzz: ## Hostile frames, recordings, codes, lists and policies, FUZZ_SECONDS (600) each
	@scripts/system-packages.sh g++
	@cd fuzz && RUSTFLAGS="$(COVERAGE)" $(CARGO) build --release --locked --target $(HOST)
	@for target in $(FUZZ_TARGETS); do \
		echo "fuzz $$target for $(FUZZ_SECONDS) s; an input that fails is kept in fuzz/artifacts/$$target"; \
		mkdir -p fuzz/corpus/$$target fuzz/artifacts/$$target || exit 1; \
		fuzz/target/$(HOST)/release/$$target fuzz/corpus/$$target fuzz/seeds/$$target -artifact_prefix=fuzz/artifacts/$$target/ \
			-max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=4096 -max_len=65536 -print_final_stats=1 $(ARGS) >fuzz/artifacts/$$target.log 2>&1 \
			|| { tail -40 fuzz/artifacts/$$target.log; exit 1; }; \
		grep -E "stat::number_of_executed_units|DONE" fuzz/artifacts/$$target.log | tail -2; \
	done

vectors: ## Write the test vectors anew (after a change of the formats)
	UPDATE_VECTORS=1 $(CARGO) test -p tongguan-pass --test vectors

deny: ## Check the licences and sources of all dependencies (installs cargo-deny)
	$(CARGO) deny --version >/dev/null 2>&1 || $(CARGO) install --locked cargo-deny
	$(CARGO) deny check licenses bans sources
