"""The crash audit: a fleet under load, parts of Narke killed at random, and all that it acknowledged checked after."""
