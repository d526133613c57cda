# wso2plan: plan and apply for WSO2 API Manager and Identity Server.
# On a fresh machine with Go and make: `make demo` tells the whole story, `make test` proves it.

VERSION     ?= 0.1.0
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
SPECS       := $(or $(WSO2PLAN_SPECS),$(realpath ../shared/specs))
ORACLES     := $(or $(WSO2PLAN_ORACLES),$(realpath ../shared/oracles))
GO          := go

# The specifications of the servers, where they are to be had; tests that need them say so where not.
export WSO2PLAN_SPECS := $(SPECS)

# What the race detector can run through in a few minutes: packages, and stories of the program.
RACE         := ./config/... ./engine/... ./providers/rest/... ./providers/is/... ./providers/apim/... ./providers/keystore
RACE_STORIES := TestScript/(example|plan|drift|partial|killed|interrupted|lock)|TestTerminal|TestSandbox

.PHONY: build test race oracles examples demo bench faults golden docs docs-check lint tidy check clean

build: ## the program, bin/wso2plan
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.number=$(VERSION)' -o bin/wso2plan ./cmd/wso2plan

test: ## every test
	$(GO) test ./...

race: ## tests of what runs concurrently, under the race detector
	$(GO) test -race $(RACE)
	$(GO) test -race -run '$(RACE_STORIES)' ./cmd/wso2plan

oracles: ## types and sandbox against WSO2's own code, which is built and started for it (JDK 17, mvn, python3)
	@test -n "$(ORACLES)" || { echo 'make oracles: set WSO2PLAN_ORACLES to the folder of the oracles' >&2; exit 1; }
	WSO2PLAN_ORACLES="$(ORACLES)" $(GO) test -count=1 -timeout 60m -v ./providers/oracle

examples: ## the examples alone, against the sandbox
	$(GO) test -count=1 -v -run 'TestScript/example|TestScript/demo' ./cmd/wso2plan

demo: build ## plan, apply, empty plan, a change behind our back, drift shown, healed, destroyed
	bin/wso2plan sandbox -- examples/quickstart/demo.sh "$(CURDIR)/bin/wso2plan"

bench: ## time, memory and requests at 20 ms, as a Markdown table
	@echo '| | wall | CPU | peak memory | requests |'
	@echo '|---|---|---|---|---|'
	@$(GO) test -run '^$$' -bench '^BenchmarkProgram$$' -benchtime 1x -timeout 30m ./cmd/wso2plan > .bench.out || { cat .bench.out; rm .bench.out; exit 1; }
	@grep '^|' .bench.out; rm .bench.out

faults: ## one fault at every request, a kill at every write, random walks: how many were tried and survived; twice as fast with TMPDIR=/dev/shm, since each waits for fsyncs
	@$(GO) test -count=1 -v -timeout 60m -run '^(TestFaults|TestFaultsOfBinary|TestFaultWalks|TestKilled)$$' ./cmd/wso2plan -args -faults > .faults.out \
		|| { cat .faults.out; rm .faults.out; exit 1; }
	@awk -F'|' 'BEGIN { print "| kind of fault | points tried | survived |\n|---|---|---|" } \
		/^\|/ { print; tried += $$3; survived += $$4 } / did not come in / { missed = missed $$0 "\n" } \
		END { printf "| all | %d | %d |\n\n%s", tried, survived, missed }' .faults.out; rm .faults.out

golden: ## rewrite golden files and the expected output of scripts and README; review the diff
	@for dir in $$(grep -rl 'flag.Bool("update"' --include='*_test.go' cmd config engine providers | xargs -n 1 dirname | sort -u); do \
		echo "$$dir"; $(GO) test -count=1 "./$$dir" -update || exit 1; done

docs: build ## rewrite the reference of the providers
	bin/wso2plan docs

docs-check: build
	bin/wso2plan docs -check

lint: ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l cmd config engine providers); \
	if [ -n "$$unformatted" ]; then echo "not gofmt'ed:" >&2; echo "$$unformatted" >&2; exit 1; fi
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

tidy: ## go.mod and go.sum hold exactly what is used
	$(GO) mod tidy -diff

check: ## all that .ci/run checks
	.ci/run

clean:
	rm -rf bin
