from b2bua.common.v1 import sip_pb2 as _sip_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LocalCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LOCAL_CAUSE_UNSPECIFIED: _ClassVar[LocalCause]
    LOCAL_CAUSE_TIMEOUT: _ClassVar[LocalCause]
    LOCAL_CAUSE_UNRESOLVED: _ClassVar[LocalCause]
    LOCAL_CAUSE_UNREACHABLE: _ClassVar[LocalCause]
    LOCAL_CAUSE_FLOW_LOST: _ClassVar[LocalCause]
    LOCAL_CAUSE_NOT_SENT: _ClassVar[LocalCause]
LOCAL_CAUSE_UNSPECIFIED: LocalCause
LOCAL_CAUSE_TIMEOUT: LocalCause
LOCAL_CAUSE_UNRESOLVED: LocalCause
LOCAL_CAUSE_UNREACHABLE: LocalCause
LOCAL_CAUSE_FLOW_LOST: LocalCause
LOCAL_CAUSE_NOT_SENT: LocalCause

class EdgeRef(_message.Message):
    __slots__ = ("edge_id", "boot")
    EDGE_ID_FIELD_NUMBER: _ClassVar[int]
    BOOT_FIELD_NUMBER: _ClassVar[int]
    edge_id: str
    boot: int
    def __init__(self, edge_id: _Optional[str] = ..., boot: _Optional[int] = ...) -> None: ...

class Origin(_message.Message):
    __slots__ = ("via", "from_value", "to_value", "call_id", "cseq", "method", "record_route", "source", "flow", "listener")
    VIA_FIELD_NUMBER: _ClassVar[int]
    FROM_VALUE_FIELD_NUMBER: _ClassVar[int]
    TO_VALUE_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    CSEQ_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    RECORD_ROUTE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    FLOW_FIELD_NUMBER: _ClassVar[int]
    LISTENER_FIELD_NUMBER: _ClassVar[int]
    via: _containers.RepeatedScalarFieldContainer[str]
    from_value: str
    to_value: str
    call_id: str
    cseq: int
    method: str
    record_route: _containers.RepeatedScalarFieldContainer[str]
    source: _sip_pb2.Endpoint
    flow: str
    listener: str
    def __init__(self, via: _Optional[_Iterable[str]] = ..., from_value: _Optional[str] = ..., to_value: _Optional[str] = ..., call_id: _Optional[str] = ..., cseq: _Optional[int] = ..., method: _Optional[str] = ..., record_route: _Optional[_Iterable[str]] = ..., source: _Optional[_Union[_sip_pb2.Endpoint, _Mapping]] = ..., flow: _Optional[str] = ..., listener: _Optional[str] = ...) -> None: ...

class RequestEvent(_message.Message):
    __slots__ = ("origin", "transaction", "request_uri", "from_tag", "to_tag", "contact_uri", "max_forwards", "expires", "headers", "body", "cancel_answered", "merge_key")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_URI_FIELD_NUMBER: _ClassVar[int]
    FROM_TAG_FIELD_NUMBER: _ClassVar[int]
    TO_TAG_FIELD_NUMBER: _ClassVar[int]
    CONTACT_URI_FIELD_NUMBER: _ClassVar[int]
    MAX_FORWARDS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    CANCEL_ANSWERED_FIELD_NUMBER: _ClassVar[int]
    MERGE_KEY_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    transaction: str
    request_uri: str
    from_tag: str
    to_tag: str
    contact_uri: str
    max_forwards: int
    expires: int
    headers: _containers.RepeatedCompositeFieldContainer[_sip_pb2.Header]
    body: _sip_pb2.Body
    cancel_answered: bool
    merge_key: str
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., transaction: _Optional[str] = ..., request_uri: _Optional[str] = ..., from_tag: _Optional[str] = ..., to_tag: _Optional[str] = ..., contact_uri: _Optional[str] = ..., max_forwards: _Optional[int] = ..., expires: _Optional[int] = ..., headers: _Optional[_Iterable[_Union[_sip_pb2.Header, _Mapping]]] = ..., body: _Optional[_Union[_sip_pb2.Body, _Mapping]] = ..., cancel_answered: _Optional[bool] = ..., merge_key: _Optional[str] = ...) -> None: ...

