# SPDX-License-Identifier: Apache-2.0
# A thin face over CMake and Ninja; build/<preset> holds everything that is made.
PRESET ?= release
BUILD  := build/$(PRESET)
JOBS   ?= $(shell nproc)
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60

.PHONY: all demo test check bench onnx-conformance swap-check zoo-check trees-check wheel
.PHONY: lint format install uninstall clean
all: $(BUILD)/build.ninja
	@cmake --build $(BUILD) -j $(JOBS)

$(BUILD)/build.ninja:
	@tools/deps build
	@cmake --preset $(PRESET) $(CMAKE_FLAGS)

demo: all
	@tools/deps demo
	@tools/demo $(BUILD)/hayate

test:
	@tools/deps build test
	@cmake --preset $(PRESET) --log-level=NOTICE $(CMAKE_FLAGS)
	@cmake --build $(BUILD) -j $(JOBS) --target all tests
	@ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS) $(CTEST_FLAGS)

check:
	@tools/deps build test check
	@JOBS=$(JOBS) FUZZ_SECONDS=$(FUZZ_SECONDS) tools/check

bench:
	@tools/deps build bench
	@$(MAKE) --no-print-directory $(BUILD)/build.ninja
	@cmake --build $(BUILD) -j $(JOBS) --target all benches
	@tools/bench $(BUILD)

# ARGS: --only REGEX, --jobs N, --shrink, -v
onnx-conformance: all
	@tools/deps build peers
	@tools/peers conformance tests/conformance/run.py $(ARGS)

# A script for onnxruntime under both: same answers, same kinds of errors.
swap-check: all
	@tools/deps build peers
	@tools/peers swap tests/swap/run.py $(ARGS)

# Models by the real exporters against ONNX Runtime. ARGS: --only REGEX, --seed N, --rounds N
zoo-check: all
	@tools/deps build peers
	@HAYATE_REQUIREMENTS=tools/zoo_models/requirements.txt tools/peers zoo tools/zoo.py $(ARGS)

# LightGBM and XGBoost files against the libraries themselves. ARGS: --seeds N, --only WORD
trees-check: all
	@tools/deps build peers
	@HAYATE_REQUIREMENTS=tools/golden/requirements.txt \
	  tools/peers trees tests/conformance/trees.py $(ARGS)

# The Python module with the inference library inside, for pip; build/<preset>/wheel.
wheel: all
	@tools/wheel $(BUILD)

lint:
	@tools/deps build lint
	@$(MAKE) --no-print-directory $(BUILD)/build.ninja
	@tools/lint $(BUILD)

format:
	@tools/deps lint
	@git ls-files '*.c' '*.h' | xargs clang-format -i

install: all
	@cmake --install $(BUILD) --prefix $(PREFIX)

uninstall:
	@tools/uninstall $(BUILD)

clean:
	@rm -rf build
