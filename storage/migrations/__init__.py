"""The revisions of the schema, run by alembic: SQL, forward only. A landed revision never changes; add a new one.

A revision is a pair: `versions/r0001_foundation.py` names it and its predecessor, `r0001_foundation.sql` does it.
"""
