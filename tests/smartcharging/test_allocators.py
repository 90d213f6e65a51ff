import re
from importlib.metadata import EntryPoint
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given

from smartcharging import allocators
from smartcharging.problem import Allocation, Cause
from tests.smartcharging.trees import FEW, over, problem_of, random_problems

PAGE = Path(__file__).parents[2] / "docs/allocators.md"
REAL_TIME = ("max-min", "edf", "llf", "fcfs", "equal-share")
BROKEN = "this.does.not.exist:Nothing"


def entry(name, value):
    return EntryPoint(name, value, allocators.GROUP)


def offering(*entries):
    return lambda: entries


class Half:
    """Half of the most for all, in steps: for the registry's tests."""

    name = "half"

    def allocate(self, problem):
        return Allocation(current_a=problem.cars.max_a / 2, binding=np.full(len(problem.cars), Cause.OWN_MAX))


class Raises:
    def __init__(self):
        raise RuntimeError("no licence")


class DoesNothing:
    pass


HERE = f"{__name__}:"


def test_ours_are_known_by_name():
    assert set(REAL_TIME) | {"narke", "horizon", "uncontrolled"} == set(allocators.BUILT_IN)
    assert set(allocators.BUILT_IN) <= set(allocators.names())


@pytest.mark.parametrize("name", [*REAL_TIME, "uncontrolled"])
def test_each_of_ours_is_made_and_says_its_name(name):
    made = allocators.create(name)
    assert made.name == name
    assert allocators.create(name) is not made


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"no allocator is called 'fair'; there are narke, horizon, max-min"):
        allocators.create("fair")


def test_others_can_add_one_by_entry_point():
    found = offering(entry("half", HERE + "Half"))
    assert allocators.names(found)[-1] == "half"
    assert allocators.create("half", found).name == "half"
    assert allocators.broken(found) == {}


@pytest.mark.parametrize(
    ("value", "fault"),
    [(BROKEN, "ModuleNotFoundError"), (HERE + "Raises", "no licence"), (HERE + "DoesNothing", "no method allocate")],
)
def test_a_broken_one_is_told_and_harms_nobody_else(value, fault):
    found = offering(entry("bad", value), entry("half", HERE + "Half"))
    assert list(allocators.broken(found)) == ["bad"]
    assert fault in allocators.broken(found)["bad"]
    assert allocators.create("half", found).name == "half"
    with pytest.raises(ValueError, match=f"'bad' cannot be used: .*{fault}"):
        allocators.create("bad", found)


def test_a_name_of_ours_stays_ours():
    found = offering(entry("edf", HERE + "Half"))
    assert allocators.create("edf", found).name == "edf"
    assert "ours is used" in allocators.broken(found)["edf"]


def test_a_name_that_two_packages_offer_is_the_firsts():
    found = offering(entry("half", HERE + "Half"), entry("half", BROKEN))
    assert allocators.create("half", found).name == "half"
    assert "the first is used" in allocators.broken(found)["half"]


@pytest.mark.parametrize("name", ["narke", "horizon"])
@FEW
@given(problem=random_problems())
def test_those_that_look_ahead_keep_limits_floors_and_steps_too(name, problem):
    current = allocators.create(name).allocate(problem).current_a
    assert over(problem, current) <= 2e-9
    assert ((current == 0) | (current >= problem.cars.floor_a)).all()
    assert (current <= problem.cars.max_a + 1e-9).all()
    assert current.tolist() == np.round(current, 1).tolist()


@pytest.mark.parametrize("name", REAL_TIME)
@FEW
@given(problem=random_problems())
def test_limits_floors_steps_and_reasons_hold_for_each(name, problem):
    found = allocators.create(name).allocate(problem)
    cars, current = problem.cars, found.current_a
    assert over(problem, current) <= 2e-9
    assert ((current == 0) | (current >= cars.floor_a)).all()
    assert (current <= cars.max_a).all()
    assert current.tolist() == np.round(current, 1).tolist()
    assert not np.signbit(current).any()
    assert (current[(cars.energy_kwh == 0) | (cars.max_a < cars.floor_a)] == 0).all()
    dense = problem.rows.matrix.toarray()
    for car, reason in enumerate(found.binding.tolist()):
        if reason >= 0:
            assert dense[reason, car] > 0
        if reason == Cause.PAUSED:
            assert current[car] == 0
            assert dense[found.facts["waits_for_row"][car], car] > 0
        if reason == Cause.OWN_MAX:
            assert current[car] == pytest.approx(cars.max_a[car]) or cars.max_a[car] < cars.floor_a[car]


