"""OCPP 2.0.1 and 2.1, which share these translators; `limits` holds what differs."""
