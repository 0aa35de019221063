import svckit as svckit  # first of all: how gRPC runs is settled when it is imported
