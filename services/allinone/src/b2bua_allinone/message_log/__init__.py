"""The SIP message log of Sippy's programs: every message as it is on the wire, but for its secrets."""
