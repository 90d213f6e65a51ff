"""Answers: that the one at hand is the one that an action wants."""

from typing import TypeVar

from engine.model.envelopes import Answer
from engine.model.word import Word
from engine.ocpp.errors import LocalError

A = TypeVar("A", bound=Word)


def expected(kind: type[A], answer: Answer, action: str) -> A:
    """The answer, known to be of that kind.

    Raises:
        LocalError: It is another answer: whoever decided it mixed up two messages.
    """
    if not isinstance(answer, kind):
        raise LocalError(f"{action} is answered with a {kind.__name__}, not with a {type(answer).__name__}")
    return answer
