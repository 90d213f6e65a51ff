"""The networks of Caltech's, JPL's and an office's garages, as `acnportal` knows them; facts, checked against it.

EVSEs lie between two phases of a 208 V delta: 32 A at most, 6 A at least. Angles of the phasors: AB 30, BC -90, CA 150
degrees. Source: Z. J. Lee, D. Johansson, S. H. Low: "ACN-Sim: An Open-Source Simulator for Data-Driven Electric Vehicle
Charging Research", and the site files of acnportal 0.3.3 (`acnsim/network/sites`).
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from smartcharging.problem import Floats
from smartcharging.replay.phasor_network import Complexes, PhasorNetwork

VOLTAGE_V = 208.0
SECONDARY_V = 120.0
"""Phase to neutral: what the rating of a secondary winding is reckoned with."""
CALTECH_PRIMARY_V = 277.0
WINDING_RATIO = 4
POD_A = 80.0
MAX_A = 32.0
MIN_A = 6.0
ANGLES = {"AB": 30.0, "BC": -90.0, "CA": 150.0}

CC_POD = (322, 493, 496, 320, 495, 321, 323, 494)
AV_POD = (324, 325, 326, 327, 489, 490, 491, 492)
CALTECH_BY_PAIR = {
    "AB": (308, 508, 303, 513, 310, 506, 316, 500, 318, 498, *AV_POD, *CC_POD),
    "BC": (304, 512, 305, 511, 313, 503, 311, 505, 317, 499, 148, 149, 212, 213),
    "CA": (307, 509, 309, 507, 306, 510, 315, 501, 319, 497, 312, 504, 314, 502),
}

JPL_SUB_PANEL_1 = {"AB": ("1F12", "1F14"), "BC": (), "CA": ("1F11", "1F13")}
JPL_SUB_PANEL_2 = {"AB": ("1F03", "1F06"), "BC": ("1F01", "1F04"), "CA": ("1F02", "1F05")}
JPL_MAIN = {"AB": ("1F10",), "BC": ("1F07", "1F09"), "CA": ("1F08",)}
JPL_FLOOR_3 = {
    "AB": ("3F16", "3F17", "3F20", "3F23", "3F25", "3F26", "3F29", "3F33"),
    "BC": ("3F18", "3F21", "3F27", "3F30", "3F31"),
    "CA": ("3F15", "3F19", "3F22", "3F24", "3F28", "3F32"),
}
JPL_FLOOR_4 = {
    "AB": ("4F35", "4F36", "4F39", "4F42", "4F44", "4F45", "4F48", "4F52"),
    "BC": ("4F37", "4F40", "4F46", "4F49", "4F50"),
    "CA": ("4F34", "4F38", "4F41", "4F43", "4F47", "4F51"),
}
JPL_SUB_PANEL_A = 100.0
JPL_FLOOR_A = 225.0
JPL_FIRST_FLOOR_SHARE = 45.0 / 150.0
"""A cap of the large transformer stands beside one of the small one in the proportion in which they are built."""
OFFICE_BY_PAIR = {"AB": ("01", "04", "07"), "BC": ("02", "05", "08"), "CA": ("03", "06")}

Pairs = Mapping[str, Sequence[str]]


class _Wiring:
    """Collects rows over EVSEs that lie between phases."""

    def __init__(self, boards: Sequence[Pairs]) -> None:
        self.evses = tuple(evse for board in boards for pair in ANGLES for evse in board[pair])
        self._column = {evse: column for column, evse in enumerate(self.evses)}
        self.matrix: list[Complexes] = []
        self.limits: list[float] = []
        self.names: list[str] = []

    def between(self, *boards: Pairs) -> dict[str, Complexes]:
        """(e,) what flows between each pair of phases, per A of each EVSE on these boards."""
        currents = {pair: np.zeros(len(self.evses), dtype=np.complex128) for pair in ANGLES}
        for pair, angle in ANGLES.items():
            for board in boards:
                for evse in board[pair]:
                    currents[pair][self._column[evse]] = np.exp(1j * np.deg2rad(angle))
        return currents

    def lines(self, *boards: Pairs) -> tuple[Complexes, Complexes, Complexes]:
        """(e,) what flows in the lines a, b, c to these boards."""
        pair = self.between(*boards)
        return pair["AB"] - pair["CA"], pair["BC"] - pair["AB"], pair["CA"] - pair["BC"]

    def add(self, name: str, row: Complexes, limit_a: float) -> None:
        self.matrix.append(row)
        self.limits.append(limit_a)
        self.names.append(name)

    def transformer(self, name: str, boards: Sequence[Pairs], secondary_a: float, primary_a: float) -> None:
        """A delta-wye transformer: its secondary lines, and the currents of its primary windings."""
        a, b, c = self.lines(*boards)
        for line, current in zip("ABC", (a, b, c), strict=True):
            self.add(f"{name}Secondary {line}", current, secondary_a)
        for line, current in zip("ABC", (a - c, b - a, c - b), strict=True):
            self.add(f"{name}Primary {line}", current / WINDING_RATIO, primary_a)

    def network(self, name: str, cap_kw: float) -> PhasorNetwork:
        def filled(value: float) -> Floats:
            return np.full(len(self.evses), value)

        return PhasorNetwork(
            name=name,
            evses=self.evses,
            matrix=np.vstack(self.matrix),
            limits=np.array(self.limits),
            rows=tuple(self.names),
            kw_per_a=filled(VOLTAGE_V / 1000),
            max_a=filled(MAX_A),
            min_a=filled(MIN_A),
            cap_kw=cap_kw,
        )


def caltech(cap_kw: float) -> PhasorNetwork:
    """54 EVSEs, two pods of eight behind 80 A, one transformer of `cap_kw` (built: 150 kW)."""
    board = {pair: tuple(f"CA-{number}" for number in numbers) for pair, numbers in CALTECH_BY_PAIR.items()}
    wiring = _Wiring([board])
    for name, pod in (("CC Pod", CC_POD), ("AV Pod", AV_POD)):
        among = {"AB": tuple(f"CA-{number}" for number in pod), "BC": (), "CA": ()}
        wiring.add(name, wiring.between(among)["AB"], POD_A)
    per_phase_w = cap_kw * 1000 / 3
    wiring.transformer("", [board], per_phase_w / SECONDARY_V, per_phase_w / CALTECH_PRIMARY_V)
    return wiring.network("caltech", cap_kw)


def jpl(cap_kw: float) -> PhasorNetwork:
    """52 EVSEs, two sub-panels, two floors; transformers of `cap_kw` (built: 150 kW) and of 0.3 of it (45 kW)."""

    def named(board: Pairs) -> Pairs:
        return {pair: tuple(f"AG-{number}" for number in numbers) for pair, numbers in board.items()}

    panel_1, panel_2, main = named(JPL_SUB_PANEL_1), named(JPL_SUB_PANEL_2), named(JPL_MAIN)
    floor_3, floor_4 = named(JPL_FLOOR_3), named(JPL_FLOOR_4)
    wiring = _Wiring([panel_1, panel_2, main, floor_3, floor_4])
    for name, board, limit_a in (
        ("First Floor SP1", panel_1, JPL_SUB_PANEL_A),
        ("First Floor SP2", panel_2, JPL_SUB_PANEL_A),
        ("Third Floor Panel", floor_3, JPL_FLOOR_A),
        ("Fourth Floor Panel", floor_4, JPL_FLOOR_A),
    ):
        for line, current in zip("abc", wiring.lines(board), strict=True):
            wiring.add(f"{name} I_{line}", current, limit_a)
    for name, boards, share in (
        ("First Floor Transformer ", (panel_1, panel_2, main), JPL_FIRST_FLOOR_SHARE),
        ("Third/Fourth Floor Transformer ", (floor_3, floor_4), 1.0),
    ):
        secondary_a = cap_kw * share * 1000 / 3 / SECONDARY_V
        wiring.transformer(name, boards, secondary_a, secondary_a * np.sqrt(3))
    return wiring.network("jpl", cap_kw)


def office(cap_kw: float) -> PhasorNetwork:
    """8 EVSEs behind one transformer of `cap_kw` (built: 50 kW)."""
    wiring = _Wiring([OFFICE_BY_PAIR])
    per_phase_w = cap_kw * 1000 / 3
    wiring.transformer("", [OFFICE_BY_PAIR], per_phase_w / SECONDARY_V, per_phase_w / CALTECH_PRIMARY_V)
    return wiring.network("office", cap_kw)


NETWORKS: Mapping[str, Callable[[float], PhasorNetwork]] = {"caltech": caltech, "jpl": jpl, "office": office}
