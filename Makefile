# The commands of the README, of CI and of the hooks, word for word.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
export PATH := $(CURDIR)/.venv/bin:$(PATH)
UV := 0.13.8
PYTHON ?= python3
MODEL ?=
FIRST ?= 1
MINUTES ?= 60
SEED ?=
override MODEL := $(value MODEL)# as it was given: neither make nor the shell finds a command in it
override FIRST := $(value FIRST)
override MINUTES := $(value MINUTES)
override SEED := $(value SEED)
export MODEL FIRST MINUTES SEED

.DEFAULT_GOAL := help
.PHONY: help setup repro test fuzz check bench verify starter litert formats lock

help: ## what make can do
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 16

repro: setup ## build every model, or one line, of a model or system: make repro MODEL=driver
	@python -m vouch.commands.rebuild "$$MODEL"

test: setup ## every test, on two cores
	OMP_NUM_THREADS=1 pytest -n 2 --dist loadscope --no-loadscope-reorder

fuzz: setup ## hostile input on every door, other than that of `make test`: make fuzz MINUTES=60 [SEED=7]
	OMP_NUM_THREADS=1 PYTHONPATH=src:tests python -m hostile.fuzz --minutes "$$MINUTES" $${SEED:+--seed "$$SEED"}

check: setup ## lint, format, types, and dvc.lock in step with the code
	@python -m vouch.commands.check_params
	ruff check
	ruff format --check
	mypy
	@python -m vouch.commands.check_lock

bench: setup ## side by side with peers, in one run: ratios
	uv pip install --quiet --constraint requirements.lock imagededup==0.3.3.post2 netcal==1.4.0 # peers, and nothing else needs them
	python bench/run.py

verify: setup ## build everything twice: the same bytes, or a failure
	@python -m vouch.commands.check_params
	dvc repro --force
	git diff --exit-code -- dvc.lock metrics splits

starter: setup ## train the starting weights of MODEL again, from step FIRST of their recipe (four to seven hours)
	@python -m vouch.commands.check_params "$$MODEL"
	python -m vouch.commands.starter "$$MODEL" "$$FIRST"

litert: setup .venv-litert/.set-up ## MODEL as LiteRT (TFLite), in eight bits too, in an environment of its own (6 GB): make litert MODEL=roadwork
	@python -m vouch.commands.check_params "$$MODEL"
	@python -m vouch.commands.litert "$$MODEL"

formats: setup .venv-formats/.set-up ## bundles to label, through Label Studio's and CVAT's own converters, in an environment of its own (.6 GB)
	OMP_NUM_THREADS=1 pytest tests/curation/annotation/test_formats.py

lock: setup ## pin every package again, after a change of pyproject.toml
	uv pip compile --quiet --no-header --no-annotate --no-emit-index-url --python-version 3.11 pyproject.toml \
	  --extra torchvision --extra ultralytics --extra classifier --extra pairs --extra pretrained --extra ssl --extra openvino --extra dev --output-file requirements.lock
	for name in litert formats; do \
	  .venv/bin/uv pip compile --quiet --no-header --no-annotate --no-emit-index-url --python-version 3.11 \
	    "envs/$$name/requirements.in" --output-file "envs/$$name/requirements.lock" || exit 1; \
	done

setup: .venv/.set-up ## create .venv and install what requirements.lock names

.venv/.set-up: requirements.lock pyproject.toml
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	test -x .venv/bin/uv && .venv/bin/uv --version | grep -q '$(UV)' || .venv/bin/python -m pip install --quiet uv==$(UV)
	.venv/bin/uv pip sync --quiet $${PYTHONDONTWRITEBYTECODE:+--compile-bytecode} --python .venv/bin/python requirements.lock # else each call compiles
	.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --editable .
	touch $@

.venv-%/.set-up: envs/%/requirements.lock | .venv/.set-up
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	.venv/bin/uv pip sync --quiet --python $(@D)/bin/python $<
	touch $@
