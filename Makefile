# Every command of the project's daily work; `make help` lists them.

PYTHON ?= python3.11
ADAPTERS := $(patsubst adapters/%/adapter.py,%,$(wildcard adapters/*/adapter.py))
CORE := ir ops simplify rules layout codegen
ADAPTER ?= $(ADAPTERS)
export IRHUB_HOME := $(CURDIR)/.irhub
ENVS := $(IRHUB_HOME)/envs
HUB := $(ENVS)/hub/bin
UV := $(IRHUB_HOME)/tools/uv/bin/uv

SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help setup demo test models conformance golden bench protos protos-check locks lint types \
	format clean

# $(call build,NAMES): make the environments with these names, as their tests need them.
build = @$(PYTHON) -m ir_hub.environments --home $(IRHUB_HOME) --test $(1)

# $(call module,ENVIRONMENT,NAME): run the module tests.NAME, or say that there is none.
define module
@if compgen -G 'tests/$(2)*' >/dev/null; then $(ENVS)/$(1)/bin/python -m tests.$(2); \
else echo "$(2): skipped, there is no tests/$(2)"; fi
endef

# $(call suites,"ENVIRONMENT FOLDER [PYTEST OPTION...]"...): run them all, then sum up.
# pytest exits 5 when it finds no test.
define suites
@passed=0; failed=0; skipped=0; \
for suite in $(1); do \
	read -r env folder options <<<"$$suite"; \
	status=5; echo "== $$folder, in the environment $$env"; \
	if [ -e "$$folder" ]; then \
		$(ENVS)/$$env/bin/python -m pytest -q $$folder $$options; status=$$?; \
	fi; \
	case $$status in \
		0) passed=$$((passed + 1));; \
		5) skipped=$$((skipped + 1)); echo "skipped: no test in $$folder";; \
		*) failed=$$((failed + 1)); echo "FAILED: $$folder";; \
	esac; \
done; \
echo; echo "suites: $$passed passed, $$failed failed, $$skipped skipped"; \
[ $$failed -eq 0 ]
endef

# $(call stubs,FOLDER): write the contract's Python stubs into FOLDER/irhub.
# grpcio-tools finds the generators of mypy-protobuf on the path.
PROTOS := $(shell find protos/irhub -name '*.proto' 2>/dev/null | sort)
SERVICES := $(shell grep -l '^service ' $(PROTOS) /dev/null)
PROTOC = PATH="$(ENVS)/protos/bin:$$PATH" python -m grpc_tools.protoc -Iprotos
define stubs
@mkdir -p $(1)
@$(PROTOC) --python_out=$(1) --mypy_out=quiet:$(1) $(PROTOS)
@$(PROTOC) --grpc_python_out=$(1) --mypy_grpc_out=quiet:$(1) $(SERVICES)
@find $(1)/irhub -type d -exec touch {}/__init__.py \;
@touch $(1)/irhub/py.typed
endef

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /: ## /'

setup: ## Build the environments of the hub and the adapters
	$(call build,hub $(ADAPTERS))

demo: ## Convert the models of an OCR package, and run what came out inside it
	$(call build,hub onnx pytorch demo)
	$(call module,hub,demo)

test: setup ## Run the fast suites, each in the environment it needs
	$(call build,numpy1)
	$(call suites,"hub tests --ignore=tests/matrix" \
		$(foreach name,$(CORE),"numpy1 tests/$(name)") \
		$(foreach name,$(ADAPTERS),"$(name) adapters/$(name)/tests"))

models: ## Convert torchvision's networks, through ONNX and back: some minutes
	$(call build,hub onnx pytorch)
	$(call suites,"hub tests/matrix")

conformance: setup ## Compare an adapter with what ops mean, and with ONNX's own cases: ADAPTER=onnx
	$(call suites,\
		$(foreach name,$(ADAPTER),"$(name) adapters/$(name)/tests -k conformance"))
	@for name in $(ADAPTER); do [ ! -e adapters/$$name/tests/backend.py ] || \
		$(ENVS)/$$name/bin/python -m adapters.$$name.tests.backend || exit; done

golden: setup ## Write the golden files anew; read the diff before you commit it
	@for name in $(ADAPTERS); do [ ! -e adapters/$$name/tests/golden ] || \
		$(ENVS)/$$name/bin/python -m adapters.$$name.tests.golden || exit; done

bench: ## Measure speed and memory, beside other converters
	$(call build,hub onnx pytorch bench)
	$(call module,hub,bench)

protos: ## Write the Python stubs of the contract anew
	$(call build,protos)
	@rm -rf protos/python/irhub
	$(call stubs,protos/python)

protos-check: ## Fail when the stubs are not those of the contract
	$(call build,protos)
	@rm -rf $(IRHUB_HOME)/stubs
	$(call stubs,$(IRHUB_HOME)/stubs)
	@diff -r --brief --exclude=__pycache__ $(IRHUB_HOME)/stubs/irhub protos/python/irhub \
		|| { echo "The stubs differ from the contract: run 'make protos'."; exit 1; }

# What may not come from the index: each installs it afterwards, from a file of pins.
COMPILE = UV_FIND_LINKS="$${UV_FIND_LINKS:-$$PIP_FIND_LINKS}" $(UV) pip compile --quiet --upgrade \
	--generate-hashes --no-header --no-annotate --python-version 3.11 \
	--no-emit-package torch --no-emit-package torchvision
# MXNet needs a NumPy that the hub's lock rules out; all else is the newest in both.
HUB_LOCK := ir_hub/hub/requirements.lock

locks: setup ## Resolve every requirement anew, to the newest releases that fit together
	$(COMPILE) pyproject.toml -o $(HUB_LOCK)
	$(COMPILE) pyproject.toml tests/requirements-hub.in -c $(HUB_LOCK) \
		-o tests/requirements-hub.lock
	for name in $(ADAPTERS); do \
		$(COMPILE) adapters/$$name/requirements.in \
			$$([ $$name = mxnet ] || echo -c $(HUB_LOCK)) \
			-o adapters/$$name/requirements.lock && \
		$(COMPILE) tests/requirements-$$name.in -c adapters/$$name/requirements.lock \
			-o tests/requirements-$$name.lock || exit; \
	done
	for name in demo bench protos numpy1; do \
		$(COMPILE) tests/requirements-$$name.in -o tests/requirements-$$name.lock || exit; \
	done

lint: setup ## Check the style of code and contract, and who imports whom
	$(HUB)/ruff check
	$(HUB)/ruff format --check
	$(HUB)/lint-imports --no-cache --no-logo
	$(HUB)/buf lint
	$(HUB)/buf format --diff --exit-code

types: setup ## Check the types
	$(HUB)/mypy

format: setup ## Bring code and contract into the project's style
	$(HUB)/ruff check --fix-only
	$(HUB)/ruff format
	$(HUB)/buf format --write

clean: ## Remove the environments and all caches
	rm -rf $(IRHUB_HOME) .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
