"""The `.ir` file: what was written is read again, and nothing that is hostile."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ir_hub.blobs import LocalStore
from ir_hub.hub import bundle
from ir_hub.ir import serde
from ir_hub.ir.graph import Graph, Model, Value, constant
from ir_hub.ir.tensor import Blob, BlobTensor, encode
from ir_hub.ir.types import DType
from ir_hub.ops.op import OPSET
from ir_hub.sdk.errors import BadModel


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def in_blob(store: LocalStore, blob: Blob, offset: int, array: np.ndarray, name: str) -> Value:
    tensor = BlobTensor(blob, offset, DType.of(array.dtype), array.shape, store.open)
    return constant(tensor, name)


def file_of(store: LocalStore, path: Path) -> tuple[Path, dict[str, np.ndarray]]:
    """A file, and what is in it: two weights out of one blob, one of them twice, and texts."""
    a, b = np.arange(6, dtype=np.float32).reshape(2, 3), np.arange(4, dtype=np.int64)
    texts = np.array(["one", "zwölf"], object)
    blob = store.put_bytes(b"junk" * 4 + encode(a) + b"secret" * 9 + encode(b))
    words = store.put_bytes(encode(texts))
    values = [
        in_blob(store, blob, 16, a, "a"),
        in_blob(store, blob, 16 + 24 + 54, b, "b"),
        in_blob(store, words, 0, texts, "texts"),
    ]
    values.append(constant(in_blob(store, blob, 16, a, "t").data.permuted((1, 0)), "t"))
    bundle.write(Model(Graph(outputs=values)), store, path)
    return path, {"a": a, "b": b, "texts": texts, "t": a.T}


def test_round_trip_into_another_store(store: LocalStore, tmp_path: Path) -> None:
    path, arrays = file_of(store, tmp_path / "m.ir")
    other = LocalStore(tmp_path / "other")
    content, blobs = bundle.read(path, other)
    model = serde.load_bytes(content, other.open, OPSET)
    assert bundle.held_blobs(model) == blobs
    assert {v.name: v.array().tolist() for v in model.graph.outputs} == {
        name: array.tolist() for name, array in arrays.items()
    }


def test_only_weights_are_in_the_file(store: LocalStore, tmp_path: Path) -> None:
    path, arrays = file_of(store, tmp_path / "m.ir")
    content = path.read_bytes()
    assert b"secret" not in content
    assert content.count(encode(arrays["a"])) == 1
    assert bundle.is_bundle(content[:64])


def test_equal_models_make_equal_files(store: LocalStore, tmp_path: Path) -> None:
    one, _ = file_of(store, tmp_path / "1.ir")
    two, _ = file_of(store, tmp_path / "2.ir")
    assert one.read_bytes() == two.read_bytes()


def rewrite(path: Path, change: Callable[[list[tuple[str, bytes]]], None], **how: int) -> Path:
    with zipfile.ZipFile(path) as file:
        members = [(member.filename, file.read(member)) for member in file.infolist()]
    change(members)
    target = path.with_suffix(".changed")
    with zipfile.ZipFile(target, "w", **how) as file:
        for name, content in members:
            file.writestr(zipfile.ZipInfo(name), content, **how)
    return target


def named(content: bytes) -> tuple[str, bytes]:
    return f"blobs/{hashlib.sha256(content).hexdigest()}", content


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m.append(("../../outside", b"x")), "name that none may have"),
        (lambda m: m.append(("/etc/passwd", b"x")), "name that none may have"),
        (lambda m: m.append(("blobs/" + "0" * 64, b"x")), "SHA-256"),
        (lambda m: m.append((m[1][0].upper(), b"x")), "name that none may have"),
        (lambda m: m.reverse(), "first member isn't model.binpb"),
        (lambda m: m.clear(), "first member isn't model.binpb"),
        (lambda m: m.extend(named(b"%d" % n) for n in range(10_001)), "more than 10000 members"),
    ],
)
def test_hostile_members(
    store: LocalStore, tmp_path: Path, change: Callable[[list[object]], None], said: str
) -> None:
    path, _ = file_of(store, tmp_path / "m.ir")
    with pytest.raises(BadModel, match=said):
        bundle.read(rewrite(path, change), LocalStore(tmp_path / "other"))


def test_compressed_members_are_refused(store: LocalStore, tmp_path: Path) -> None:
    path, _ = file_of(store, tmp_path / "m.ir")
    target = tmp_path / "bomb.ir"
    with zipfile.ZipFile(path) as file, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr(bundle.MODEL, file.read(bundle.MODEL))
        bomb.writestr("blobs/" + "0" * 64, bytes(10**7))
    with pytest.raises(BadModel, match="compressed"):
        bundle.read(target, LocalStore(tmp_path / "other"))


def test_every_cut_is_noticed(store: LocalStore, tmp_path: Path) -> None:
    path, _ = file_of(store, tmp_path / "m.ir")
    content = path.read_bytes()
    cut = tmp_path / "cut.ir"
    for size in range(0, len(content), 37):
        cut.write_bytes(content[:size])
        with pytest.raises(BadModel):
            bundle.read(cut, LocalStore(tmp_path / "other"))


def test_a_changed_weight_is_noticed(store: LocalStore, tmp_path: Path) -> None:
    path, arrays = file_of(store, tmp_path / "m.ir")
    content = path.read_bytes()
    changed = np.array(arrays["a"])
    changed[0, 0] = 100
    path.write_bytes(content.replace(encode(arrays["a"]), encode(changed)))
    with pytest.raises(BadModel):
        bundle.read(path, LocalStore(tmp_path / "other"))
