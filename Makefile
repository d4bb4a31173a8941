# Everything that a person types. What is missing on the machine is installed or built by scripts/setup first, which
# is quick and silent when nothing is. CMakePresets.json holds the settings of each build.
#
#   make test CMAKE_PREFIX_PATH=/opt/caf    take that CAF instead of building one
#   make test JOBS=1                        fewer compilers at a time (default: one per core, as memory allows)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup build test demo demo-cluster bench bench-quick check-long fuzz asan tsan format clean

ifdef CMAKE_PREFIX_PATH
export CMAKE_PREFIX_PATH
endif
ifdef JOBS
export VICKET_JOBS := $(JOBS)
endif

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14

setup: ## install what a build needs (Debian 12 or 13; as root or through sudo)
	@scripts/setup

build: ## build everything into build/
	@scripts/build release

test: build ## set up, build, and run every test
	@ctest --preset release

demo: ## set up, build, and watch deliveries being signed, retried and recorded
	@scripts/build release vicketd vicket
	@scripts/demo

demo-cluster: ## set up, build, and watch three nodes survive a kill, a standstill, a failover, in a minute
	@scripts/build release demo-cluster
	@build/demo-cluster

bench: ## set up, build, and measure everything, in under 10 minutes; report in build/bench.html
	@scripts/build release vicket-bench
	@build/vicket-bench --json build/bench.json --html build/bench.html --markdown build/bench.md
	@echo "report: build/bench.html (and bench.json, bench.md)"

bench-quick: ## the same for a look only, in under 2 minutes
	@scripts/build release vicket-bench
	@build/vicket-bench --quick --json build/bench-quick.json --html build/bench-quick.html
	@echo "report: build/bench-quick.html (and bench-quick.json)"

check-long: build ## simulation, crash oracle and fuzzers with ever new seeds until stopped (or MINUTES=90 are over; installs clang)
	@scripts/build fuzz fuzzers
	@scripts/check-long $(MINUTES)

fuzz: ## all fuzzers one after the other, SECONDS=60 each (installs clang)
	@scripts/fuzz $(SECONDS)

asan: ## the tests under the address and undefined-behaviour sanitizers, in build-asan/
	@scripts/build asan
	@ctest --preset asan

tsan: ## the tests under the thread sanitizer, in build-tsan/
	@scripts/build tsan
	@ctest --preset tsan

format: ## clang-format on all C++ files (install clang-format yourself)
	@command -v clang-format >/dev/null || { echo "format: clang-format is not installed" >&2; exit 1; }
	@git ls-files '*.cpp' '*.hpp' | xargs -r clang-format -i

clean: ## remove the build folders (what scripts/setup built stays in its cache)
	@rm -rf build build-asan build-tsan build-debug build-fuzz
