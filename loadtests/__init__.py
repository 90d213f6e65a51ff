"""Stations that are not ours: raw JSON frames, imports nothing of the product."""
