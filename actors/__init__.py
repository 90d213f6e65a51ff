"""Ray: the actors, where they live and who owns which station. `runtime` is the only file that imports ray."""
