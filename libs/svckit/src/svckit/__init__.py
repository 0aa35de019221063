"""What every service of the B2BUA shares: settings, lifecycle, health, metrics, logs, identity, gRPC."""

import os

# gRPC reads these when it is first imported: each service's package imports this one before anything else.
# Its own informational lines would stand between our JSON logs.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
# Its event engine costs two more threads per frame: docs/adr/0015-grpc-without-event-engine.md.
os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_client,-event_engine_listener")
