"""What the functional blocks keep in PostgreSQL: their tables, and how facts change the rows (`registry`)."""