class Sent(_message.Message):
    __slots__ = ("branch", "sent_by", "address", "flow", "local_host", "listener", "edge", "contact")
    BRANCH_FIELD_NUMBER: _ClassVar[int]
    SENT_BY_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    FLOW_FIELD_NUMBER: _ClassVar[int]
    LOCAL_HOST_FIELD_NUMBER: _ClassVar[int]
    LISTENER_FIELD_NUMBER: _ClassVar[int]
    EDGE_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    branch: str
    sent_by: str
    address: _sip_pb2.Endpoint
    flow: str
    local_host: str
    listener: str
    edge: EdgeRef
    contact: str
    def __init__(self, branch: _Optional[str] = ..., sent_by: _Optional[str] = ..., address: _Optional[_Union[_sip_pb2.Endpoint, _Mapping]] = ..., flow: _Optional[str] = ..., local_host: _Optional[str] = ..., listener: _Optional[str] = ..., edge: _Optional[_Union[EdgeRef, _Mapping]] = ..., contact: _Optional[str] = ...) -> None: ...

class ResponseEvent(_message.Message):
    __slots__ = ("branch", "status", "reason", "to_tag", "cseq", "method", "contact_uri", "record_route", "headers", "body", "local", "sent", "stray", "from_value", "to_value", "call_id", "contacts", "local_cause")
    BRANCH_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TO_TAG_FIELD_NUMBER: _ClassVar[int]
    CSEQ_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    CONTACT_URI_FIELD_NUMBER: _ClassVar[int]
    RECORD_ROUTE_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    LOCAL_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    STRAY_FIELD_NUMBER: _ClassVar[int]
    FROM_VALUE_FIELD_NUMBER: _ClassVar[int]
    TO_VALUE_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    LOCAL_CAUSE_FIELD_NUMBER: _ClassVar[int]
    branch: str
    status: int
    reason: str
    to_tag: str
    cseq: int
    method: str
    contact_uri: str
    record_route: _containers.RepeatedScalarFieldContainer[str]
    headers: _containers.RepeatedCompositeFieldContainer[_sip_pb2.Header]
    body: _sip_pb2.Body
    local: bool
    sent: Sent
    stray: bool
    from_value: str
    to_value: str
    call_id: str
    contacts: _containers.RepeatedScalarFieldContainer[str]
    local_cause: LocalCause
    def __init__(self, branch: _Optional[str] = ..., status: _Optional[int] = ..., reason: _Optional[str] = ..., to_tag: _Optional[str] = ..., cseq: _Optional[int] = ..., method: _Optional[str] = ..., contact_uri: _Optional[str] = ..., record_route: _Optional[_Iterable[str]] = ..., headers: _Optional[_Iterable[_Union[_sip_pb2.Header, _Mapping]]] = ..., body: _Optional[_Union[_sip_pb2.Body, _Mapping]] = ..., local: _Optional[bool] = ..., sent: _Optional[_Union[Sent, _Mapping]] = ..., stray: _Optional[bool] = ..., from_value: _Optional[str] = ..., to_value: _Optional[str] = ..., call_id: _Optional[str] = ..., contacts: _Optional[_Iterable[str]] = ..., local_cause: _Optional[_Union[LocalCause, str]] = ...) -> None: ...

class SentEvent(_message.Message):
    __slots__ = ("sent",)
    SENT_FIELD_NUMBER: _ClassVar[int]
    sent: Sent
    def __init__(self, sent: _Optional[_Union[Sent, _Mapping]] = ...) -> None: ...

class AckMissingEvent(_message.Message):
    __slots__ = ("transaction",)
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    transaction: str
    def __init__(self, transaction: _Optional[str] = ...) -> None: ...

class SelfCancelledEvent(_message.Message):
    __slots__ = ("transaction",)
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    transaction: str
    def __init__(self, transaction: _Optional[str] = ...) -> None: ...

