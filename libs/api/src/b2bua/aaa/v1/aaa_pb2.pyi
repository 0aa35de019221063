from b2bua.common.v1 import sip_pb2 as _sip_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Decision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECISION_UNSPECIFIED: _ClassVar[Decision]
    DECISION_ACCEPT: _ClassVar[Decision]
    DECISION_REJECT: _ClassVar[Decision]
    DECISION_CHALLENGE: _ClassVar[Decision]
    DECISION_UNAVAILABLE: _ClassVar[Decision]

class RecordKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECORD_KIND_UNSPECIFIED: _ClassVar[RecordKind]
    RECORD_KIND_START: _ClassVar[RecordKind]
    RECORD_KIND_INTERIM: _ClassVar[RecordKind]
    RECORD_KIND_STOP: _ClassVar[RecordKind]
DECISION_UNSPECIFIED: Decision
DECISION_ACCEPT: Decision
DECISION_REJECT: Decision
DECISION_CHALLENGE: Decision
DECISION_UNAVAILABLE: Decision
RECORD_KIND_UNSPECIFIED: RecordKind
RECORD_KIND_START: RecordKind
RECORD_KIND_INTERIM: RecordKind
RECORD_KIND_STOP: RecordKind

class AuthorizeRequest(_message.Message):
    __slots__ = ("request_id", "call_key", "call_id", "remote_ip", "calling_number", "called_number", "method", "request_uri", "authorization", "body_digest", "attributes", "headers")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CALL_KEY_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    REMOTE_IP_FIELD_NUMBER: _ClassVar[int]
    CALLING_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CALLED_NUMBER_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    REQUEST_URI_FIELD_NUMBER: _ClassVar[int]
    AUTHORIZATION_FIELD_NUMBER: _ClassVar[int]
    BODY_DIGEST_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    call_key: str
    call_id: str
    remote_ip: str
    calling_number: str
    called_number: str
    method: str
    request_uri: str
    authorization: str
    body_digest: bytes
    attributes: _containers.RepeatedCompositeFieldContainer[Attribute]
    headers: _containers.RepeatedCompositeFieldContainer[_sip_pb2.Header]
    def __init__(self, request_id: _Optional[str] = ..., call_key: _Optional[str] = ..., call_id: _Optional[str] = ..., remote_ip: _Optional[str] = ..., calling_number: _Optional[str] = ..., called_number: _Optional[str] = ..., method: _Optional[str] = ..., request_uri: _Optional[str] = ..., authorization: _Optional[str] = ..., body_digest: _Optional[bytes] = ..., attributes: _Optional[_Iterable[_Union[Attribute, _Mapping]]] = ..., headers: _Optional[_Iterable[_Union[_sip_pb2.Header, _Mapping]]] = ...) -> None: ...

class Attribute(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class AuthorizeResponse(_message.Message):
    __slots__ = ("decision", "status", "reason", "challenges", "routes", "calling_number", "display_name", "credit_seconds", "user_name", "state", "retry_after_seconds", "request_id")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CHALLENGES_FIELD_NUMBER: _ClassVar[int]
    ROUTES_FIELD_NUMBER: _ClassVar[int]
    CALLING_NUMBER_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CREDIT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    USER_NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_SECONDS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    decision: Decision
    status: int
    reason: str
    challenges: _containers.RepeatedScalarFieldContainer[str]
    routes: _containers.RepeatedScalarFieldContainer[str]
    calling_number: str
    display_name: str
    credit_seconds: int
    user_name: str
    state: bytes
    retry_after_seconds: int
    request_id: str
    def __init__(self, decision: _Optional[_Union[Decision, str]] = ..., status: _Optional[int] = ..., reason: _Optional[str] = ..., challenges: _Optional[_Iterable[str]] = ..., routes: _Optional[_Iterable[str]] = ..., calling_number: _Optional[str] = ..., display_name: _Optional[str] = ..., credit_seconds: _Optional[int] = ..., user_name: _Optional[str] = ..., state: _Optional[bytes] = ..., retry_after_seconds: _Optional[int] = ..., request_id: _Optional[str] = ...) -> None: ...

class AccountingRecord(_message.Message):
    __slots__ = ("record_id", "call_key", "kind", "leg", "call_id", "user_name", "calling_number", "called_number", "remote_address", "setup_time_ms", "trying_time_ms", "alerting_time_ms", "connect_time_ms", "disconnect_time_ms", "final_status", "release_source", "peer_agent", "state", "attributes", "trace_id")
    RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    CALL_KEY_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LEG_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    USER_NAME_FIELD_NUMBER: _ClassVar[int]
    CALLING_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CALLED_NUMBER_FIELD_NUMBER: _ClassVar[int]
    REMOTE_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    SETUP_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    TRYING_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    ALERTING_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    CONNECT_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    DISCONNECT_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    FINAL_STATUS_FIELD_NUMBER: _ClassVar[int]
    RELEASE_SOURCE_FIELD_NUMBER: _ClassVar[int]
    PEER_AGENT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    record_id: str
    call_key: str
    kind: RecordKind
    leg: int
    call_id: str
    user_name: str
    calling_number: str
    called_number: str
    remote_address: str
    setup_time_ms: int
    trying_time_ms: int
    alerting_time_ms: int
    connect_time_ms: int
    disconnect_time_ms: int
    final_status: int
    release_source: int
    peer_agent: str
    state: bytes
    attributes: _containers.RepeatedCompositeFieldContainer[Attribute]
    trace_id: bytes
    def __init__(self, record_id: _Optional[str] = ..., call_key: _Optional[str] = ..., kind: _Optional[_Union[RecordKind, str]] = ..., leg: _Optional[int] = ..., call_id: _Optional[str] = ..., user_name: _Optional[str] = ..., calling_number: _Optional[str] = ..., called_number: _Optional[str] = ..., remote_address: _Optional[str] = ..., setup_time_ms: _Optional[int] = ..., trying_time_ms: _Optional[int] = ..., alerting_time_ms: _Optional[int] = ..., connect_time_ms: _Optional[int] = ..., disconnect_time_ms: _Optional[int] = ..., final_status: _Optional[int] = ..., release_source: _Optional[int] = ..., peer_agent: _Optional[str] = ..., state: _Optional[bytes] = ..., attributes: _Optional[_Iterable[_Union[Attribute, _Mapping]]] = ..., trace_id: _Optional[bytes] = ...) -> None: ...
