"""The embedded PostgreSQL and Redis: found, started as an unprivileged user, watched, stopped."""
