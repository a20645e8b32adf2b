# One word does each job. Everything is installed into .venv and nowhere else; pip's own settings
# (PIP_INDEX_URL, PIP_FIND_LINKS, ...) pass through, so that you can choose a CPU build of torch.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SEED ?= 12
TRACK ?= classic
DEMO := $(VENV)/demo

# Tests run the command hundreds of times; without bytecode each time would compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo test lint types tests corpora audit docs session benchmarks wheel clean

help: ## Say what there is.
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

install: $(VENV)/installed ## Install Bugforge and its tools into .venv.

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: export BUGFORGE_DATA := $(VENV)/demo-data
demo: install ## Play the main job, of any TRACK: forge, a failing check, reveal, a passing check.
	@rm -rf $(DEMO)
	$(BIN)/bugforge new $(DEMO) --track $(TRACK) --seed $(SEED)
	! $(BIN)/bugforge check $(DEMO) --feedback symptom
	$(BIN)/bugforge reveal $(DEMO) --apply
	$(BIN)/bugforge check $(DEMO)

test: install lint types tests ## Lint, check types and run the tests.

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

tests: install
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

corpora: install ## Judge every program and every test of the corpora, training included.
	BUGFORGE_CORPORA=all $(BIN)/python -m pytest -q -n 2 --dist loadfile \
		tests/test_corpora.py tests/test_own_tests.py tests/test_solutions.py

audit: install ## Prove the catalogue: every bug alone, in pairs, and left in among others.
	$(BIN)/bugforge audit

docs: install ## Write the pages of the catalogue into docs/.
	rm -rf docs/kinds
	$(BIN)/bugforge list --docs docs > /dev/null

session: install ## Record the session that README.md shows, and its picture.
	$(BIN)/python docs/session.py

benchmarks: install ## Time the commands, as ratios to `import torch` and to `python train.py`.
	$(BIN)/python benchmarks/commands.py
	$(BIN)/python benchmarks/watching.py

wheel: install ## Build the wheel and the source archive into dist/.
	$(BIN)/python -m build

clean: ## Take away everything that was made.
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
