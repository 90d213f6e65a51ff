"""How problems read, and how many there are at most."""

from smartcharging.site_problems import Findings, Severity, SiteProblem, errors_of, nearest


def test_a_problem_reads_as_a_sentence():
    problem = SiteProblem("board", "it is 0", "write more", Severity.WARNING, "limit_kw")
    assert str(problem) == "warning: board, limit_kw: it is 0; write more"
    assert str(SiteProblem("", "it is empty", "fill it")) == "error: site: it is empty; fill it"


def test_errors_come_first_and_can_be_told_from_warnings():
    found = Findings()
    found.warning("a", "", "odd", "look")
    found.error("b", "", "wrong", "correct it")
    assert [problem.node for problem in found.problems] == ["b", "a"]
    assert errors_of(found.problems) == found.problems[:1]


def test_the_nearest_name_is_one_that_could_be_meant():
    assert nearest("baord", ["grid", "board"]) == "board"
    assert nearest("xyz", ["grid", "board"]) is None


def test_only_the_first_unknown_names_are_guessed_at():
    found = Findings()
    todos = [found.meant("baord", ["board"], "correct it") for _ in range(30)]
    assert todos[0].startswith("did you mean 'board'?")
    assert todos[-1] == "correct it"
