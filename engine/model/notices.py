"""Notices: messages whose meaning the domain does not interpret (yet), kept verbatim."""

from datetime import datetime

from engine.model.word import Word


class StationNotice(Word, frozen=True):
    """Report: any other station-initiated action. `payload`: its JSON, verbatim.

    `echo`: what the answer must repeat of it (JSON), e.g. the number in a VatNumberValidation; None: nothing.
    """

    action: str
    payload: bytes
    echo: bytes | None = None


class NoticeAnswer(Word, frozen=True):
    """Taken note of; the translator words the answer that commits us to least. `echo`: the report's, given back."""

    echo: bytes | None = None


class NoticeRecorded(Word, frozen=True):
    """Fact."""

    notice: StationNotice
    at: datetime


class RawCommand(Word, frozen=True):
    """Command: any CSMS-initiated action with a payload (JSON) that its schema accepts."""

    action: str
    payload: bytes
