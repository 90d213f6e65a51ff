"""Hypothesis strategies of payloads, made from the official schemas by the same walk that feeds the fuzzer."""

from datetime import UTC, datetime
from functools import cache

from hypothesis import strategies as st

from loadtests.fuzz import official
from loadtests.fuzz.walk import made

NO_SURROGATES = st.characters(exclude_categories=("Cs",))
TIMES = st.one_of(
    st.datetimes(datetime(1970, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)).map(datetime.isoformat),  # noqa: DTZ001 (hypothesis adds the zone)
    st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-06-30T23:59:60Z", "soon", ""]),
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(NO_SURROGATES, max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(NO_SURROGATES, max_size=5), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


class Strategies:
    """The maker of `loadtests.fuzz.walk` whose makers are strategies."""

    def text(self, length_min, length_max, form):
        if form == "date-time":
            return TIMES
        longest = 60 if length_max is None else min(length_max, 60)
        return st.text(NO_SURROGATES, min_size=length_min, max_size=longest)

    def word(self, words):
        return st.sampled_from(words)

    def integer(self, low, high):
        return st.integers(low, high)

    def number(self, low, high, step):
        if step is not None:
            return st.integers(-1000, 1000).map(lambda number: number / round(1 / step))
        return st.floats(low, high, allow_nan=False, allow_infinity=False) | st.integers(
            -(2**40) if low is None else int(low), 2**40 if high is None else int(high)
        )

    def boolean(self):
        return st.booleans()

    def array(self, item, count_min, count_max):
        longest = max(count_min, 3 if count_max is None else min(count_max, 3))
        return st.lists(item, min_size=count_min, max_size=longest)

    def record(self, required, optional, *, is_open):
        fixed = st.fixed_dictionaries(dict(required), optional=dict(optional))
        if not is_open:
            return fixed
        others = st.dictionaries(st.text(NO_SURROGATES, min_size=1, max_size=8), ANYTHING, max_size=1)
        return st.builds(lambda more, known: {**more, **known}, others, fixed)

    def anything(self):
        return ANYTHING


@cache
def payloads(version, kind, action):
    """Payloads that the schema of an action accepts. `kind`: request or response."""
    return made(official.documents(str(version), kind)[action], Strategies())
