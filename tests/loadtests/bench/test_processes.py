"""Costs by part: names, order, and a real family of processes."""

import os
import subprocess
import sys

import psutil

from loadtests.bench.processes import Family, difference, in_order, own_cpu_s, part_name

SPINS_AND_HAS_A_CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "sum(range(5_000_000)); print('done', flush=True); input()"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
sys.stdin.readline()
child.communicate(b"\\n")
print("ended", flush=True)
sys.stdin.readline()
"""


def test_numbered_parts_are_one_part():
    assert [part_name(name) for name in ("stations-0", "stations-12", "redis", "ingress-1")] == [
        "stations",
        "stations",
        "redis",
        "ingress",
    ]


def test_parts_are_shown_in_the_order_of_a_message_and_ray_last():
    costs = dict.fromkeys(("ray", "planner", "up", "postgres", "ingress", "stations"), 1.0)
    assert in_order(costs) == ["ingress", "stations", "postgres", "planner", "ray", "up"]


def test_a_part_that_came_meanwhile_counts_whole_and_one_that_went_not_at_all():
    assert difference({"a": 1.0, "gone": 3.0}, {"a": 1.5, "new": 2.0}) == {"a": 0.5, "new": 2.0}


def test_children_count_for_the_nearest_ancestor_with_a_name_also_when_they_have_ended():
    parent = subprocess.Popen(
        [sys.executable, "-c", SPINS_AND_HAS_A_CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        child = int(parent.stdout.readline())
        unnamed = Family(parent.pid, {})
        assert unnamed.cpu_s().keys() == {"up", "ray"}
        named = Family(parent.pid, {"stations-0": parent.pid})
        before = named.cpu_s()
        assert before.keys() == {"stations"}
        assert Family(parent.pid, {"postgres": child}).cpu_s().keys() == {"up", "postgres"}
        assert named.memory_kib()["stations"] > psutil.Process(child).memory_full_info().pss / 1024
        parent.stdin.write("\n")
        parent.stdin.flush()
        assert parent.stdout.readline() == "ended\n"
        assert named.cpu_s()["stations"] >= before["stations"]
    finally:
        parent.communicate("\n")


def test_our_own_cpu_is_something():
    assert own_cpu_s(os.getpid()) > 0
