# `make help` lists the targets. AIAS_SCRATCH names the build folder (default .build), PORT and DATA what `make run` uses.
AIAS_SCRATCH ?= $(CURDIR)/.build
PORT ?= 8080
DATA ?= $(CURDIR)/data
export AIAS_SCRATCH

.DEFAULT_GOAL := help
.PHONY: help setup build run test crash bench package format lint clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what is missing (Debian packages, a private Python environment)
	@bin/setup

build: setup ## Build the program
	@bin/build

run: setup ## Build and start on http://localhost:8080 with an embedded database in ./data
	@bin/build
	@exec bin/aias serve --data "$(DATA)" --port "$(PORT)" --demo

test: ## Install what is missing, run every test, also those on real PostgreSQL
	@bin/test

crash: ## Kill the server 200 times on each database under load, then parts of a deployment, and compare
	@bin/setup --test
	@bin/build
	@bin/python -m crash --kills 200 --database sqlite
	@bin/python -m crash --kills 200 --database postgres
	@bin/python -m crash --kills 20 --database sqlite --unsynced
	@bin/python -m crash --kills 200 --database sqlite --money
	@bin/python -m crash --kills 200 --database postgres --money
	@bin/python -m crash --faults

bench: ## Measure, as ratios in one run, and write Benchmarks/results
	@bin/setup --bench
	@bin/bench

package: setup ## Make the Debian package of a release build (bin/package; bin/package-check tries one)
	@bin/package

format: ## Format the Swift sources in place
	@swift format --in-place --recursive Sources Tests Package.swift

lint: ## Check the format
	@swift format lint --strict --recursive Sources Tests Package.swift

clean: ## Remove the build folder
	@rm -rf "$(AIAS_SCRATCH)"
