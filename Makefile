PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo demo-migration test check sweep fuzz sample-output bench clean

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

demo: .venv/ready
	$(BIN)/hotfolder demo

demo-migration: .venv/ready
	$(BIN)/hotfolder demo-migration

# Tests start many interpreters: what has been compiled once is kept, whatever this machine says.
test: export PYTHONDONTWRITEBYTECODE =
test: .venv/ready
	$(BIN)/python -m pytest -n 3 --dist loadgroup

check: .venv/ready
	$(BIN)/ruff check hotfolder tests bench
	$(BIN)/ruff format --check hotfolder tests bench
	$(BIN)/mypy

sample-output: .venv/ready
	$(BIN)/python -m tests.sample_output

sweep: .venv/ready
	$(BIN)/python -m tests.sweeps.kill_points
	$(BIN)/python -m tests.sweeps.many_documents
	$(BIN)/python -m tests.sweeps.network
	$(BIN)/python -m tests.sweeps.disposal
	$(BIN)/python -m tests.sweeps.returns
	$(BIN)/python -m tests.sweeps.feedback
	$(BIN)/python -m tests.sweeps.migrate
	$(BIN)/python -m tests.sweeps.syscalls
	$(BIN)/python -m tests.sweeps.disk
	$(BIN)/python -m tests.sweeps.powercut
	$(BIN)/python -m tests.sweeps.evidence_bytes
	HYPOTHESIS_PROFILE=whole $(BIN)/python -m pytest tests/flows/test_flow_machine.py \
	  tests/flows/test_halving.py tests/flows/test_keeping_machine.py tests/journal/test_journal_machine.py

fuzz: .venv/ready
	$(BIN)/python -m tests.fuzz.run --seconds 90

bench: .venv/ready
	for bench in watch journal restart store intake verify spool find afp compare delivery migrate \
	  disposal encryption; do \
	  $(BIN)/python -m bench.bench_$$bench || exit 1; \
	done

clean:
	rm -rf .venv demo demo-migration .mypy_cache .ruff_cache .pytest_cache .hypothesis
