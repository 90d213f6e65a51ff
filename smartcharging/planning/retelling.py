"""What the stores know of stations, as the wire and the keepers want it after a restart.

The stories come as facts (`storage.queries.station_stories`), oldest first within each kind; the wire wants one
`KnownStation` each. Commands whose end is not known stay open or in doubt under their own ids.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from engine.model.charging_profiles import ScheduleUpdate
from engine.model.commands import CommandRequest, CommandRequested, CommandSent, CommandSettled
from engine.model.device_model import VariableEntry, VariablesRecorded
from engine.model.facts import Fact
from engine.model.provisioning import StationBooted
from engine.model.quirks import Make
from engine.model.sessions import SessionEnded, SessionStarted
from engine.model.smart_charging import DynamicScheduleUpdated, ProfileInstalled
from smartcharging.wire.restoring import KnownOrder, KnownProfile, KnownStation

Story = Sequence[tuple[Fact, datetime]]


def known_stations(stories: Mapping[str, Story]) -> list[KnownStation]:
    """All stations, those of which nothing is known among them."""
    return [known_station(station, story) for station, story in stories.items()]


class _Told:
    """What a story comes to."""

    def __init__(self, story: Story) -> None:
        self.session: SessionStarted | None = None
        self.booted: StationBooted | None = None
        self.profiles: dict[int, ProfileInstalled] = {}
        self.numbers: dict[int, ScheduleUpdate] = {}
        self.variables: list[VariableEntry] = []
        self.commands: dict[str, CommandRequest] = {}
        self.sent: dict[str, datetime] = {}
        self.over: set[str] = set()
        for fact, _ in story:
            self._hear(fact)

    def _hear(self, fact: Fact) -> None:
        match fact:
            case SessionStarted():
                self.session = fact
            case SessionEnded():
                self.session = None
            case StationBooted():
                self.booted = fact
            case ProfileInstalled():
                self.profiles[fact.profile.id] = fact
                self.numbers.pop(fact.profile.id, None)
            case DynamicScheduleUpdated():
                self.numbers[fact.profile_id] = fact.update
            case VariablesRecorded():
                self.variables += fact.entries
            case CommandRequested():
                self.commands[fact.request.command_id] = fact.request
            case CommandSent():
                self.sent[fact.command_id] = fact.at
            case CommandSettled():
                self.over.add(fact.command_id)
            case _:
                pass


def known_station(station: str, story: Story) -> KnownStation:
    """One station."""
    told = _Told(story)
    opened = None if told.session is None else told.session.opened
    boot = None if told.booted is None else told.booted.boot
    return KnownStation(
        station=station,
        online=opened is not None,
        session=None if opened is None else opened.session,
        version=None if opened is None else opened.version,
        make=None if boot is None else Make(boot.vendor, boot.model, boot.firmware_version or ""),
        profiles=tuple(
            KnownProfile(evse=fact.evse, profile=fact.profile, installed_at=fact.at, numbers=told.numbers.get(name))
            for name, fact in told.profiles.items()
        ),
        orders=tuple(
            known_order(request, told.sent.get(name), is_open=name not in told.over)
            for name, request in told.commands.items()
            if name not in told.over or not _outlived(request, told.profiles)
        ),
        variables=tuple(told.variables),
        booted_at=None if told.booted is None else told.booted.at,
    )


def known_order(request: CommandRequest, sent_at: datetime | None, *, is_open: bool) -> KnownOrder:
    """A command of ours whose end is not known."""
    return KnownOrder(
        order_id=request.command_id, command=request.command, sent_at=sent_at or request.requested_at, open=is_open
    )


def _outlived(request: CommandRequest, profiles: Mapping[int, ProfileInstalled]) -> bool:
    """Whether a profile was installed at its place after a command of unknown fate: then that one is gone."""
    profile = getattr(request.command, "profile", None)
    profile_id = getattr(request.command, "profile_id", None) if profile is None else profile.id
    installed = None if profile_id is None else profiles.get(profile_id)
    return installed is not None and installed.at > request.deadline_at
