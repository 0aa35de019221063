"""The control socket: a line protocol by which operators and media relays reach the calls of one process."""
