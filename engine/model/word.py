"""The one shape of every word: an immutable struct that carries its name when it travels."""

import msgspec


class Word(msgspec.Struct, frozen=True, tag=True, tag_field="is", omit_defaults=True, gc=False):
    """Base of every typed value. In a union the field `is`, the class name, tells which word it is.

    The collector of cycles does not look at words: immutable values cannot form any, and a turn holds tens of thousands
    (with the collector on them, decoding a batch took five times as long).
    """
