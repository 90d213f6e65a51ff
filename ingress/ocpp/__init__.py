"""The WebSocket door: stations."""
