# The two commands that matter are "make quickstart" and "make test"; "make help" lists the rest.
# What they do is in scripts/.

.DEFAULT_GOAL := help
.PHONY: help setup build programs test quickstart format lint clean

help:      ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { sub(/:.*/, "", $$1); printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup:     ## install what is missing: Debian packages, LibTorch into .venv (or set Torch_DIR)
	@scripts/setup.sh

build: setup ## build everything into build/release
	@scripts/build.sh

programs: setup ## build the programs, not their tests
	@scripts/build.sh tinta tinta-core

test: build ## build and run every test; ARGS="-L unit" goes to ctest
	@scripts/test.sh $(ARGS)

quickstart: programs ## build, train three minutes on built-in data, sample pictures
	@scripts/quickstart.sh

format:    ## format the C++ sources in place
	@scripts/format.sh

lint: build ## check layers, style, formatting; clang-tidy on the files of FILES="..." or all
	@scripts/lint.sh $(FILES)

clean:     ## remove build/; .venv and runs/ stay
	@rm -rf build
