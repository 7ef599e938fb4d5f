"""Texts of strangers, such as names in a model file, as a terminal may show them."""

from __future__ import annotations

from rich.markup import escape


def plain(text: str) -> str:
    """The text for a console, to which [brackets] mean colours; characters that would steer the
    terminal are spelled out, line ends excepted."""
    return escape("".join(map(_shown, text)))


def _shown(character: str) -> str:
    if character.isprintable() or character == "\n":
        return character
    return character.encode("unicode_escape").decode()
