"""The seeded simulation: the whole core and a fleet of stations in one process, in virtual time, with faults drawn."""
