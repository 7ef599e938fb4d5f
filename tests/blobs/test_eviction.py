"""What leaves a store, what stays, and what happens when there is no room."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ir_hub.blobs import BlobNotFound, LocalStore, StoreFull
from ir_hub.ir.tensor import Blob
from tests.blobs.conftest import Start

KIB = 1024


def put(store: LocalStore, letter: str, age: float, size: int = KIB) -> Blob:
    """A blob that was last used `age` seconds ago."""
    blob = store.put_bytes(letter.encode() * size)
    make_older(store, blob, age)
    return blob


def make_older(store: LocalStore, blob: Blob, age: float) -> None:
    used = time.time() - age
    os.utime(store.path(blob), (used, used))


@pytest.fixture
def blobs(store: LocalStore) -> list[Blob]:
    """Four blobs of 1 KiB, the first used longest ago."""
    return [put(store, letter, 4000.0 - 1000 * place) for place, letter in enumerate("abcd")]


def test_least_recently_used_blobs_go_first(store: LocalStore, blobs: list[Blob]) -> None:
    assert store.prune(2 * KIB) == blobs[:2]
    assert store.missing(blobs) == blobs[:2]
    assert store.used_bytes() == 2 * KIB


def test_opening_is_a_use(store: LocalStore, blobs: list[Blob]) -> None:
    store.open(blobs[0])
    assert store.prune(2 * KIB) == blobs[1:3]


def test_being_asked_about_is_a_use(store: LocalStore, blobs: list[Blob]) -> None:
    store.missing(blobs[:2])
    assert store.prune(0) == blobs[2:]


def test_putting_again_is_a_use(store: LocalStore, blobs: list[Blob]) -> None:
    assert store.put_chunks([b"a" * KIB]) == blobs[0]
    assert store.prune(3 * KIB) == blobs[1:2]


def test_uses_are_noted_once_a_minute(store: LocalStore) -> None:
    blob = put(store, "a", age=30.0)
    before = store.path(blob).stat().st_mtime_ns
    store.open(blob)
    assert store.path(blob).stat().st_mtime_ns == before


def test_recently_used_blobs_stay(store: LocalStore, blobs: list[Blob]) -> None:
    assert store.prune(0, older_than=2500.0) == blobs[:2]


@pytest.mark.parametrize("as_function", [False, True])
def test_what_the_caller_keeps_stays(
    store: LocalStore, blobs: list[Blob], as_function: bool
) -> None:
    held = {blobs[0].digest, blobs[2].digest}
    removed = store.prune(0, held.__contains__ if as_function else held, older_than=0.0)
    assert removed == [blobs[1], blobs[3]]


def test_leased_blobs_stay_until_released(store: LocalStore, blobs: list[Blob]) -> None:
    with store.lease("conversion-1", blobs[:1]) as lease:
        lease.add(blobs[1:2])
        assert store.prune(0, older_than=0.0) == blobs[2:]
    assert store.prune(0, older_than=0.0) == blobs[:2]
    assert list((store.root / "leases").iterdir()) == []


def test_two_leases_may_have_one_name(store: LocalStore, blobs: list[Blob]) -> None:
    first, second = (store.lease("conversion-1", [blob]) for blob in blobs[:2])
    first.release()
    assert store.prune(0, older_than=0.0) == [*blobs[2:], blobs[0]]
    second.release()


def test_leases_expire_unless_renewed(store: LocalStore, blobs: list[Blob]) -> None:
    expired = store.lease("a", blobs[:1], seconds=-1.0)
    renewed = store.lease("b", blobs[1:2], seconds=-1.0)
    renewed.renew(60.0)
    assert store.prune(0, older_than=0.0) == [*blobs[2:], blobs[0]]
    expired.release()
    renewed.release()


def test_a_lease_on_absent_blobs_is_refused(store: LocalStore, blobs: list[Blob]) -> None:
    absent = Blob("0" * 64, 1)
    with pytest.raises(BlobNotFound, match=absent.digest):
        store.lease("a", [*blobs, absent])
    assert store.prune(0, older_than=0.0) == blobs


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a" * 101])
def test_names_of_leases_are_checked(store: LocalStore, name: str) -> None:
    with pytest.raises(ValueError, match="can't name a lease"):
        store.lease(name)


def test_a_dead_owners_lease_holds_nothing(
    store: LocalStore, blobs: list[Blob], start: Start
) -> None:
    owner = start(
        "from ir_hub.ir.tensor import Blob\n"
        f"lease = store.lease('a', [Blob({blobs[0].digest!r}, {KIB})])\n"
        "print('held', flush=True); input()",
        store.root,
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "held\n"
    assert store.prune(0, older_than=0.0) == blobs[1:]
    owner.kill()
    owner.wait()
    assert store.prune(0, older_than=0.0) == blobs[:1]
    assert list((store.root / "leases").iterdir()) == []


def test_a_mapping_survives_eviction(store: LocalStore) -> None:
    data = os.urandom(1 << 20)
    blob = store.put_bytes(data)
    view = store.open(blob)
    assert store.prune(0, older_than=0.0) == [blob]
    assert view == data
    assert not store.has(blob)
    assert store.put_bytes(data) == blob
    assert store.open(blob) == data


def test_additions_evict_to_stay_below_the_limit(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store", limit_bytes=10 * KIB)
    old = [put(store, letter, age=1000.0) for letter in "abcdefghij"]
    assert store.used_bytes() == 10 * KIB
    store.put_bytes(b"k" * 2 * KIB)
    assert store.used_bytes() <= 10 * KIB
    assert store.missing(old) == old[:3]


def test_a_full_store_keeps_what_is_in_use(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store", limit_bytes=4 * KIB)
    held = put(store, "a", age=1000.0, size=3 * KIB)
    with store.lease("a", [held]):
        for add in (store.put_bytes, lambda data: store.put_chunks([data])):
            with pytest.raises(StoreFull, match="irhub store prune") as caught:
                add(b"b" * 2 * KIB)
            assert caught.value.needed_bytes == 2 * KIB
            assert caught.value.free_bytes == KIB
            assert "limit of 4096 bytes" in str(caught.value)
    make_older(store, held, 1000.0)
    assert store.put_bytes(b"b" * 2 * KIB).size == 2 * KIB
    assert list((store.root / "scratch").iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_said_and_survived(small_disk: Path) -> None:
    store = LocalStore(small_disk / "store")
    first = store.put_bytes(b"a" * 300 * KIB)
    with pytest.raises(StoreFull, match="the disk") as caught:
        store.put_bytes(b"b" * 800 * KIB)
    assert caught.value.needed_bytes == 800 * KIB
    assert 600 * KIB < caught.value.free_bytes <= 724 * KIB
    # Without a size known before, the disk itself says that it is full.
    with pytest.raises(StoreFull, match=str(small_disk)):
        store.put_chunks(b"c" * 100 * KIB for _ in range(8))
    assert list((store.root / "scratch").iterdir()) == []
    assert store.open(first) == b"a" * 300 * KIB
    assert store.put_bytes(b"d" * 600 * KIB).size == 600 * KIB


def test_a_full_disk_evicts_if_there_is_a_limit(small_disk: Path) -> None:
    store = LocalStore(small_disk / "store", limit_bytes=100 * 1024 * KIB)
    old = put(store, "a", age=1000.0, size=600 * KIB)
    new = store.put_bytes(b"b" * 700 * KIB)
    assert store.missing([old, new]) == [old]


def test_a_lease_on_a_full_disk_stays_as_it_was(small_disk: Path) -> None:
    store = LocalStore(small_disk / "store")
    kept = store.put_bytes(b"kept")
    with store.lease("a", [kept]) as lease:
        filler = small_disk / "filler"
        with open(filler, "wb", buffering=0) as file:
            free = os.statvfs(small_disk)
            file.write(b"x" * free.f_bavail * free.f_bsize)
        with pytest.raises(StoreFull):
            lease.add([kept] * 1000)
        filler.unlink()
        lease.renew(60.0)
        assert store.prune(0, older_than=0.0) == []
