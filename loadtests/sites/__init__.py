"""Sites of virtual stations: their trees, their meters, their buildings. A second reading: imports nothing of Narke."""