@pytest.mark.parametrize("name", REAL_TIME)
@FEW
@given(problem=random_problems())
def test_each_lets_somebody_charge_where_there_is_room(name, problem):
    found = allocators.create(name).allocate(problem)
    waits = np.flatnonzero(found.binding == Cause.PAUSED)
    dense, left = problem.rows.matrix.toarray(), problem.limits[:, 0] - problem.rows.matrix @ found.current_a
    floors = np.where(found.current_a > 0, problem.cars.floor_a, 0.0)
    for car in waits:
        floor = problem.cars.floor_a[car]
        row = dense[:, car] > 0
        assert (dense[row] @ floors + dense[row, car] * floor > problem.limits[row, 0]).any()
    assert (left[np.isfinite(left)] >= -1e-6).all() or (problem.limits < 0).any()


@pytest.mark.parametrize("name", [*REAL_TIME, "uncontrolled"])
def test_a_site_without_cars_and_one_without_room_are_no_problem(name):
    allocator = allocators.create(name)
    nobody = allocator.allocate(problem_of(np.zeros((1, 0)), [10]))
    assert nobody.current_a.tolist() == []
    if name != "uncontrolled":
        assert allocator.allocate(problem_of([[1, 1]], [-4])).current_a.tolist() == [0, 0]


@pytest.mark.parametrize("name", REAL_TIME)
def test_what_is_not_wanted_is_not_given(name):
    problem = problem_of(
        [[1, 1, 1, 1]], [100], energy_kwh=[0, 50, 50, 0.02], starts_s=[0, 60, 0, 0], max_a=[32, 32, 5, 32]
    )
    found = allocators.create(name).allocate(problem)
    assert found.current_a.tolist() == [0, 0, 0, 6]
    assert found.binding.tolist() == [Cause.ENOUGH, Cause.ENOUGH, Cause.OWN_MAX, Cause.ENOUGH]


@FEW
@given(random_problems())
def test_uncontrolled_gives_the_most_and_clipping_makes_it_fit(problem):
    wild = allocators.create("uncontrolled").allocate(problem)
    wants = (problem.cars.energy_kwh > 0) & (problem.cars.max_a >= problem.cars.floor_a)
    assert (
        wild.current_a[wants & np.isinf(problem.cars.energy_kwh)]
        == problem.cars.max_a[wants & np.isinf(problem.cars.energy_kwh)]
    ).all()
    tame = allocators.clipped(problem, wild)
    assert over(problem, tame.current_a) <= 2e-9
    assert (tame.current_a <= wild.current_a).all()


def test_clipping_repairs_what_others_allocators_say():
    problem = problem_of([[1, 1, 1]], [20], discharge_a=[0, 0, 4], starts_s=[0, 60, 0])
    odd = Allocation(current_a=np.array([np.nan, 64.0, -5.0]), binding=np.full(3, Cause.ENOUGH))
    free = msgspec.structs.replace(problem, exports=np.full((1, 1), np.inf))
    assert allocators.clipped(free, odd).current_a.tolist() == [0.0, 20.0, -4.0]


def test_clipping_keeps_what_may_be_fed_in_and_what_discharging_loads():
    problem = problem_of([[1, 1, 1], [-1, 0, 1]], [50, 20], discharge_a=10)
    limited = msgspec.structs.replace(problem, exports=np.array([[12.0], [np.inf]]))
    wild = Allocation(current_a=np.array([-10.0, -6.0, 30.0]), binding=np.full(3, Cause.ENOUGH))
    assert allocators.clipped(limited, wild).current_a.tolist() == [-7.5, -4.5, 12.5]


def test_clipping_leaves_alone_what_fits():
    problem = problem_of([[1, 1]], [20])
    fits = Allocation(current_a=np.array([6.0, 8.5]), binding=np.full(2, Cause.ENOUGH))
    found = allocators.clipped(problem, fits)
    assert found.current_a.tolist() == [6.0, 8.5]
    assert found.binding.tolist() == [Cause.ENOUGH] * 2


def test_the_page_describes_every_allocator():
    text = PAGE.read_text()
    assert [name for name in allocators.BUILT_IN if f"`{name}`" not in text] == []


def test_the_code_of_the_page_runs_and_keeps_limits(tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    code = next(block for block in blocks if "def allocate" in block)
    assert len(code.strip().splitlines()) <= 20
    (tmp_path / "our_allocators.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    declared = re.search(r'\[project\.entry-points\."narke\.allocators"\]\n([\w-]+) = "([\w.:]+)"', PAGE.read_text())
    found = offering(entry(declared[1], declared[2]))
    allocator = allocators.create(declared[1], found)
    problem = problem_of([[1, 1, 1]], [20], energy_kwh=[30, 10, 20])
    shares = allocator.allocate(problem)
    assert over(problem, shares.current_a) == 0
    assert shares.current_a.tolist() == [6.0, 8.0, 6.0]
    assert msgspec.structs.asdict(shares)["binding"].tolist() == [0, 0, 0]
