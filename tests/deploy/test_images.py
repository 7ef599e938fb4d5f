"""The image files and the compose file keep to what the chart demands of containers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ir_hub.environments import UV

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "deploy" / "images").glob("*.Containerfile"))
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
CHECK = ["python", "-m", "ir_hub.health", "127.0.0.1:50051"]


@pytest.fixture(params=FILES, ids=lambda path: path.name.split(".")[0])
def file(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def stages(file: Path) -> list[list[str]]:
    """The instructions of each stage, one a string."""
    text = re.sub(r"^#.*\n", "", file.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    before, *found = re.split(r"^FROM ", text, flags=re.MULTILINE)
    assert set(before.split()[::2]) == {"ARG"}
    return [[re.sub(r" +", " ", line) for line in each.splitlines() if line] for each in found]


def only(stage: list[str], instruction: str) -> str:
    (found,) = (line for line in stage if line.startswith(instruction + " "))
    return found.removeprefix(instruction + " ")


def test_there_is_one_for_each_service() -> None:
    adapters = {path.parent.name for path in ROOT.glob("adapters/*/adapter.py")}
    assert {path.name.removesuffix(".Containerfile") for path in FILES} == {"hub", *adapters}
    assert set(COMPOSE["services"]) == {"hub", *adapters}


def test_hadolint_finds_nothing(file: Path) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_it_is_built_in_one_stage_and_runs_in_another(file: Path) -> None:
    build, final = stages(file)
    assert any("--require-hashes" in line for line in build)
    assert not any("pip" in line for line in final)
    assert (build[0], final[0]) == ("${BASE} AS build", "${BASE}")


def test_it_runs_as_nobody_and_answers_signals_itself(file: Path) -> None:
    _, final = stages(file)
    assert only(final, "USER") == "10001:10001"
    name = file.name.removesuffix(".Containerfile")
    module = "ir_hub.hub" if name == "hub" else f"adapters.{name}"
    assert json.loads(only(final, "ENTRYPOINT")) == ["python", "-m", module]
    assert json.loads(only(final, "HEALTHCHECK").partition(" CMD ")[2]) == CHECK


def test_it_names_no_host_to_take_packages_from(file: Path) -> None:
    assert "://" not in file.read_text()


def test_uv_is_the_one_of_local_environments() -> None:
    found = {pin for file in FILES for pin in re.findall(r"uv==\S+", file.read_text())}
    assert found == {UV}


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_compose_gives_containers_no_more_than_the_chart(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["cpus"]
    settings, limit = service["environment"], int(service["mem_limit"].removesuffix("g")) << 30
    (scratch,) = (int(re.findall(r"size=(\d+)g", each)[0]) << 30 for each in service["tmpfs"])
    if name == "hub":
        workers = 2 * int(settings["IRHUB_WORKER_BYTES"])
    else:
        workers = int(settings["IRHUB_ADAPTER_MEMORY_LIMIT"])
    assert workers + scratch < limit


def test_compose_opens_the_hub_alone_and_to_this_machine_alone() -> None:
    published = {name: each.get("ports") for name, each in COMPOSE["services"].items()}
    assert {name for name, ports in published.items() if ports} == {"hub"}
    assert published["hub"] == ["127.0.0.1:50051:50051"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    reach = {name: each["networks"] for name, each in COMPOSE["services"].items()}
    assert reach.pop("hub") == ["inside", "outside"]
    assert all(networks == ["inside"] for networks in reach.values())
    told = COMPOSE["services"]["hub"]["environment"]["IRHUB_ADAPTERS"]
    assert told == ",".join(f"{name}={name}:50051" for name in reach)
