"""How the parts become a running system: settings, local servers, wiring, the command line."""
