"""Wiring: makes the parts of each Ray process and joins them, a module per process. Nothing is decided here.

A factory is called by `actors.runtime.Host` inside the process that it is for, at its start and after every restart.
Its module imports no more than that process needs.
`Settings` come complete: the URLs of Redis and PostgreSQL are filled in.
"""
