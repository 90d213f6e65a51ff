"""Logging of a process, in a process of its own: it configures what is global."""

import json
import os
import pty
import subprocess
import sys

import pytest

PROGRAM = """
import logging, sys, warnings
import structlog
from deploy import logs
logs.configure({level!r}, {form!r}, process={process!r})
{body}
"""


def said(body, level="info", form="json", process=None):
    code = PROGRAM.format(level=level, form=form, process=process, body=body)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return done.stderr


def rows(*args, **kwargs):
    return [json.loads(line) for line in said(*args, **kwargs).splitlines()]


def test_json_is_one_object_a_line_with_time_level_and_process():
    (row,) = rows("structlog.get_logger().info('station booted', station='CP-1', seq=3)", process="ingress-0")
    assert row.pop("timestamp").endswith("Z")
    assert row == {"event": "station booted", "level": "info", "station": "CP-1", "seq": 3, "process": "ingress-0"}


def test_the_standard_library_takes_the_same_door():
    (row,) = rows("logging.getLogger('some.library').warning('odd %s', 'thing', extra={'code': 5})")
    assert (row["event"], row["level"], row["logger"], row["code"]) == ("odd thing", "warning", "some.library", 5)


def test_warnings_are_logged():
    (row,) = rows("warnings.warn('old', UserWarning)")
    assert "UserWarning: old" in row["event"]


def test_below_the_level_nothing_is_said():
    body = "log = structlog.get_logger(); log.debug('a'); log.info('b'); log.warning('c'); logging.info('d')"
    assert [row["event"] for row in rows(body, level="warning")] == ["c"]
    assert [row["event"] for row in rows(body, level="debug")] == ["a", "b", "c", "d"]


def test_talkative_libraries_are_quiet_at_info():
    assert rows("logging.getLogger('httpx2').info('GET'); logging.getLogger('uvicorn.access').info('GET')") == []


def test_context_is_on_each_line():
    (row,) = rows("structlog.contextvars.bind_contextvars(station='CP-1'); structlog.get_logger().info('x')")
    assert row["station"] == "CP-1"


def test_tracebacks_are_structured_and_hold_no_locals():
    body = """
def f():
    password = 'sesame'
    raise ValueError('bad')
try:
    f()
except ValueError:
    structlog.get_logger().exception('failed')
"""
    text = said(body)
    (row,) = [json.loads(line) for line in text.splitlines()]
    assert row["exception"][0]["exc_type"] == "ValueError"
    assert "sesame" not in text.replace("password = 'sesame'", "")
    assert "locals" not in row["exception"][0]["frames"][0]


def test_values_that_json_does_not_know_become_text():
    (row,) = rows("from pathlib import Path; structlog.get_logger().info('x', path=Path('/a'), keys={1: 2})")
    assert (row["path"], row["keys"]) == ("/a", {"1": 2})


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_colours_when_it_is_no_terminal(form):
    body = (
        "structlog.get_logger().warning('x', a=1)\ntry:\n    1/0\nexcept ZeroDivisionError:\n    logging.exception('y')"
    )
    assert "\x1b" not in said(body, form=form)


def test_colours_on_a_terminal():
    ours, theirs = pty.openpty()
    code = PROGRAM.format(level="info", form="console", process=None, body="structlog.get_logger().warning('x')")
    subprocess.run([sys.executable, "-c", code], stderr=theirs, check=True)
    os.close(theirs)
    assert b"\x1b[" in os.read(ours, 10_000)
    os.close(ours)


def test_configuring_twice_says_each_thing_once():
    body = "logs.configure('info', 'json'); logging.warning('a'); structlog.get_logger().warning('b')"
    assert [row["event"] for row in rows(body)] == ["a", "b"]
