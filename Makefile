# The few commands that one needs. Each is a plain go command, or .ci/run.

.PHONY: help build test check bench corpora

help:
	@echo 'make build   kurs, in this folder'
	@echo 'make test    all tests, and at the end which were left out and why (go test ./...)'
	@echo 'make check   everything that CI runs: build, lint, tests, race detector (bash .ci/run)'
	@echo 'make bench   the numbers of docs/performance.md, six runs each, through benchstat'
	@echo 'make corpora what fuzzing found on this machine, kept for the tests'

build:
	CGO_ENABLED=0 go build -trimpath -o kurs ./cmd/kurs

test:
	@go test -json ./... | go run ./internal/testsummary

check:
	@bash .ci/run

bench:
	@mkdir -p dist
	go test -run='^$$' -bench=. -benchmem -count=6 ./... > dist/bench.txt
	go tool -modfile=tools/go.mod benchstat dist/bench.txt

corpora:
	go run ./internal/corpus
