"""Plots of sites: a day in, a picture out. matplotlib is heavy: whoever imports `drawing` pays for it."""
