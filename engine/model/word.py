"""The one shape of every word: an immutable struct that carries its name when it travels."""

import msgspec


class Word(msgspec.Struct, frozen=True, tag=True, tag_field="is", omit_defaults=True):
    """Base of every typed value. In a union the field `is`, the class name, tells which word it is."""
