"""What every service of the B2BUA shares: settings, lifecycle, health, metrics, logs, identity, gRPC."""

import os

# Read by gRPC when it is first imported: its own informational lines would stand between our JSON logs.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
