"""Several processes and one store: whoever dies or hurries, nobody sees half a blob."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from ir_hub.blobs import LocalStore
from tests.blobs.conftest import Start

WRITE_HALF = """
incoming = store.incoming()
incoming.write(b"x" * 5_000_000)
folder = store.scratch()
(folder.__enter__() / "saved").write_bytes(b"y" * 1_000_000)
print("half", flush=True)
input()
incoming.write(b"x" * 5_000_000)
print(store.commit(incoming).digest, flush=True)
input()
"""

WRITE_SAME = """
import time
time.sleep(max(0.0, float(input()) - time.time()))
for number in range(200):
    content = number.to_bytes(4, "little") * 20_000
    blob = store.put_chunks([content[:40_000], content[40_000:]])
    assert store.open(blob) == content
print("done", flush=True)
"""

HOLD_AND_READ = """
import time
from ir_hub.blobs import BlobNotFound
time.sleep(max(0.0, float(input()) - time.time()))
lost = 0
for number in range(300):
    content = number.to_bytes(4, "little") * 1_000
    blob = store.put_bytes(content)
    try:
        with store.lease("reader", [blob]):
            time.sleep(0.001)
            assert store.open(blob) == content
    except BlobNotFound:
        lost += 1
print(lost, flush=True)
"""

PRUNE = """
import time
time.sleep(max(0.0, float(input()) - time.time()))
end = time.time() + 1.5
removed = 0
while time.time() < end:
    removed += len(store.prune(0, older_than=0.0))
print(removed, flush=True)
"""


def scratch_of(root: Path) -> list[Path]:
    return list((root / "scratch").iterdir())


def test_a_killed_writer_leaves_nothing(tmp_path: Path, start: Start) -> None:
    writer = start(WRITE_HALF, tmp_path)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "half\n"
    store = LocalStore(tmp_path)
    assert len(scratch_of(tmp_path)) == 2, "a living writer's files are left alone"
    writer.kill()
    writer.wait()
    assert store.used_bytes() == 0
    LocalStore(tmp_path)
    assert scratch_of(tmp_path) == []


def test_pruning_spares_what_is_being_written(tmp_path: Path, start: Start) -> None:
    writer = start(WRITE_HALF, tmp_path)
    assert writer.stdout is not None
    assert writer.stdin is not None
    assert writer.stdout.readline() == "half\n"
    store = LocalStore(tmp_path)
    store.prune(0, older_than=0.0)
    writer.stdin.write("go on\n")
    writer.stdin.flush()
    assert writer.stdout.readline() == hashlib.sha256(b"x" * 10_000_000).hexdigest() + "\n"
    assert store.used_bytes() == 10_000_000


def test_writers_of_the_same_blobs_agree(tmp_path: Path, start: Start) -> None:
    writers = [start(WRITE_SAME, tmp_path) for _ in range(3)]
    together = f"{time.time() + 1.0}\n"
    assert [writer.communicate(together)[0] for writer in writers] == ["done\n"] * 3
    store = LocalStore(tmp_path)
    assert store.used_bytes() == 200 * 80_000
    assert store.verify() == []
    assert scratch_of(tmp_path) == []


def test_leases_hold_against_another_process_that_prunes(tmp_path: Path, start: Start) -> None:
    reader, pruner = start(HOLD_AND_READ, tmp_path), start(PRUNE, tmp_path)
    together = f"{time.time() + 1.0}\n"
    for process in (reader, pruner):
        assert process.stdin is not None
        process.stdin.write(together)
        process.stdin.flush()
    # A blob may go between put and lease, which says so; never while it is held.
    assert int(reader.communicate()[0]) < 300
    assert int(pruner.communicate()[0]) > 0
