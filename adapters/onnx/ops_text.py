"""ONNX's ops on texts."""

from __future__ import annotations

from typing import Any

from adapters.onnx.dialect import only, table
from ir_hub.ir.graph import Node
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call

table.same("string_concat", "StringConcat", since=20)
table.same("regex_full_match", "RegexFullMatch", since=20, pattern="pattern")


@table.read("StringSplit", since=20)
def string_split(call: Call, b: Builder) -> Any:
    only(call, "delimiter", "maxsplit")
    return b.string_split(call.inputs[0], **call.attrs)


@table.write("string_split", since=20)
def write_string_split(node: Node, emitter: Any) -> Any:
    attributes = {"delimiter": node.delimiter or None, "maxsplit": node.maxsplit}
    return emitter.node("StringSplit", [node.x], attributes, 2)


_TF_IDF = (
    "min_gram_length",
    "max_gram_length",
    "max_skip_count",
    "ngram_counts",
    "ngram_indexes",
    "pool_int64s",
    "pool_strings",
    "weights",
)


@table.read("TfIdfVectorizer", since=9)
def tf_idf_vectorizer(call: Call, b: Builder) -> Any:
    only(call, *_TF_IDF, "mode")
    literals = {name: call.attrs[name] for name in _TF_IDF if name in call.attrs}
    return b.tf_idf_vectorizer(call.inputs[0], mode=call.attrs["mode"].lower(), **literals)


@table.write("tf_idf_vectorizer", since=9)
def write_tf_idf_vectorizer(node: Node, emitter: Any) -> Any:
    optional = ("pool_int64s", "pool_strings", "weights")
    attributes = {n: node.args[n] or (None if n in optional else 0) for n in _TF_IDF}
    attributes["mode"] = node.mode.upper()
    return emitter.node("TfIdfVectorizer", [node.x], attributes)


@table.read("StringNormalizer", since=10)
def string_normalizer(call: Call, b: Builder) -> Any:
    """The locale only matters to how letters change case, which is Unicode's way here."""
    only(call, "case_change_action", "is_case_sensitive", "stopwords", "locale")
    return b.string_normalizer(
        call.inputs[0],
        case_change_action=call.attrs.get("case_change_action", "NONE").lower(),
        is_case_sensitive=bool(call.attrs.get("is_case_sensitive", 0)),
        stopwords=tuple(call.attrs.get("stopwords", ())),
    )


@table.write("string_normalizer", since=10)
def write_string_normalizer(node: Node, emitter: Any) -> Any:
    attributes = {
        "case_change_action": node.case_change_action.upper(),
        "is_case_sensitive": node.is_case_sensitive,
        "stopwords": node.stopwords or None,
    }
    return emitter.node("StringNormalizer", [node.x], attributes)
