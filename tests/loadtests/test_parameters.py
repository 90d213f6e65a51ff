"""Parameters of users against fields of values."""

from dataclasses import dataclass, field

import pytest

from loadtests.parameters import ParameterError, changed, check_bounds, split


@dataclass(frozen=True)
class Inner:
    depth: int = 1


@dataclass(frozen=True)
class Outer:
    name: str = "a"
    at_s: float = 1.0
    share: float = 0.5
    boots: bool = False
    times: tuple[float, float] = (1.0, 2.0)
    kinds: tuple[str, ...] = ()
    marks: frozenset[str] = frozenset()
    limit: float | None = None
    inner: Inner = field(default_factory=Inner)

    def __post_init__(self):
        check_bounds(self)


def test_what_is_given_is_changed_and_the_rest_stays():
    given = {"at_s": 3, "times": [3, 4.5], "kinds": ["x"], "marks": ["y"], "limit": 2, "inner": {"depth": 4}}
    assert changed(Outer(), given) == Outer(
        at_s=3.0, times=(3.0, 4.5), kinds=("x",), marks=frozenset("y"), limit=2.0, inner=Inner(4)
    )


@pytest.mark.parametrize(
    ("given", "path", "says"),
    [
        ({"speed": 1}, ("speed",), "there is no 'speed'; expected one of name, at_s"),
        ({"at_s": "soon"}, ("at_s",), "expected a number, not 'soon'"),
        ({"at_s": True}, ("at_s",), "expected a number"),
        ({"boots": 1}, ("boots",), "expected true or false"),
        ({"name": 1}, ("name",), "expected a text"),
        ({"times": [1]}, ("times",), "expected a list of 2"),
        ({"times": [1, "x"]}, ("times",), "expected a number"),
        ({"kinds": "x"}, ("kinds",), "expected a list, each a text"),
        ({"inner": {"depth": 1.5}}, ("inner", "depth"), "expected a whole number, not 1.5"),
        ({"inner": 3}, ("inner",), "expected a table of values"),
        ({"share": 1.5}, (), "share must be 0 to 1"),
        ({"at_s": -1}, (), "at_s must be 0 or more"),
        ({"at_s": float("nan")}, (), "at_s must be 0 or more"),
    ],
)
def test_what_is_not_right_is_told_with_its_place(given, path, says):
    with pytest.raises(ParameterError, match=says) as caught:
        changed(Outer(), given)
    assert caught.value.path == path


def test_words_of_the_command_line_are_read_like_toml():
    assert split("blackout:share=0.5, at_s=20,boot=true,name=x") == (
        "blackout",
        {"share": 0.5, "at_s": 20, "boot": True, "name": "x"},
    )
    assert split("steady_day") == ("steady_day", {})
    with pytest.raises(ParameterError, match="name:key=value, not 'soon'"):
        split("blackout:soon")
