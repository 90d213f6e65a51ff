"""The wire: frames, sessions, schemas and translators between OCPP and the words. Knows no station's state."""
