"""A model's framework is told from its files, those of a folder in any order among them."""

import pytest

from ir_hub.hub.detect import NoAdapter, detect
from irhub.adapter.v1 import adapter_pb2


def _reads(*suffixes):
    format_ = adapter_pb2.Format(name="any", suffixes=suffixes)
    return adapter_pb2.DescribeResponse(reads=[format_])


ADAPTERS = {
    "tensorflow": _reads(".keras", "saved_model.pb", ".pb"),
    "mxnet": _reads("-symbol.json"),
    "other": _reads(".json", ".params"),
}


@pytest.mark.parametrize(
    ("names", "framework"),
    [
        (["net.keras"], "tensorflow"),
        (["net-symbol.json", "net-0000.params"], "mxnet"),
        (["net.params"], "other"),
        (["assets/words.txt", "fingerprint.pb", "saved_model.pb"], "tensorflow"),
        (["variables/variables.index", "saved_model.pb"], "tensorflow"),
    ],
)
def test_by_names(names, framework):
    assert detect(names, b"", ADAPTERS) == framework


def test_nothing_reads_it():
    with pytest.raises(NoAdapter, match=r"No adapter reads files like 'words\.txt'"):
        detect(["words.txt", "notes.md"], b"", ADAPTERS)


def test_what_to_do_with_it_is_said():
    pickle = adapter_pb2.Format(name="pickle", suffixes=[".pt"], description="Export it as .pt2.")
    adapters = ADAPTERS | {"pytorch": adapter_pb2.DescribeResponse(unread=[pickle])}
    with pytest.raises(NoAdapter, match=r"like 'Net\.PT'\. Export it as \.pt2\. What there is: "):
        detect(["Net.PT"], b"", adapters)


def test_several_may_read_it():
    adapters = {"one": _reads(".bin"), "two": _reads(".bin")}
    with pytest.raises(NoAdapter, match="may be a model of one or two"):
        detect(["net.bin"], b"", adapters)