class ProvisionalUnacknowledgedEvent(_message.Message):
    __slots__ = ("transaction", "rseq")
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    RSEQ_FIELD_NUMBER: _ClassVar[int]
    transaction: str
    rseq: int
    def __init__(self, transaction: _Optional[str] = ..., rseq: _Optional[int] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("id", "call_key", "opens_call", "redelivered", "edge", "request", "response", "sent", "ack_missing", "self_cancelled", "provisional_unacknowledged")
    ID_FIELD_NUMBER: _ClassVar[int]
    CALL_KEY_FIELD_NUMBER: _ClassVar[int]
    OPENS_CALL_FIELD_NUMBER: _ClassVar[int]
    REDELIVERED_FIELD_NUMBER: _ClassVar[int]
    EDGE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    ACK_MISSING_FIELD_NUMBER: _ClassVar[int]
    SELF_CANCELLED_FIELD_NUMBER: _ClassVar[int]
    PROVISIONAL_UNACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    id: int
    call_key: str
    opens_call: bool
    redelivered: bool
    edge: EdgeRef
    request: RequestEvent
    response: ResponseEvent
    sent: SentEvent
    ack_missing: AckMissingEvent
    self_cancelled: SelfCancelledEvent
    provisional_unacknowledged: ProvisionalUnacknowledgedEvent
    def __init__(self, id: _Optional[int] = ..., call_key: _Optional[str] = ..., opens_call: _Optional[bool] = ..., redelivered: _Optional[bool] = ..., edge: _Optional[_Union[EdgeRef, _Mapping]] = ..., request: _Optional[_Union[RequestEvent, _Mapping]] = ..., response: _Optional[_Union[ResponseEvent, _Mapping]] = ..., sent: _Optional[_Union[SentEvent, _Mapping]] = ..., ack_missing: _Optional[_Union[AckMissingEvent, _Mapping]] = ..., self_cancelled: _Optional[_Union[SelfCancelledEvent, _Mapping]] = ..., provisional_unacknowledged: _Optional[_Union[ProvisionalUnacknowledgedEvent, _Mapping]] = ...) -> None: ...

class Respond(_message.Message):
    __slots__ = ("transaction", "status", "reason", "to_tag", "contact", "headers", "body", "origin", "peer_tag", "rseq")
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TO_TAG_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    PEER_TAG_FIELD_NUMBER: _ClassVar[int]
    RSEQ_FIELD_NUMBER: _ClassVar[int]
    transaction: str
    status: int
    reason: str
    to_tag: str
    contact: bool
    headers: _containers.RepeatedCompositeFieldContainer[_sip_pb2.Header]
    body: _sip_pb2.Body
    origin: Origin
    peer_tag: str
    rseq: int
    def __init__(self, transaction: _Optional[str] = ..., status: _Optional[int] = ..., reason: _Optional[str] = ..., to_tag: _Optional[str] = ..., contact: _Optional[bool] = ..., headers: _Optional[_Iterable[_Union[_sip_pb2.Header, _Mapping]]] = ..., body: _Optional[_Union[_sip_pb2.Body, _Mapping]] = ..., origin: _Optional[_Union[Origin, _Mapping]] = ..., peer_tag: _Optional[str] = ..., rseq: _Optional[int] = ...) -> None: ...

class Target(_message.Message):
    __slots__ = ("uri", "flow", "listener", "address", "ourselves")
    URI_FIELD_NUMBER: _ClassVar[int]
    FLOW_FIELD_NUMBER: _ClassVar[int]
    LISTENER_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    OURSELVES_FIELD_NUMBER: _ClassVar[int]
    uri: str
    flow: str
    listener: str
    address: _sip_pb2.Endpoint
    ourselves: bool
    def __init__(self, uri: _Optional[str] = ..., flow: _Optional[str] = ..., listener: _Optional[str] = ..., address: _Optional[_Union[_sip_pb2.Endpoint, _Mapping]] = ..., ourselves: _Optional[bool] = ...) -> None: ...

class SendRequest(_message.Message):
    __slots__ = ("method", "request_uri", "branch", "call_id", "from_value", "from_tag", "to_value", "to_tag", "cseq", "route", "max_forwards", "contact", "contact_user", "headers", "body", "target", "invite_branch", "invite_timeout_ms", "sent_by", "report_trying")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    REQUEST_URI_FIELD_NUMBER: _ClassVar[int]
    BRANCH_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_VALUE_FIELD_NUMBER: _ClassVar[int]
    FROM_TAG_FIELD_NUMBER: _ClassVar[int]
    TO_VALUE_FIELD_NUMBER: _ClassVar[int]
    TO_TAG_FIELD_NUMBER: _ClassVar[int]
    CSEQ_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    MAX_FORWARDS_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    CONTACT_USER_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    INVITE_BRANCH_FIELD_NUMBER: _ClassVar[int]
    INVITE_TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    SENT_BY_FIELD_NUMBER: _ClassVar[int]
    REPORT_TRYING_FIELD_NUMBER: _ClassVar[int]
    method: str
    request_uri: str
    branch: str
    call_id: str
    from_value: str
    from_tag: str
    to_value: str
    to_tag: str
    cseq: int
    route: _containers.RepeatedScalarFieldContainer[str]
    max_forwards: int
    contact: bool
    contact_user: str
    headers: _containers.RepeatedCompositeFieldContainer[_sip_pb2.Header]
    body: _sip_pb2.Body
    target: Target
    invite_branch: str
    invite_timeout_ms: int
    sent_by: str
    report_trying: bool
    def __init__(self, method: _Optional[str] = ..., request_uri: _Optional[str] = ..., branch: _Optional[str] = ..., call_id: _Optional[str] = ..., from_value: _Optional[str] = ..., from_tag: _Optional[str] = ..., to_value: _Optional[str] = ..., to_tag: _Optional[str] = ..., cseq: _Optional[int] = ..., route: _Optional[_Iterable[str]] = ..., max_forwards: _Optional[int] = ..., contact: _Optional[bool] = ..., contact_user: _Optional[str] = ..., headers: _Optional[_Iterable[_Union[_sip_pb2.Header, _Mapping]]] = ..., body: _Optional[_Union[_sip_pb2.Body, _Mapping]] = ..., target: _Optional[_Union[Target, _Mapping]] = ..., invite_branch: _Optional[str] = ..., invite_timeout_ms: _Optional[int] = ..., sent_by: _Optional[str] = ..., report_trying: _Optional[bool] = ...) -> None: ...

class Cancel(_message.Message):
    __slots__ = ("branch", "headers", "sent", "invite", "provisional_seen")
    BRANCH_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    INVITE_FIELD_NUMBER: _ClassVar[int]
    PROVISIONAL_SEEN_FIELD_NUMBER: _ClassVar[int]
    branch: str
    headers: _containers.RepeatedCompositeFieldContainer[_sip_pb2.Header]
    sent: Sent
    invite: SendRequest
    provisional_seen: bool
    def __init__(self, branch: _Optional[str] = ..., headers: _Optional[_Iterable[_Union[_sip_pb2.Header, _Mapping]]] = ..., sent: _Optional[_Union[Sent, _Mapping]] = ..., invite: _Optional[_Union[SendRequest, _Mapping]] = ..., provisional_seen: _Optional[bool] = ...) -> None: ...

class Stop(_message.Message):
    __slots__ = ("transaction", "branch", "forget")
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    BRANCH_FIELD_NUMBER: _ClassVar[int]
    FORGET_FIELD_NUMBER: _ClassVar[int]
    transaction: str
    branch: str
    forget: bool
    def __init__(self, transaction: _Optional[str] = ..., branch: _Optional[str] = ..., forget: _Optional[bool] = ...) -> None: ...

class Command(_message.Message):
    __slots__ = ("id", "call_key", "edge", "respond", "send_request", "cancel", "stop")
    ID_FIELD_NUMBER: _ClassVar[int]
    CALL_KEY_FIELD_NUMBER: _ClassVar[int]
    EDGE_FIELD_NUMBER: _ClassVar[int]
    RESPOND_FIELD_NUMBER: _ClassVar[int]
    SEND_REQUEST_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    id: int
    call_key: str
    edge: EdgeRef
    respond: Respond
    send_request: SendRequest
    cancel: Cancel
    stop: Stop
    def __init__(self, id: _Optional[int] = ..., call_key: _Optional[str] = ..., edge: _Optional[_Union[EdgeRef, _Mapping]] = ..., respond: _Optional[_Union[Respond, _Mapping]] = ..., send_request: _Optional[_Union[SendRequest, _Mapping]] = ..., cancel: _Optional[_Union[Cancel, _Mapping]] = ..., stop: _Optional[_Union[Stop, _Mapping]] = ...) -> None: ...

class CommandRef(_message.Message):
    __slots__ = ("call_key", "id")
    CALL_KEY_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    call_key: str
    id: int
    def __init__(self, call_key: _Optional[str] = ..., id: _Optional[int] = ...) -> None: ...
