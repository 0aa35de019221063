from b2bua.edge.v1 import edge_pb2 as _edge_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StreamKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STREAM_KIND_UNSPECIFIED: _ClassVar[StreamKind]
    STREAM_KIND_NEW_CALLS: _ClassVar[StreamKind]
    STREAM_KIND_IN_PROGRESS: _ClassVar[StreamKind]
STREAM_KIND_UNSPECIFIED: StreamKind
STREAM_KIND_NEW_CALLS: StreamKind
STREAM_KIND_IN_PROGRESS: StreamKind

class Hello(_message.Message):
    __slots__ = ("edge", "kind", "key_fingerprint", "session")
    EDGE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    KEY_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    edge: _edge_pb2.EdgeRef
    kind: StreamKind
    key_fingerprint: str
    session: int
    def __init__(self, edge: _Optional[_Union[_edge_pb2.EdgeRef, _Mapping]] = ..., kind: _Optional[_Union[StreamKind, str]] = ..., key_fingerprint: _Optional[str] = ..., session: _Optional[int] = ...) -> None: ...

class Greeting(_message.Message):
    __slots__ = ("pod_id", "salt", "shards", "wanted_headers", "key_fingerprint", "extensions")
    POD_ID_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    SHARDS_FIELD_NUMBER: _ClassVar[int]
    WANTED_HEADERS_FIELD_NUMBER: _ClassVar[int]
    KEY_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    EXTENSIONS_FIELD_NUMBER: _ClassVar[int]
    pod_id: str
    salt: bytes
    shards: int
    wanted_headers: _containers.RepeatedScalarFieldContainer[str]
    key_fingerprint: str
    extensions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, pod_id: _Optional[str] = ..., salt: _Optional[bytes] = ..., shards: _Optional[int] = ..., wanted_headers: _Optional[_Iterable[str]] = ..., key_fingerprint: _Optional[str] = ..., extensions: _Optional[_Iterable[str]] = ...) -> None: ...

class ConnectRequest(_message.Message):
    __slots__ = ("hello", "events", "done")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    events: _containers.RepeatedCompositeFieldContainer[_edge_pb2.Event]
    done: _containers.RepeatedCompositeFieldContainer[_edge_pb2.CommandRef]
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., events: _Optional[_Iterable[_Union[_edge_pb2.Event, _Mapping]]] = ..., done: _Optional[_Iterable[_Union[_edge_pb2.CommandRef, _Mapping]]] = ...) -> None: ...

class ConnectResponse(_message.Message):
    __slots__ = ("greeting", "commands", "acknowledged", "busy", "credits", "draining")
    GREETING_FIELD_NUMBER: _ClassVar[int]
    COMMANDS_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    BUSY_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    greeting: Greeting
    commands: _containers.RepeatedCompositeFieldContainer[_edge_pb2.Command]
    acknowledged: _containers.RepeatedScalarFieldContainer[int]
    busy: _containers.RepeatedScalarFieldContainer[int]
    credits: int
    draining: bool
    def __init__(self, greeting: _Optional[_Union[Greeting, _Mapping]] = ..., commands: _Optional[_Iterable[_Union[_edge_pb2.Command, _Mapping]]] = ..., acknowledged: _Optional[_Iterable[int]] = ..., busy: _Optional[_Iterable[int]] = ..., credits: _Optional[int] = ..., draining: _Optional[bool] = ...) -> None: ...
