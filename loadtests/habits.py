"""How a virtual station behaves: its pace, its cars, its patience, its quirks."""

from dataclasses import dataclass, field

from loadtests.garage import GARAGES
from loadtests.link import Patience
from loadtests.quirks import quirks_of
from loadtests.wording import WORDING_OF_VERSION


@dataclass(frozen=True)
class Habits:
    """How a station behaves; times in real seconds.

    Attributes:
        meter_interval_s: Between meter values while charging.
        charge_s: A car stays between these.
        idle_s: A connector is empty between these.
        speed: Battery time per real time, so that a demo shows whole charges in minutes.
        first_charge_s_max: The first car comes within this.
        connectors: Of each station.
        reboot_s: From the last word to the next connection.
        reaction_s: From a new limit to the power of the car.
        firmware_s: Each step of a firmware update.
        upload_s: The upload of a log.
        clock_skew_s: How far its clock is ahead of the true time, whatever the CSMS tells; 0.0: the CSMS sets it.
        check_share: Of the CSMS' messages that are checked by the official schemas, 0 to 1.
        garage: Which cars come, of `loadtests.garage.GARAGES`.
        quirks: Names in `loadtests.quirks.QUIRKS`.
        patience: With the CSMS.

    Raises:
        ValueError: There is no such quirk or garage, or a share or time is out of bounds.
    """

    meter_interval_s: float = 10.0
    charge_s: tuple[float, float] = (60.0, 240.0)
    idle_s: tuple[float, float] = (5.0, 60.0)
    speed: float = 1.0
    first_charge_s_max: float = 10.0
    connectors: int = 1
    reboot_s: float = 1.0
    reaction_s: float = 2.0
    firmware_s: float = 5.0
    upload_s: float = 3.0
    clock_skew_s: float = 0.0
    check_share: float = 1.0
    garage: str = "plain"
    quirks: tuple[str, ...] = ()
    patience: Patience = field(default_factory=Patience)

    def __post_init__(self) -> None:
        if not 0.0 <= self.check_share <= 1.0:
            raise ValueError(f"check_share must be 0 to 1, not {self.check_share}")
        if self.garage not in GARAGES:
            raise ValueError(f"there is no garage {self.garage!r}; expected one of {', '.join(GARAGES)}")
        for name in ("reaction_s", "firmware_s", "upload_s"):
            if getattr(self, name) < 0.0:
                raise ValueError(f"{name} must not be negative, it is {getattr(self, name)}")
        for version in WORDING_OF_VERSION:
            quirks_of(self.quirks, version)
