"""Every door by which somebody outside comes in."""
