"""OCPP 1.6J (edition 2, with the security extension): translators by hand, a file per block."""
