"""Narke's tests. A package, because acnportal installs one of this name that would come first."""
