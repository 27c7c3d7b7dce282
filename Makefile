# Everything here works from a clean clone with Go, a C compiler and Node. `make` alone lists the targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# One set of flags and no build tags, everywhere: SQLite's C code is compiled again for every other set, which is dear.
export GOFLAGS := $(strip -trimpath $(GOFLAGS))

CORPUS ?= ../shared/corpus
BENCHTIME ?= 300ms
BENCH ?= .

tools := $(CURDIR)/.cache/tools
pages := $(shell find frontend/src frontend/scripts frontend/graphiql frontend/public frontend/*.html frontend/*.ts -type f)
benchmarks = $(shell grep -rl --include='*_test.go' '^func Benchmark' graph internal policies | xargs -n1 dirname | sort -u | sed 's|^|./|')

.PHONY: help run test test-corpus demo bench bench-evidence bench-blast bench-gate bench-log generate migration lint build frontend clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

run: build ## build, and serve on an embedded database in ./data
	@exec bin/plimsoll serve --data data

test: .cache/npm ## run every test; installs PostgreSQL by apt-get when it is lacking and builds cosign, slsa-verifier, osv-scanner, opa, tlogcheck and an SBOM validator
	@command -v cc >/dev/null || command -v gcc >/dev/null || { echo 'make test: a C compiler is needed: apt-get install gcc libc6-dev' >&2; exit 1; }
	scripts/tools cosign slsa-verifier osv-scanner opa sbom tlogcheck
	go vet ./...
	PLIMSOLL_TOOLS='$(tools)' scripts/postgres test go test ./...
	cd frontend && npm run lint && npm test && npm run build

test-corpus: ## run the tests over real public documents; CORPUS=DIR says where they are
	@test -d '$(CORPUS)' || { echo 'make test-corpus: no documents in $(CORPUS): say CORPUS=DIR' >&2; exit 1; }
	scripts/tools osv-scanner
	PLIMSOLL_TOOLS='$(tools)' PLIMSOLL_CORPUS='$(abspath $(CORPUS))' go test -run Corpus ./...

demo: build ## walk one application from a CI build to a signed trusted release
	@PLIMSOLL_TOOLS='$(tools)' bin/plimsoll demo --keep .cache/demo

bench: ## measure, each beside its baseline; BENCH=REGEXP and BENCHTIME=300ms narrow and lengthen it
	scripts/postgres run go test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime $(BENCHTIME) $(benchmarks)

bench-evidence: ## push and find signed evidence over HTTP, beside a server that checks nothing
	go test ./internal/bench -run '^$$' -bench 'EvidenceOverHTTP|EvidenceLookup' -benchtime $(or $(PIECES),10000)x -timeout 30m

bench-blast: ## the blast radius of something rare, of 1 % and of 30 % of versions, beside hand-written SQL; then over the API, in an estate of 906,000 edges
	GOGC=200 scripts/postgres run go test ./internal/blast -run '^$$' -bench . -benchtime $(BENCHTIME)
	GOGC=200 scripts/postgres run go test ./internal/bench -run '^$$' -bench Estate -benchtime $(BENCHTIME) -timeout 30m

bench-gate: ## a promotion through two gates of ten rules beside OPA alone, and back-tests; EVALUATIONS=10000 says of how many
	EVALUATIONS='$(or $(EVALUATIONS),10000)' go test ./internal/bench -run '^$$' -bench 'Gate|Backtest' -benchtime $(BENCHTIME) -timeout 60m

bench-log: ## put a million events in the log's tree, prove, and verify all of them; what mutations pay for it; LEAVES=N for another number
	PLIMSOLL_LEAVES='$(or $(LEAVES),1000000)' go test ./internal/translog -run '^$$' -bench 'Log$$' -benchtime 300x -timeout 30m
	scripts/postgres run go test ./internal/translog -run '^$$' -bench LogBesideAMutation -benchtime 1x -timeout 30m

generate: ## write anew what is generated: the database client, the GraphQL server, the policies' pages
	go generate ./ent
	go tool gqlgen generate
	go test ./policies -run '^TestDocs$$' -update -count=1

migration: ## write the migrations from the last to the tables in ent/schema; NAME=what_it_does
	@test -n '$(NAME)' || { echo 'make migration: say NAME=what_it_does' >&2; exit 2; }
	scripts/postgres run go run ./internal/store/migrations/gen -name '$(NAME)'

lint: .cache/npm ## lint Go and TypeScript; builds golangci-lint first, which takes minutes once
	scripts/tools golangci-lint
	'$(tools)/golangci-lint' run
	cd frontend && npm run lint

build: frontend ## build bin/plimsoll with its pages
	@command -v cc >/dev/null || command -v gcc >/dev/null || { echo 'make build: a C compiler is needed: apt-get install gcc libc6-dev' >&2; exit 1; }
	go build -o bin/plimsoll .

frontend: frontend/dist/index.html ## build the pages that the binary serves

clean: ## remove what was built; data/ and the tools stay
	rm -rf bin frontend/node_modules .cache/npm
	find frontend/dist -mindepth 1 ! -name .gitkeep -delete

frontend/dist/index.html: .cache/npm $(pages)
	cd frontend && npm run build
	@touch $@

# node_modules as the lock file says.
.cache/npm: frontend/package.json frontend/package-lock.json
	cd frontend && npm ci --include=dev
	@mkdir -p .cache && touch $@
