"""The verbs as functions: they work and return what ``--json`` prints; they print nothing themselves."""
