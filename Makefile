# Needs Go, git and make; everything else runs through the Go tool chain (go.tool.mod).

TOOL := go tool -modfile=go.tool.mod
# The race detector needs a C compiler on Linux; without one the tests still run.
RACE ?= $(if $(shell command -v "$$(go env CC)" 2>/dev/null),-race)
# The limit is for hangs alone: on a busy machine the programs that golden/corpus and golden/script build take minutes.
TEST := go test -shuffle=on -timeout 30m $(RACE)
FUZZTIME ?= 10s
STRESS ?= 2000
# Modules of their own, so that what they compare with never becomes a dependency of the project.
MODULES := golden/interop golden/interop/peers/goplugin golden/corpus bench
BENCH ?= .

# The packages that compare with files and rewrite them with -update.
GOLDENS := ./golden/api ./golden/deps ./golden/generate ./golden/handshake ./golden/relay ./golden/script ./golden/templates

.PHONY: help demo build test test-tiers stress golden generate lint fmt check vet-all fuzz bench microbench bench-check clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## generate a plugin and a host, build both, let them talk
	@./golden/demo.sh

build: ## bin/plugingen
	go build -o bin/plugingen ./cmd/plugingen

test: ## all tests of all modules, race detector on, shuffled
	$(TEST) ./...
	@for m in $(MODULES); do echo "in $$m:" && (cd $$m && $(TEST) ./...) || exit 1; done

# Faults that have nothing to do with what carries calls, or that choose it themselves.
SAME_ON_ALL := StartFaults|TLSFaults|TunnelFaults|SocketFaults|SecuredFaults|RunFaultsMultiplexed

test-tiers: ## the suites of host and plugin once more, with each tier forced that they do not take by themselves
	PLUGINGEN_TEST_TIER=socket go test -short -skip Faults ./runtime/host
	PLUGINGEN_TEST_TIER=tunnel go test -short -skip '$(SAME_ON_ALL)' ./runtime/host ./runtime/plugin
	PLUGINGEN_TEST_TIER=grpc go test -short -skip '$(SAME_ON_ALL)' ./runtime/host
	PLUGINGEN_TEST_TIER=pair go test -short ./runtime/plugin

stress: ## kill STRESS plugins and as many hosts, by tiers in turn, in the midst of calls (2000 each: ten minutes)
	PLUGINGEN_STRESS=$(STRESS) go test -timeout 0 -run AreKilled ./runtime/host

golden: ## rewrite the golden files; read the diff before you commit it
	go test ./generator -run TestProjectsAreTidy -update
	go test $(GOLDENS) -update

generate: ## rewrite generated code: the runtime's .pb.go
	go generate ./...

lint: ## golangci-lint and module files
	$(TOOL) golangci-lint run ./...
	go mod tidy -diff
	@for m in $(MODULES); do echo "in $$m:" && (cd $$m && go vet ./... && go mod tidy -diff) || exit 1; done

fmt: ## format all Go code
	$(TOOL) golangci-lint fmt ./...

check: generate golden ## generation and goldens leave git clean
	@git add --intent-to-add . && git diff --exit-code --stat || \
		{ echo 'make check: what is generated differs from what is committed: read the diff, then commit it' >&2; exit 1; }

vet-all: ## cross-compile for the systems that are not this one
	GOOS=windows go vet ./...
	GOOS=darwin go vet ./...

fuzz: ## every fuzz target for FUZZTIME (10s)
	@for pkg in $$(go list ./...); do \
		for f in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
			go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg || exit 1; \
		done; \
	done

bench: ## the same work beside every peer: bench/RESULTS.md and its plots (ten minutes)
	cd bench && go run .

microbench: ## every Go benchmark with allocations; compare runs with: go tool -modfile=go.tool.mod benchstat
	go test -run '^$$' -bench '$(BENCH)' -benchmem ./...

bench-check: ## allocations and wide ratios against the bounds in bench/check
	cd bench && go run ./check

clean: ## remove what make build made
	rm -rf bin
