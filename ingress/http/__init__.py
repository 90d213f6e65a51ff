"""The HTTP door: people and programs."""
