"""What is remembered of firmware: updates and publications that were asked for.

Bounded: the last UPDATES_MAX updates and PUBLICATIONS_MAX publications. An update that ended stays until then, so that
a late status and the boot with the new firmware find it.
"""

from datetime import datetime
from typing import Any, Self, assert_never

import msgspec
from msgspec.structs import replace

from engine.model.firmware import (
    FirmwareResult,
    FirmwareStatus,
    FirmwareStatusRecorded,
    FirmwareUnchanged,
    FirmwareUpdateAsked,
    FirmwareUpdateEnded,
    FirmwareUpdateStalled,
    FirmwareVersionSeen,
    PublicationAsked,
    PublicationEnded,
    PublicationStatus,
    PublicationStatusRecorded,
)
from engine.station import procedures
from engine.station.procedures import Procedure

UPDATES_MAX = 4
PUBLICATIONS_MAX = 8
PUBLICATION_ENDS = frozenset(
    {
        PublicationStatus.PUBLISHED,
        PublicationStatus.DOWNLOAD_FAILED,
        PublicationStatus.INVALID_CHECKSUM,
        PublicationStatus.PUBLISH_FAILED,
    }
)
"""Nothing is to come after these. What is published stays until it is unpublished."""

FirmwareFact = (
    FirmwareUpdateAsked
    | FirmwareStatusRecorded
    | FirmwareUpdateEnded
    | FirmwareUpdateStalled
    | FirmwareUnchanged
    | FirmwareVersionSeen
    | PublicationAsked
    | PublicationStatusRecorded
    | PublicationEnded
)


class Update(Procedure, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """An update. `retrieve_at`, `install_at`: not before. `from_version`: what ran when it was asked for, if known.

    `booted`: the station has booted with another firmware since. `unchanged`: it has booted with the same one.
    """

    retrieve_at: datetime | None = None
    install_at: datetime | None = None
    from_version: str | None = None
    booted: bool = False
    unchanged: bool = False


class Publication(Procedure, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """A publication of the file with this MD5 checksum."""

    checksum: str = ""


class Firmware(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Updates and publications, oldest first. `statuses`: how many were told, ever."""

    updates: tuple[Update, ...] = ()
    publications: tuple[Publication, ...] = ()
    statuses: int = 0

    def after(self, fact: FirmwareFact) -> Self:
        """After something became true."""
        match fact:
            case FirmwareUpdateAsked():
                return self._asked(fact)
            case FirmwareStatusRecorded():
                return self._told(fact)
            case FirmwareUpdateEnded():
                return replace(self, updates=self._ended(fact))
            case FirmwareUpdateStalled():
                return replace(self, updates=procedures.silenced(self.updates, fact.request_id))
            case FirmwareUnchanged():
                return replace(self, updates=_marked(self.updates, fact.request_id, unchanged=True))
            case FirmwareVersionSeen():
                return replace(self, updates=_marked(self.updates, fact.request_id, booted=True))
            case PublicationAsked():
                return self._publication_asked(fact)
            case PublicationStatusRecorded():
                return self._publication_told(fact)
            case PublicationEnded():
                return replace(self, publications=self._publication_ended(fact))
            case _:
                assert_never(fact)

    def update(self, request_id: int | None) -> Update | None:
        """The one of this number; None: the youngest that has not ended."""
        return procedures.find(self.updates, request_id)

    def publication(self, request_id: int | None) -> Publication | None:
        """The same of publications."""
        return procedures.find(self.publications, request_id)

    def _asked(self, fact: FirmwareUpdateAsked) -> Self:
        known = self._known(fact.request_id)
        ended = fact.accepted is False or (known is not None and known.ended)
        update = replace(
            known or Update(fact.request_id, from_version=fact.from_version),
            retrieve_at=fact.retrieve_at,
            install_at=fact.install_at,
            ended=ended,
            expected_by=None if ended else fact.expected_by,
        )
        return replace(self, updates=procedures.put(self.updates, update, UPDATES_MAX))

    def _told(self, fact: FirmwareStatusRecorded) -> Self:
        counted = replace(self, statuses=fact.number)
        known = None if fact.request_id is None else self._known(fact.request_id)
        if known is None:
            return counted
        told = replace(known, status=fact.status.value, ended=fact.result is not None, expected_by=fact.expected_by)
        return replace(counted, updates=procedures.put(self.updates, told, UPDATES_MAX))

    def _ended(self, fact: FirmwareUpdateEnded) -> tuple[Update, ...]:
        if fact.result is FirmwareResult.CANCELLED:
            return procedures.cancelled(self.updates, fact.request_id)
        installed = FirmwareStatus.INSTALLED.value
        return _marked(self.updates, fact.request_id, status=installed, ended=True, expected_by=None)

    def _known(self, request_id: int) -> Update | None:
        return procedures.find(self.updates, request_id)

    def _publication_asked(self, fact: PublicationAsked) -> Self:
        known = procedures.find(self.publications, fact.request_id)
        ended = fact.accepted is False or (known is not None and known.ended)
        publication = replace(
            known or Publication(fact.request_id, checksum=fact.checksum),
            ended=ended,
            expected_by=None if ended else fact.expected_by,
        )
        return replace(self, publications=procedures.put(self.publications, publication, PUBLICATIONS_MAX))

    def _publication_told(self, fact: PublicationStatusRecorded) -> Self:
        counted = replace(self, statuses=fact.number)
        known = None if fact.request_id is None else procedures.find(self.publications, fact.request_id)
        if known is None:
            return counted
        told = replace(
            known, status=fact.status.value, ended=fact.status in PUBLICATION_ENDS, expected_by=fact.expected_by
        )
        return replace(counted, publications=procedures.put(self.publications, told, PUBLICATIONS_MAX))

    def _publication_ended(self, fact: PublicationEnded) -> tuple[Publication, ...]:
        if fact.stalled:
            return procedures.silenced(self.publications, fact.request_id)
        return tuple(known for known in self.publications if known.request_id != fact.request_id)


def _marked(updates: tuple[Update, ...], request_id: int | None, **changes: Any) -> tuple[Update, ...]:
    """With the one of this number changed."""
    return tuple(replace(known, **changes) if known.request_id == request_id else known for known in updates)
