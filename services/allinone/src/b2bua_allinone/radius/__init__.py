"""`b2bua_radius`: options, INI file and signals of Sippy's program of that name, on our engine."""
