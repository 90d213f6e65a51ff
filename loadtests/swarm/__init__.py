"""Stations and operators as Locust users: what a user of the CSMS feels, at thousands of stations.

Everything here runs in Locust's processes, which are gevent's: no asyncio, no Ray. Modules that import `locust` itself
(`users`, `operators`, `shapes`) patch the standard library when imported; the others do not and can be tested anywhere.
"""
