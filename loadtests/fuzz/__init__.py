"""Fuzzing: payloads that every schema accepts, and frames with anything wrong with them, drawn from a seed."""
