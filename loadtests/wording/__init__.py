"""What a virtual station says in each OCPP version: raw payloads, a second reading of the rules.

A `Wording` turns what happens at a station into (action, payload) and reads the few replies a station must understand.
"""

from loadtests.wording.v2 import Wording2
from loadtests.wording.v16 import Wording16
from loadtests.wording.words import MEASURANDS, Call, Charge, Meter, Moment, Payload, Wording, stamp

__all__ = [
    "MEASURANDS",
    "WORDING_OF_VERSION",
    "Call",
    "Charge",
    "Meter",
    "Moment",
    "Payload",
    "Wording",
    "Wording2",
    "Wording16",
    "stamp",
]

WORDING_OF_VERSION: dict[str, Wording] = {
    "1.6": Wording16(),
    "2.0.1": Wording2("ocpp2.0.1"),
    "2.1": Wording2("ocpp2.1"),
}
