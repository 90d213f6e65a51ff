"""Where truth rests: the journal in Redis, its projection in PostgreSQL, and memory twins of both."""
