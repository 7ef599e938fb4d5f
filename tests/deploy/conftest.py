"""Every test of manifests is run for each way to install the chart."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.deploy.rendered import HELM, INSTALLS, Manifest, text_of


@pytest.fixture(params=INSTALLS)
def install(request: pytest.FixtureRequest) -> str:
    """The name of a way to install it."""
    if not Path(HELM).exists():
        pytest.skip("helm isn't on the path: `make manifests` installs it")
    return str(request.param)


@pytest.fixture
def manifests(install: str) -> list[Manifest]:
    """What it renders."""
    return [each for each in yaml.safe_load_all(text_of(install)) if each]
