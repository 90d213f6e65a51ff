"""REST, version 1: a file per kind of thing, each with its routes.

Routes translate between HTTP and the ports; they decide nothing.
"""
