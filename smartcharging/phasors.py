"""Currents that do not add up as numbers: a limit on the length of a sum of phasors as rows of real numbers.

Between the phases of a DELTA network (208 V) loads draw at different angles, so a conductor carries the length of a
complex sum. That length stays within its limit if the sum stays within a polygon inscribed in the limit's circle.
A row is one side of the polygon. All that these rows allow is allowed by the circle; what they forbid of it is at
most `1 - cos(step / 2)` of the limit (0.4 % at 10 degrees), and nothing at the corners.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smartcharging.problem import Floats, Ints

Complexes = NDArray[np.complex128]

STEP_DEGREES = 10.0
FULL_TURN = 2 * np.pi
ANGLE_TOLERANCE = 1e-9
"""Radians: angles this close are one."""


class Facets(NamedTuple):
    """Sides of a polygon. `angles`: (f,) where each looks, radians. `stretch`: 1 / cos(half a step), 1 at least."""

    angles: Floats
    stretch: float


class PolygonRows(NamedTuple):
    """Real rows of complex constraints: `matrix @ x <= limits` makes `abs(constraints @ x) <= their limits`.

    `matrix`: (m, n). `limits`: (m,), each that of its constraint (rows are stretched, limits are not). `constraints`:
    (m,) int64, which constraint a row belongs to, ascending.
    """

    matrix: Floats
    limits: Floats
    constraints: Ints


def facets(first: float, last: float, step_degrees: float = STEP_DEGREES) -> Facets:
    """Sides that hold a sum whose angle lies within an arc.

    Args:
        first: Where the arc begins, radians.
        last: Where it ends, counterclockwise, at most a full turn further.
        step_degrees: The most that one side spans, above 0 and at most 90.

    Returns:
        One exact side for an arc without width. Corners lie on both ends of the arc.
    """
    if not 0 < step_degrees <= 90:
        raise ValueError(f"a step of {step_degrees:g} degrees: use one above 0 and of at most 90")
    span = min(max(last - first, 0.0), FULL_TURN)
    if span <= ANGLE_TOLERANCE:
        return Facets(np.array([first]), 1.0)
    count = max(int(np.ceil(span / np.radians(step_degrees) - ANGLE_TOLERANCE)), 3 if span >= FULL_TURN else 1)
    step = span / count
    angles: Floats = first + step * (np.arange(count, dtype=np.float64) + 0.5)
    return Facets(angles, float(1 / np.cos(step / 2)))


def arc_of(angles: Floats) -> tuple[float, float]:
    """The smallest arc that holds all sums of phasors of these angles (radians), with factors of 0 and up.

    Returns:
        Where it begins and how far it reaches counterclockwise: `(first, last)` with `first <= last`. Half a turn or
        more: a full turn, for then a sum can have any angle.
    """
    if not len(angles):
        return 0.0, 0.0
    turned = np.sort(np.mod(angles, FULL_TURN))
    gaps = np.diff(turned, append=turned[0] + FULL_TURN)
    widest = int(np.argmax(gaps))
    span = FULL_TURN - float(gaps[widest])
    if span >= np.pi - ANGLE_TOLERANCE:
        return -np.pi, np.pi
    first = float(turned[(widest + 1) % len(turned)])
    return first, first + span


def polygon_rows(
    matrix: Complexes, limits: Floats, step_degrees: float = STEP_DEGREES, *, signed: bool = False
) -> PolygonRows:
    """Rows that keep `abs(matrix @ x)` within limits, for x of 0 and up.

    Sides look only where a sum can: where the phasors of a constraint lie within a quarter of a turn, as they do in a
    delta network, no coefficient is negative, and one of a single angle is one exact row.

    Args:
        matrix: (k, n) complex, what each constraint carries per A of each car.
        limits: (k,) of the length, 0 and up; inf gives rows, too.
        step_degrees: The most that one side spans.
        signed: x may be negative, too (cars that discharge): sides look everywhere.

    Raises:
        ValueError: Shapes do not fit, or there is a NaN or a negative limit.
    """
    if matrix.ndim != 2 or limits.shape != matrix.shape[:1]:
        raise ValueError(f"{matrix.shape} coefficients do not fit {limits.shape} limits: want (k, n) and (k,)")
    if not np.isfinite(matrix).all() or not (limits >= 0).all():
        raise ValueError("coefficients must be finite, limits must be 0 or more")
    blocks: list[Floats] = []
    counts: list[int] = []
    for constraint in matrix:
        angles = np.angle(constraint[np.abs(constraint) > 0])
        sides = facets(-np.pi, np.pi, step_degrees) if signed else facets(*arc_of(angles), step_degrees)
        block = np.real(np.exp(-1j * sides.angles)[:, None] * constraint[None, :]) * sides.stretch
        block[np.abs(block) < ANGLE_TOLERANCE] = 0.0
        blocks.append(block)
        counts.append(len(sides.angles))
    owners = np.repeat(np.arange(len(limits)), counts)
    stacked = np.concatenate(blocks) if blocks else np.zeros((0, matrix.shape[1]))
    return PolygonRows(stacked, limits[owners], owners)
