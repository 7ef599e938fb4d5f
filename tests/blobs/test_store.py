"""One process and its store: what goes in comes out, and strangers' input does no harm."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ir_hub.blobs import BlobNotFound, DigestMismatch, InvalidDigest, LocalStore
from ir_hub.ir.tensor import Blob

ABSENT = Blob("0" * 64, 3)
LARGE = os.urandom(3_000_001)


def scratch_of(store: LocalStore) -> list[Path]:
    return list((store.root / "scratch").iterdir())


@pytest.mark.parametrize("data", [b"", b"x", LARGE], ids=["empty", "small", "large"])
def test_bytes_come_back_as_they_were(store: LocalStore, data: bytes) -> None:
    blob = store.put_bytes(data)
    assert blob == Blob(hashlib.sha256(data).hexdigest(), len(data))
    assert store.open(blob) == data
    assert store.open(blob.digest) == data
    assert store.open(blob).readonly
    assert store.path(blob).read_bytes() == data
    assert store.size(blob.digest) == len(data)
    assert scratch_of(store) == []


def test_chunks_make_the_same_blob_as_their_sum(store: LocalStore) -> None:
    view = memoryview(LARGE)
    blob = store.put_chunks(view[start : start + 70_001] for start in range(0, len(LARGE), 70_001))
    assert blob == store.put_bytes(LARGE)
    assert store.open(blob) == LARGE


@pytest.mark.parametrize("shape", [(3, 5), (0, 4), ()])
def test_arrays_are_stored_as_their_bytes(store: LocalStore, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(1).standard_normal(shape)
    assert store.open(store.put_bytes(memoryview(array))) == array.tobytes()
    assert store.open(store.put_chunks([memoryview(array)])) == array.tobytes()


def test_a_syncing_store_stores_the_same(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store", sync=True)
    assert store.open(store.put_bytes(LARGE)) == LARGE


def test_blobs_cannot_be_written(store: LocalStore) -> None:
    blob = store.put_bytes(LARGE)
    assert store.path(blob).stat().st_mode & 0o777 == 0o444
    with pytest.raises(TypeError, match="read-only"):
        store.open(blob)[0] = 0


def test_chunks_that_fail_leave_nothing(store: LocalStore) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"a" * 100_000
        raise OSError("the source broke")

    with pytest.raises(OSError, match="the source broke"):
        store.put_chunks(chunks())
    assert scratch_of(store) == []
    assert store.used_bytes() == 0


def test_a_file_may_change_after_it_was_put(store: LocalStore, tmp_path: Path) -> None:
    source = tmp_path / "weights.bin"
    source.write_bytes(LARGE)
    blob = store.put_file(source)
    assert source.stat().st_nlink == 1
    with open(source, "r+b") as file:
        file.write(b"changed")
    assert store.open(blob) == LARGE
    assert blob == Blob(hashlib.sha256(LARGE).hexdigest(), len(LARGE))


def test_only_regular_files_can_be_put(store: LocalStore, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="not a regular file"):
        store.put_file(tmp_path / "pipe")
    with pytest.raises(IsADirectoryError):
        store.put_file(tmp_path)
    with pytest.raises(FileNotFoundError):
        store.put_file(tmp_path / "absent")
    assert scratch_of(store) == []


def test_a_scratch_file_is_adopted_without_copying(store: LocalStore) -> None:
    with store.scratch() as folder:
        (folder / "saved").write_bytes(LARGE)
        os.utime(folder / "saved", (0.0, 0.0))
        inode = (folder / "saved").stat().st_ino
        blob = store.adopt(folder / "saved")
        assert not (folder / "saved").exists()
    assert store.path(blob).stat().st_ino == inode
    assert store.prune(0) == [], "an adopted file has just been used, whatever its date said"
    assert store.open(blob) == LARGE
    assert scratch_of(store) == []


def test_adopting_what_is_there_already_keeps_one(store: LocalStore) -> None:
    blob = store.put_bytes(LARGE)
    with store.scratch() as folder:
        (folder / "saved").write_bytes(LARGE)
        assert store.adopt(folder / "saved") == blob
        assert not (folder / "saved").exists()
    assert store.used_bytes() == len(LARGE)


def test_only_own_scratch_files_are_adopted(store: LocalStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    with store.scratch() as folder:
        (folder / "hard").hardlink_to(outside)
        (folder / "soft").symlink_to(outside)
        for path in (outside, folder / "hard", folder / "soft", folder):
            with pytest.raises(ValueError, match="put_file"):
                store.adopt(path)
    assert outside.read_bytes() == b"mine"


def test_a_blob_becomes_a_file_of_the_users_own(store: LocalStore, tmp_path: Path) -> None:
    blob = store.put_bytes(LARGE)
    target = tmp_path / "model.onnx"
    target.write_bytes(b"older")
    store.link_to(blob, target)
    assert target.read_bytes() == LARGE
    with open(target, "r+b") as file:
        file.write(b"changed")
    assert store.open(blob) == LARGE
    with pytest.raises(FileNotFoundError):
        store.link_to(blob, tmp_path / "absent" / "model.onnx")
    assert {path.name for path in tmp_path.iterdir()} == {"store", "model.onnx"}


@pytest.mark.parametrize(
    "digest", ["", "../../etc/passwd", "a" * 63, "A" * 64, "a" * 64 + "\n", "é" * 64, "/" * 64]
)
def test_strangers_digests_never_become_paths(store: LocalStore, digest: str) -> None:
    for call in (store.open, store.path, store.has, store.size):
        with pytest.raises(InvalidDigest, match="64 lowercase hexadecimal"):
            call(digest)
    with pytest.raises(InvalidDigest):
        store.missing([Blob(digest, 1)])


def test_all_missing_blobs_are_named(store: LocalStore) -> None:
    present = store.put_bytes(b"present")
    other = Blob("1" * 64, 5)
    assert store.missing([ABSENT, present, other, ABSENT]) == [ABSENT, other]
    with pytest.raises(BlobNotFound, match="2 blob") as caught:
        store.require([ABSENT, present, other])
    assert caught.value.digests == (ABSENT.digest, other.digest)


def test_a_blob_of_another_size_is_not_that_blob(store: LocalStore) -> None:
    blob = store.put_bytes(LARGE)
    wrong = Blob(blob.digest, blob.size - 1)
    view = store.open(blob)
    assert not store.has(wrong)
    assert store.missing([wrong]) == [wrong]
    with pytest.raises(BlobNotFound, match=blob.digest):
        store.open(wrong)
    assert len(view) == blob.size


def test_what_a_crash_of_the_system_cut_short_is_written_again(store: LocalStore) -> None:
    blob = store.put_bytes(LARGE)
    for left in (0, 1000):
        path = store.root / "blobs" / blob.digest[:2] / blob.digest
        path.chmod(0o644)
        os.truncate(path, left)
        assert store.missing([blob]) == [blob]
        assert store.put_bytes(LARGE) == blob
        assert store.open(blob) == LARGE


def test_content_is_compared_with_what_was_announced(store: LocalStore) -> None:
    with store.incoming() as incoming:
        incoming.write(b"something else")
        with pytest.raises(DigestMismatch, match="send it again"):
            store.commit(incoming, ABSENT)
    assert store.used_bytes() == 0
    assert scratch_of(store) == []


def test_verify_finds_changed_content(store: LocalStore) -> None:
    good, bad = store.put_bytes(b"good"), store.put_bytes(b"bad")
    path = store.path(bad)
    path.chmod(0o644)
    path.write_bytes(b"BAD")
    assert store.verify() == [bad.digest]
    assert store.verify(remove=True) == [bad.digest]
    assert store.verify() == []
    assert store.missing([good, bad]) == [bad]


def test_many_views_of_a_blob_take_one_descriptor(store: LocalStore) -> None:
    blob = store.put_bytes(LARGE)
    used = len(os.listdir("/proc/self/fd"))
    views = [store.open(blob) for _ in range(50)]
    assert len(os.listdir("/proc/self/fd")) <= used + 1
    del views
    assert len(os.listdir("/proc/self/fd")) == used
