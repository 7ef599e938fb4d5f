"""Environments are built whole or not used, and the locks hold what they promise."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ir_hub import environments
from ir_hub.environments import RECIPES, TEST_RECIPES, Recipe, SetupError, install, python_of

ROOT = Path(environments.__file__).parents[1]
LOCKS = sorted({recipe.lock for recipe in (*RECIPES.values(), *TEST_RECIPES.values())})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of its own, with the uv of the home that runs this test if there is one."""
    home = tmp_path / "home"
    home.mkdir()
    tools = Path(sys.prefix).parents[1] / "tools"
    if (tools / "uv").is_dir():
        (home / "tools").symlink_to(tools)
    return home


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The lock that `onnx` is built from: an empty one, so that building takes milliseconds."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "tests.lock").write_text("# the same, for tests\n")
    lock = root / "plain.lock"
    lock.write_text("# no requirement\n")
    monkeypatch.setattr(environments, "_ROOT", root)
    monkeypatch.setitem(RECIPES, "onnx", Recipe("plain.lock"))
    monkeypatch.setitem(TEST_RECIPES, "onnx", Recipe("tests.lock"))
    return lock


def built(home: Path, test: bool = False) -> bool:
    """Install `onnx`; tell whether that built it."""
    messages: list[str] = []
    install(["onnx"], home, test, messages.append)
    assert messages[-1] == "onnx: ready"
    return any("building" in message for message in messages)


def test_an_environment_has_its_own_python_and_irhub(home: Path, lock: Path) -> None:
    assert built(home)
    python = python_of("onnx", home)
    program = "import ir_hub, sys; print(sys.prefix, ir_hub.__version__)"
    said = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.split() == [str(home / "envs" / "onnx"), environments.__version__]


def test_an_environment_that_is_up_to_date_is_left_alone(home: Path, lock: Path) -> None:
    assert built(home)
    kept = home / "envs" / "onnx" / "kept"
    kept.touch()
    assert not built(home)
    assert kept.exists()


def test_a_half_built_environment_is_not_used_and_is_built_anew(home: Path, lock: Path) -> None:
    leftover = home / "envs" / "onnx" / "lib" / "leftover"
    leftover.parent.mkdir(parents=True)
    leftover.touch()
    with pytest.raises(SetupError, match=r"half built.*irhub adapters install onnx"):
        python_of("onnx", home)
    assert built(home)
    assert not leftover.exists()


def test_an_environment_whose_python_is_gone_is_built_anew(home: Path, lock: Path) -> None:
    assert built(home)
    python_of("onnx", home).unlink()
    assert built(home)


def test_another_lock_makes_the_environment_out_of_date(home: Path, lock: Path) -> None:
    assert built(home)
    lock.write_text("# another\n")
    with pytest.raises(SetupError, match="out of date"):
        python_of("onnx", home)
    assert built(home)
    python_of("onnx", home)


def test_a_failed_build_leaves_nothing_that_is_used(home: Path, lock: Path) -> None:
    assert built(home)
    lock.write_text("six==1.17.0\n")
    with pytest.raises(SetupError, match=r"Could not install plain\.lock.*hash"):
        install(["onnx"], home)
    with pytest.raises(SetupError):
        python_of("onnx", home)


def test_an_environment_for_tests_serves_both(home: Path, lock: Path) -> None:
    assert built(home)
    assert built(home, test=True)
    assert not built(home)
    python_of("onnx", home)


def test_of_two_builders_one_builds(home: Path, lock: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(built, [home, home]))
    assert sorted(outcomes) == [False, True]


def test_an_unknown_name_is_refused_before_anything_is_built(home: Path, lock: Path) -> None:
    with pytest.raises(SetupError, match="no environment 'caffe'; there are hub, onnx, pytorch"):
        install(["onnx", "caffe"], home)
    assert not (home / "envs").exists()
    with pytest.raises(SetupError, match="'caffe'"):
        python_of("caffe", home)


def test_what_only_a_checkout_has_is_said_to_be_missing(home: Path, lock: Path) -> None:
    lock.unlink()
    with pytest.raises(SetupError, match=r"built from plain\.lock, which only a checkout"):
        install(["onnx"], home)


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path, lock: Path) -> None:
    home = tmp_path / "file"
    home.touch()
    with pytest.raises(SetupError, match=r"Can't write .*file/envs/onnx.*another --home"):
        install(["onnx"], home)


def test_the_command_exits_with_0_1_or_2(
    home: Path, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert environments.main(["--home", str(home), "onnx"]) == 0
    assert capsys.readouterr().out.endswith("onnx: ready\n")
    lock.write_text("six==1.17.0\n")
    assert environments.main(["--home", str(home), "onnx"]) == 1
    assert capsys.readouterr().err.startswith("Could not install plain.lock")
    with pytest.raises(SystemExit) as exit_:
        environments.main(["--home", str(home), "caffe"])
    assert exit_.value.code == 2


@pytest.mark.parametrize(
    ("pip", "uv"), [("PIP_FIND_LINKS", "UV_FIND_LINKS"), ("PIP_INDEX_URL", "UV_DEFAULT_INDEX")]
)
def test_uv_is_told_what_pip_is_told(pip: str, uv: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(pip, raising=False)
    monkeypatch.delenv(uv, raising=False)
    assert uv not in environments._environ()
    monkeypatch.setenv(pip, "of pip")
    assert environments._environ()[uv] == "of pip"
    monkeypatch.setenv(uv, "of uv")
    assert environments._environ()[uv] == "of uv"


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_pin_all_with_hashes_and_name_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text()
    requirements = text.replace("\\\n", "").splitlines()
    assert requirements
    for requirement in requirements:
        assert re.match(r"[a-z0-9-]+==\S+ ( *--hash=sha256:[0-9a-f]{64})+$", requirement)
        assert not re.match(r"torch|torchvision|triton|nvidia|cuda", requirement)


@pytest.mark.parametrize("recipe", [*RECIPES.values(), *TEST_RECIPES.values()], ids=str)
def test_what_has_no_hash_is_pinned(recipe: Recipe) -> None:
    for path in recipe.unhashed:
        lines = (ROOT / path).read_text().splitlines()
        pins = [line for line in lines if not line.startswith("#")]
        assert pins
        assert all(re.fullmatch(r"torch(vision)?==[0-9.]+(\+cpu)?", pin) for pin in pins)
