"""`narke doctor`: looks at everything that Narke needs and says what to do about what is missing. Changes nothing."""
