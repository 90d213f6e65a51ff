"""What a message means: questions, decide, evolve; a file per block. Has never heard of an OCPP version."""
