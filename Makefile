# make demo, make test: each does its own set-up, in either order, and again after a pull.

.POSIX:
PYTHON = python3
BIN = .venv/bin
READY = .venv/ready

help:
	@echo "make demo   train on MNIST for five minutes into runs/demo, then see runs/demo/report.html"
	@echo "make test   lint, types, arrows and tests"
	@echo "make slow   the tests that take longer"
	@echo "make torture kill it, fill its disk, damage its files; TORTURE=0.05 is a twentieth of it, about a minute"
	@echo "make lint   style, types and arrows only"
	@echo "make mutants faults in the game's mathematics, one at a time: which of them do the proofs and the tests notice? About twenty minutes"
	@echo "make machines proofs, trainings, verdict and speed with fewer instructions, one thread and a busy neighbour: about half an hour"
	@echo "make course  the pages, figures and notebooks of docs/course, from examples/course: about ten minutes"
	@echo "make slides  the figures of the course as a PDF deck, build/course.pdf"
	@echo "make clean  remove what make made, except runs/"

# The newest thing that pip must agree with; so a pull that changes a pin installs again, and one that does not costs nothing.
$(READY): pyproject.toml constraints.txt
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found="$$python"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "zerosum needs Python 3.11 or later: install one, or name it with make PYTHON=/path/to/python." >&2; exit 1; fi; \
	if ! $(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	  rm -rf .venv; \
	  "$$found" -m venv .venv || { rm -rf .venv; \
	    echo "$$found cannot make a virtual environment: install its venv module (Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }; fi
	@echo "Installing zerosum into .venv; PyTorch is large, so this takes a few minutes the first time."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(READY)

demo: $(READY)
	@if [ -f runs/demo/run.json ]; then $(BIN)/zerosum resume runs/demo; else $(BIN)/zerosum train mnist --minutes 5 --out runs/demo; fi

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# One thread a process: the processes share the cores, and a seeded test adds in the same order everywhere.
test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 -m "not slow and not browser"
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -rs -m "browser and not slow" tests/web

slow: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -m slow

# How much: full, or a factor.
TORTURE = full

torture: $(READY)
	OMP_NUM_THREADS=1 ZEROSUM_TORTURE=$(TORTURE) $(BIN)/python -m pytest -q tests/torture

# One fault of the game's mathematics at a time: `zerosum prove --quick` notices at least 28, and the tests all.
mutants: $(READY)
	$(BIN)/python scripts/mutants.py

# What the claims are on other kinds of machine, as far as masks of this one can show.
machines: $(READY)
	$(BIN)/python scripts/machines.py

# The pages of the course, their pictures and the notebooks, from examples/course: under ten minutes on two cores.
course: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python scripts/course.py

# One page for each figure of the course, from its pages.
slides: $(READY)
	$(BIN)/python scripts/slides.py build/course.pdf

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help demo lint test slow torture mutants machines course slides clean
