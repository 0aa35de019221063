from b2bua.common.v1 import sip_pb2 as _sip_pb2
from b2bua.edge.v1 import edge_pb2 as _edge_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CallState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CALL_STATE_UNSPECIFIED: _ClassVar[CallState]
    CALL_STATE_TRYING: _ClassVar[CallState]
    CALL_STATE_RINGING: _ClassVar[CallState]
    CALL_STATE_ANSWERED: _ClassVar[CallState]
    CALL_STATE_CONFIRMED: _ClassVar[CallState]
    CALL_STATE_ENDED: _ClassVar[CallState]
    CALL_STATE_ROUTING: _ClassVar[CallState]

class LegState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LEG_STATE_UNSPECIFIED: _ClassVar[LegState]
    LEG_STATE_INVITING: _ClassVar[LegState]
    LEG_STATE_PROCEEDING: _ClassVar[LegState]
    LEG_STATE_CANCELLING: _ClassVar[LegState]
    LEG_STATE_CONFIRMED: _ClassVar[LegState]
    LEG_STATE_RELEASING: _ClassVar[LegState]
    LEG_STATE_ENDED: _ClassVar[LegState]

class ReleaseSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RELEASE_SOURCE_UNSPECIFIED: _ClassVar[ReleaseSource]
    RELEASE_SOURCE_CALLER: _ClassVar[ReleaseSource]
    RELEASE_SOURCE_CALLEE: _ClassVar[ReleaseSource]
    RELEASE_SOURCE_INTERNAL: _ClassVar[ReleaseSource]

class AuthMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUTH_MODE_UNSPECIFIED: _ClassVar[AuthMode]
    AUTH_MODE_NONE: _ClassVar[AuthMode]
    AUTH_MODE_CREDENTIALS: _ClassVar[AuthMode]

class TimerKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIMER_KIND_UNSPECIFIED: _ClassVar[TimerKind]
    TIMER_KIND_NO_REPLY: _ClassVar[TimerKind]
    TIMER_KIND_NO_PROGRESS: _ClassVar[TimerKind]
    TIMER_KIND_NO_ANSWER: _ClassVar[TimerKind]
    TIMER_KIND_GROUP: _ClassVar[TimerKind]
    TIMER_KIND_CREDIT: _ClassVar[TimerKind]
    TIMER_KIND_KEEPALIVE: _ClassVar[TimerKind]
    TIMER_KIND_KEEPALIVE_GRACE: _ClassVar[TimerKind]
    TIMER_KIND_SESSION_REFRESH: _ClassVar[TimerKind]
    TIMER_KIND_SESSION_EXPIRED: _ClassVar[TimerKind]
    TIMER_KIND_TRANSFER_LIMIT: _ClassVar[TimerKind]
    TIMER_KIND_TRANSFER_OFFER: _ClassVar[TimerKind]

class Reliability(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RELIABILITY_UNSPECIFIED: _ClassVar[Reliability]
    RELIABILITY_SUPPORTED: _ClassVar[Reliability]
    RELIABILITY_REQUIRED: _ClassVar[Reliability]

class OwnPurpose(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OWN_PURPOSE_UNSPECIFIED: _ClassVar[OwnPurpose]
    OWN_PURPOSE_KEEPALIVE: _ClassVar[OwnPurpose]
    OWN_PURPOSE_SESSION: _ClassVar[OwnPurpose]
    OWN_PURPOSE_PRACK: _ClassVar[OwnPurpose]
    OWN_PURPOSE_REFER: _ClassVar[OwnPurpose]
    OWN_PURPOSE_TRANSFER: _ClassVar[OwnPurpose]
    OWN_PURPOSE_NOTIFY: _ClassVar[OwnPurpose]
    OWN_PURPOSE_RESTORE: _ClassVar[OwnPurpose]
    OWN_PURPOSE_RESTORE_PEER: _ClassVar[OwnPurpose]

class RelayState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RELAY_STATE_UNSPECIFIED: _ClassVar[RelayState]
    RELAY_STATE_PENDING: _ClassVar[RelayState]
    RELAY_STATE_CANCELLING: _ClassVar[RelayState]
    RELAY_STATE_ANSWERED: _ClassVar[RelayState]

class Proof(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROOF_UNSPECIFIED: _ClassVar[Proof]
    PROOF_DONE: _ClassVar[Proof]
    PROOF_SENT: _ClassVar[Proof]
    PROOF_FINAL: _ClassVar[Proof]
    PROOF_ACK: _ClassVar[Proof]
    PROOF_INVITE_FINAL: _ClassVar[Proof]
    PROOF_REPLY: _ClassVar[Proof]

class TransferState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRANSFER_STATE_UNSPECIFIED: _ClassVar[TransferState]
    TRANSFER_STATE_DIALLING: _ClassVar[TransferState]
    TRANSFER_STATE_CONNECTING: _ClassVar[TransferState]
CALL_STATE_UNSPECIFIED: CallState
CALL_STATE_TRYING: CallState
CALL_STATE_RINGING: CallState
CALL_STATE_ANSWERED: CallState
CALL_STATE_CONFIRMED: CallState
CALL_STATE_ENDED: CallState
CALL_STATE_ROUTING: CallState
LEG_STATE_UNSPECIFIED: LegState
LEG_STATE_INVITING: LegState
LEG_STATE_PROCEEDING: LegState
LEG_STATE_CANCELLING: LegState
LEG_STATE_CONFIRMED: LegState
LEG_STATE_RELEASING: LegState
LEG_STATE_ENDED: LegState
RELEASE_SOURCE_UNSPECIFIED: ReleaseSource
RELEASE_SOURCE_CALLER: ReleaseSource
RELEASE_SOURCE_CALLEE: ReleaseSource
RELEASE_SOURCE_INTERNAL: ReleaseSource
AUTH_MODE_UNSPECIFIED: AuthMode
AUTH_MODE_NONE: AuthMode
AUTH_MODE_CREDENTIALS: AuthMode
TIMER_KIND_UNSPECIFIED: TimerKind
TIMER_KIND_NO_REPLY: TimerKind
TIMER_KIND_NO_PROGRESS: TimerKind
TIMER_KIND_NO_ANSWER: TimerKind
TIMER_KIND_GROUP: TimerKind
TIMER_KIND_CREDIT: TimerKind
TIMER_KIND_KEEPALIVE: TimerKind
TIMER_KIND_KEEPALIVE_GRACE: TimerKind
TIMER_KIND_SESSION_REFRESH: TimerKind
TIMER_KIND_SESSION_EXPIRED: TimerKind
TIMER_KIND_TRANSFER_LIMIT: TimerKind
TIMER_KIND_TRANSFER_OFFER: TimerKind
RELIABILITY_UNSPECIFIED: Reliability
RELIABILITY_SUPPORTED: Reliability
RELIABILITY_REQUIRED: Reliability
OWN_PURPOSE_UNSPECIFIED: OwnPurpose
OWN_PURPOSE_KEEPALIVE: OwnPurpose
OWN_PURPOSE_SESSION: OwnPurpose
OWN_PURPOSE_PRACK: OwnPurpose
OWN_PURPOSE_REFER: OwnPurpose
OWN_PURPOSE_TRANSFER: OwnPurpose
OWN_PURPOSE_NOTIFY: OwnPurpose
OWN_PURPOSE_RESTORE: OwnPurpose
OWN_PURPOSE_RESTORE_PEER: OwnPurpose
RELAY_STATE_UNSPECIFIED: RelayState
RELAY_STATE_PENDING: RelayState
RELAY_STATE_CANCELLING: RelayState
RELAY_STATE_ANSWERED: RelayState
PROOF_UNSPECIFIED: Proof
PROOF_DONE: Proof
PROOF_SENT: Proof
PROOF_FINAL: Proof
PROOF_ACK: Proof
PROOF_INVITE_FINAL: Proof
PROOF_REPLY: Proof
TRANSFER_STATE_UNSPECIFIED: TransferState
TRANSFER_STATE_DIALLING: TransferState
TRANSFER_STATE_CONNECTING: TransferState

class Leg(_message.Message):
    __slots__ = ("index", "state", "call_id", "local_tag", "remote_tag", "local_uri", "remote_uri", "local_cseq", "remote_cseq", "invite_cseq", "route_set", "remote_target", "edge", "flow", "listener", "invite_branch", "sent", "contact_user", "received_body_digest", "sent_body", "ack_withheld", "route", "setup_time_ms", "trying_time_ms", "alerting_time_ms", "connect_time_ms", "end_time_ms", "final_status", "authentications", "early", "session_interval_s", "session_refresher", "takes_update", "keepalives_answered", "has_referred", "without_passed_headers", "replacement", "challenges_met")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    LOCAL_TAG_FIELD_NUMBER: _ClassVar[int]
    REMOTE_TAG_FIELD_NUMBER: _ClassVar[int]
    LOCAL_URI_FIELD_NUMBER: _ClassVar[int]
    REMOTE_URI_FIELD_NUMBER: _ClassVar[int]
    LOCAL_CSEQ_FIELD_NUMBER: _ClassVar[int]
    REMOTE_CSEQ_FIELD_NUMBER: _ClassVar[int]
    INVITE_CSEQ_FIELD_NUMBER: _ClassVar[int]
    ROUTE_SET_FIELD_NUMBER: _ClassVar[int]
    REMOTE_TARGET_FIELD_NUMBER: _ClassVar[int]
    EDGE_FIELD_NUMBER: _ClassVar[int]
    FLOW_FIELD_NUMBER: _ClassVar[int]
    LISTENER_FIELD_NUMBER: _ClassVar[int]
    INVITE_BRANCH_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    CONTACT_USER_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_BODY_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SENT_BODY_FIELD_NUMBER: _ClassVar[int]
    ACK_WITHHELD_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    SETUP_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    TRYING_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    ALERTING_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    CONNECT_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    END_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    FINAL_STATUS_FIELD_NUMBER: _ClassVar[int]
    AUTHENTICATIONS_FIELD_NUMBER: _ClassVar[int]
    EARLY_FIELD_NUMBER: _ClassVar[int]
    SESSION_INTERVAL_S_FIELD_NUMBER: _ClassVar[int]
    SESSION_REFRESHER_FIELD_NUMBER: _ClassVar[int]
    TAKES_UPDATE_FIELD_NUMBER: _ClassVar[int]
    KEEPALIVES_ANSWERED_FIELD_NUMBER: _ClassVar[int]
    HAS_REFERRED_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_PASSED_HEADERS_FIELD_NUMBER: _ClassVar[int]
    REPLACEMENT_FIELD_NUMBER: _ClassVar[int]
    CHALLENGES_MET_FIELD_NUMBER: _ClassVar[int]
    index: int
    state: LegState
    call_id: str
    local_tag: str
    remote_tag: str
    local_uri: str
    remote_uri: str
    local_cseq: int
    remote_cseq: int
    invite_cseq: int
    route_set: _containers.RepeatedScalarFieldContainer[str]
    remote_target: str
    edge: _edge_pb2.EdgeRef
    flow: str
    listener: str
    invite_branch: str
    sent: _edge_pb2.Sent
    contact_user: str
    received_body_digest: int
    sent_body: _sip_pb2.Body
    ack_withheld: bool
    route: int
    setup_time_ms: int
    trying_time_ms: int
    alerting_time_ms: int
    connect_time_ms: int
    end_time_ms: int
    final_status: int
    authentications: _containers.RepeatedCompositeFieldContainer[Authentication]
    early: EarlyDialog
    session_interval_s: int
    session_refresher: bool
    takes_update: bool
    keepalives_answered: int
    has_referred: bool
    without_passed_headers: bool
    replacement: bool
    challenges_met: ChallengesMet
    def __init__(self, index: _Optional[int] = ..., state: _Optional[_Union[LegState, str]] = ..., call_id: _Optional[str] = ..., local_tag: _Optional[str] = ..., remote_tag: _Optional[str] = ..., local_uri: _Optional[str] = ..., remote_uri: _Optional[str] = ..., local_cseq: _Optional[int] = ..., remote_cseq: _Optional[int] = ..., invite_cseq: _Optional[int] = ..., route_set: _Optional[_Iterable[str]] = ..., remote_target: _Optional[str] = ..., edge: _Optional[_Union[_edge_pb2.EdgeRef, _Mapping]] = ..., flow: _Optional[str] = ..., listener: _Optional[str] = ..., invite_branch: _Optional[str] = ..., sent: _Optional[_Union[_edge_pb2.Sent, _Mapping]] = ..., contact_user: _Optional[str] = ..., received_body_digest: _Optional[int] = ..., sent_body: _Optional[_Union[_sip_pb2.Body, _Mapping]] = ..., ack_withheld: _Optional[bool] = ..., route: _Optional[int] = ..., setup_time_ms: _Optional[int] = ..., trying_time_ms: _Optional[int] = ..., alerting_time_ms: _Optional[int] = ..., connect_time_ms: _Optional[int] = ..., end_time_ms: _Optional[int] = ..., final_status: _Optional[int] = ..., authentications: _Optional[_Iterable[_Union[Authentication, _Mapping]]] = ..., early: _Optional[_Union[EarlyDialog, _Mapping]] = ..., session_interval_s: _Optional[int] = ..., session_refresher: _Optional[bool] = ..., takes_update: _Optional[bool] = ..., keepalives_answered: _Optional[int] = ..., has_referred: _Optional[bool] = ..., without_passed_headers: _Optional[bool] = ..., replacement: _Optional[bool] = ..., challenges_met: _Optional[_Union[ChallengesMet, _Mapping]] = ...) -> None: ...

class EarlyDialog(_message.Message):
    __slots__ = ("remote_tag", "route_set", "remote_target", "rseq", "prack_withheld", "agreed", "others")
    REMOTE_TAG_FIELD_NUMBER: _ClassVar[int]
    ROUTE_SET_FIELD_NUMBER: _ClassVar[int]
    REMOTE_TARGET_FIELD_NUMBER: _ClassVar[int]
    RSEQ_FIELD_NUMBER: _ClassVar[int]
    PRACK_WITHHELD_FIELD_NUMBER: _ClassVar[int]
    AGREED_FIELD_NUMBER: _ClassVar[int]
    OTHERS_FIELD_NUMBER: _ClassVar[int]
    remote_tag: str
    route_set: _containers.RepeatedScalarFieldContainer[str]
    remote_target: str
    rseq: int
    prack_withheld: bool
    agreed: bool
    others: _containers.RepeatedCompositeFieldContainer[EarlyDialog]
    def __init__(self, remote_tag: _Optional[str] = ..., route_set: _Optional[_Iterable[str]] = ..., remote_target: _Optional[str] = ..., rseq: _Optional[int] = ..., prack_withheld: _Optional[bool] = ..., agreed: _Optional[bool] = ..., others: _Optional[_Iterable[_Union[EarlyDialog, _Mapping]]] = ...) -> None: ...

class Route(_message.Message):
    __slots__ = ("host", "port", "transport", "number", "called", "calling", "display", "from_host", "to_host", "headers", "credit_ms", "expires_ms", "no_progress_ms", "no_reply_ms", "auth_mode", "username", "password", "outbound_proxy", "hunt_stop", "group_ms", "group_skip", "forwarding", "no_relay", "bill_to", "bill_calling", "bill_called", "attributes", "ingress_attributes", "egress_attributes", "follow_redirects", "ourselves")
    HOST_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    TRANSPORT_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    CALLED_FIELD_NUMBER: _ClassVar[int]
    CALLING_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_FIELD_NUMBER: _ClassVar[int]
    FROM_HOST_FIELD_NUMBER: _ClassVar[int]
    TO_HOST_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    CREDIT_MS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_MS_FIELD_NUMBER: _ClassVar[int]
    NO_PROGRESS_MS_FIELD_NUMBER: _ClassVar[int]
    NO_REPLY_MS_FIELD_NUMBER: _ClassVar[int]
    AUTH_MODE_FIELD_NUMBER: _ClassVar[int]
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    OUTBOUND_PROXY_FIELD_NUMBER: _ClassVar[int]
    HUNT_STOP_FIELD_NUMBER: _ClassVar[int]
    GROUP_MS_FIELD_NUMBER: _ClassVar[int]
    GROUP_SKIP_FIELD_NUMBER: _ClassVar[int]
    FORWARDING_FIELD_NUMBER: _ClassVar[int]
    NO_RELAY_FIELD_NUMBER: _ClassVar[int]
    BILL_TO_FIELD_NUMBER: _ClassVar[int]
    BILL_CALLING_FIELD_NUMBER: _ClassVar[int]
    BILL_CALLED_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    INGRESS_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    EGRESS_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_REDIRECTS_FIELD_NUMBER: _ClassVar[int]
    OURSELVES_FIELD_NUMBER: _ClassVar[int]
    host: str
    port: int
    transport: str
    number: int
    called: str
    calling: str
    display: str
    from_host: str
    to_host: str
    headers: _containers.RepeatedCompositeFieldContainer[_sip_pb2.Header]
    credit_ms: int
    expires_ms: int
    no_progress_ms: int
    no_reply_ms: int
    auth_mode: AuthMode
    username: str
    password: str
    outbound_proxy: str
    hunt_stop: _containers.RepeatedScalarFieldContainer[int]
    group_ms: int
    group_skip: int
    forwarding: bool
    no_relay: bool
    bill_to: str
    bill_calling: str
    bill_called: str
    attributes: _containers.RepeatedScalarFieldContainer[str]
    ingress_attributes: _containers.RepeatedScalarFieldContainer[str]
    egress_attributes: _containers.RepeatedScalarFieldContainer[str]
    follow_redirects: bool
    ourselves: bool
    def __init__(self, host: _Optional[str] = ..., port: _Optional[int] = ..., transport: _Optional[str] = ..., number: _Optional[int] = ..., called: _Optional[str] = ..., calling: _Optional[str] = ..., display: _Optional[str] = ..., from_host: _Optional[str] = ..., to_host: _Optional[str] = ..., headers: _Optional[_Iterable[_Union[_sip_pb2.Header, _Mapping]]] = ..., credit_ms: _Optional[int] = ..., expires_ms: _Optional[int] = ..., no_progress_ms: _Optional[int] = ..., no_reply_ms: _Optional[int] = ..., auth_mode: _Optional[_Union[AuthMode, str]] = ..., username: _Optional[str] = ..., password: _Optional[str] = ..., outbound_proxy: _Optional[str] = ..., hunt_stop: _Optional[_Iterable[int]] = ..., group_ms: _Optional[int] = ..., group_skip: _Optional[int] = ..., forwarding: _Optional[bool] = ..., no_relay: _Optional[bool] = ..., bill_to: _Optional[str] = ..., bill_calling: _Optional[str] = ..., bill_called: _Optional[str] = ..., attributes: _Optional[_Iterable[str]] = ..., ingress_attributes: _Optional[_Iterable[str]] = ..., egress_attributes: _Optional[_Iterable[str]] = ..., follow_redirects: _Optional[bool] = ..., ourselves: _Optional[bool] = ...) -> None: ...

class Authentication(_message.Message):
    __slots__ = ("challenge", "proxy", "nonce_count", "invite_credentials")
    CHALLENGE_FIELD_NUMBER: _ClassVar[int]
    PROXY_FIELD_NUMBER: _ClassVar[int]
    NONCE_COUNT_FIELD_NUMBER: _ClassVar[int]
    INVITE_CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    challenge: str
    proxy: bool
    nonce_count: int
    invite_credentials: str
    def __init__(self, challenge: _Optional[str] = ..., proxy: _Optional[bool] = ..., nonce_count: _Optional[int] = ..., invite_credentials: _Optional[str] = ...) -> None: ...

class ChallengesMet(_message.Message):
    __slots__ = ("by_peer", "by_proxy")
    BY_PEER_FIELD_NUMBER: _ClassVar[int]
    BY_PROXY_FIELD_NUMBER: _ClassVar[int]
    by_peer: int
    by_proxy: int
    def __init__(self, by_peer: _Optional[int] = ..., by_proxy: _Optional[int] = ...) -> None: ...

class Failure(_message.Message):
    __slots__ = ("status", "reason", "headers")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    status: int
    reason: str
    headers: _containers.RepeatedCompositeFieldContainer[_sip_pb2.Header]
    def __init__(self, status: _Optional[int] = ..., reason: _Optional[str] = ..., headers: _Optional[_Iterable[_Union[_sip_pb2.Header, _Mapping]]] = ...) -> None: ...

class Timer(_message.Message):
    __slots__ = ("kind", "leg", "at_ms")
    KIND_FIELD_NUMBER: _ClassVar[int]
    LEG_FIELD_NUMBER: _ClassVar[int]
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    kind: TimerKind
    leg: int
    at_ms: int
    def __init__(self, kind: _Optional[_Union[TimerKind, str]] = ..., leg: _Optional[int] = ..., at_ms: _Optional[int] = ...) -> None: ...

class ServerTransaction(_message.Message):
    __slots__ = ("leg", "transaction", "edges", "origin", "answer", "origin_in_dialog", "reliability", "rseq", "prack_awaited", "held", "session_headers", "session_interval_s", "session_refresher")
    LEG_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    EDGES_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_IN_DIALOG_FIELD_NUMBER: _ClassVar[int]
    RELIABILITY_FIELD_NUMBER: _ClassVar[int]
    RSEQ_FIELD_NUMBER: _ClassVar[int]
    PRACK_AWAITED_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    SESSION_HEADERS_FIELD_NUMBER: _ClassVar[int]
    SESSION_INTERVAL_S_FIELD_NUMBER: _ClassVar[int]
    SESSION_REFRESHER_FIELD_NUMBER: _ClassVar[int]
    leg: int
    transaction: str
    edges: _containers.RepeatedCompositeFieldContainer[_edge_pb2.EdgeRef]
    origin: _edge_pb2.Origin
    answer: _edge_pb2.Respond
    origin_in_dialog: bool
    reliability: Reliability
    rseq: int
    prack_awaited: bool
    held: _edge_pb2.Respond
    session_headers: _containers.RepeatedCompositeFieldContainer[_sip_pb2.Header]
    session_interval_s: int
    session_refresher: bool
    def __init__(self, leg: _Optional[int] = ..., transaction: _Optional[str] = ..., edges: _Optional[_Iterable[_Union[_edge_pb2.EdgeRef, _Mapping]]] = ..., origin: _Optional[_Union[_edge_pb2.Origin, _Mapping]] = ..., answer: _Optional[_Union[_edge_pb2.Respond, _Mapping]] = ..., origin_in_dialog: _Optional[bool] = ..., reliability: _Optional[_Union[Reliability, str]] = ..., rseq: _Optional[int] = ..., prack_awaited: _Optional[bool] = ..., held: _Optional[_Union[_edge_pb2.Respond, _Mapping]] = ..., session_headers: _Optional[_Iterable[_Union[_sip_pb2.Header, _Mapping]]] = ..., session_interval_s: _Optional[int] = ..., session_refresher: _Optional[bool] = ...) -> None: ...

class Relay(_message.Message):
    __slots__ = ("method", "transaction", "from_leg", "to_leg", "branch", "cseq", "origin_cseq", "state", "request", "sent", "provisional_seen", "ack_withheld", "ack_by_ms", "offer_digest", "contact_uri", "purpose", "replaced")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    FROM_LEG_FIELD_NUMBER: _ClassVar[int]
    TO_LEG_FIELD_NUMBER: _ClassVar[int]
    BRANCH_FIELD_NUMBER: _ClassVar[int]
    CSEQ_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_CSEQ_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    PROVISIONAL_SEEN_FIELD_NUMBER: _ClassVar[int]
    ACK_WITHHELD_FIELD_NUMBER: _ClassVar[int]
    ACK_BY_MS_FIELD_NUMBER: _ClassVar[int]
    OFFER_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CONTACT_URI_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    REPLACED_FIELD_NUMBER: _ClassVar[int]
    method: str
    transaction: str
    from_leg: int
    to_leg: int
    branch: str
    cseq: int
    origin_cseq: int
    state: RelayState
    request: _edge_pb2.SendRequest
    sent: _edge_pb2.Sent
    provisional_seen: bool
    ack_withheld: bool
    ack_by_ms: int
    offer_digest: int
    contact_uri: str
    purpose: OwnPurpose
    replaced: int
    def __init__(self, method: _Optional[str] = ..., transaction: _Optional[str] = ..., from_leg: _Optional[int] = ..., to_leg: _Optional[int] = ..., branch: _Optional[str] = ..., cseq: _Optional[int] = ..., origin_cseq: _Optional[int] = ..., state: _Optional[_Union[RelayState, str]] = ..., request: _Optional[_Union[_edge_pb2.SendRequest, _Mapping]] = ..., sent: _Optional[_Union[_edge_pb2.Sent, _Mapping]] = ..., provisional_seen: _Optional[bool] = ..., ack_withheld: _Optional[bool] = ..., ack_by_ms: _Optional[int] = ..., offer_digest: _Optional[int] = ..., contact_uri: _Optional[str] = ..., purpose: _Optional[_Union[OwnPurpose, str]] = ..., replaced: _Optional[int] = ...) -> None: ...

class Debt(_message.Message):
    __slots__ = ("id", "proof", "deadline_ms", "expires_ms", "command", "authorize_request_id", "media_request_id", "body_is_offer", "challenges_met")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_MS_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    AUTHORIZE_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MEDIA_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    BODY_IS_OFFER_FIELD_NUMBER: _ClassVar[int]
    CHALLENGES_MET_FIELD_NUMBER: _ClassVar[int]
    id: int
    proof: Proof
    deadline_ms: int
    expires_ms: int
    command: _edge_pb2.Command
    authorize_request_id: str
    media_request_id: str
    body_is_offer: bool
    challenges_met: ChallengesMet
    def __init__(self, id: _Optional[int] = ..., proof: _Optional[_Union[Proof, str]] = ..., deadline_ms: _Optional[int] = ..., expires_ms: _Optional[int] = ..., command: _Optional[_Union[_edge_pb2.Command, _Mapping]] = ..., authorize_request_id: _Optional[str] = ..., media_request_id: _Optional[str] = ..., body_is_offer: _Optional[bool] = ..., challenges_met: _Optional[_Union[ChallengesMet, _Mapping]] = ...) -> None: ...

class TraceContext(_message.Message):
    __slots__ = ("trace_id", "span_id", "sampled")
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    SAMPLED_FIELD_NUMBER: _ClassVar[int]
    trace_id: bytes
    span_id: bytes
    sampled: bool
    def __init__(self, trace_id: _Optional[bytes] = ..., span_id: _Optional[bytes] = ..., sampled: _Optional[bool] = ...) -> None: ...

class Transfer(_message.Message):
    __slots__ = ("state", "transferor", "transferee", "first_leg", "target", "offer", "headers")
    STATE_FIELD_NUMBER: _ClassVar[int]
    TRANSFEROR_FIELD_NUMBER: _ClassVar[int]
    TRANSFEREE_FIELD_NUMBER: _ClassVar[int]
    FIRST_LEG_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    OFFER_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    state: TransferState
    transferor: int
    transferee: int
    first_leg: int
    target: int
    offer: _sip_pb2.Body
    headers: _containers.RepeatedCompositeFieldContainer[_sip_pb2.Header]
    def __init__(self, state: _Optional[_Union[TransferState, str]] = ..., transferor: _Optional[int] = ..., transferee: _Optional[int] = ..., first_leg: _Optional[int] = ..., target: _Optional[int] = ..., offer: _Optional[_Union[_sip_pb2.Body, _Mapping]] = ..., headers: _Optional[_Iterable[_Union[_sip_pb2.Header, _Mapping]]] = ...) -> None: ...

class Subscription(_message.Message):
    __slots__ = ("leg", "event", "expires_at_ms", "status", "reason", "told", "hang_up")
    LEG_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_MS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TOLD_FIELD_NUMBER: _ClassVar[int]
    HANG_UP_FIELD_NUMBER: _ClassVar[int]
    leg: int
    event: str
    expires_at_ms: int
    status: int
    reason: str
    told: int
    hang_up: bool
    def __init__(self, leg: _Optional[int] = ..., event: _Optional[str] = ..., expires_at_ms: _Optional[int] = ..., status: _Optional[int] = ..., reason: _Optional[str] = ..., told: _Optional[int] = ..., hang_up: _Optional[bool] = ...) -> None: ...

class Call(_message.Message):
    __slots__ = ("schema", "key", "version", "state", "legs", "routes", "next_route", "debts", "last_debt", "last_branch", "seen_events", "transactions", "relays", "invite", "merge_key", "answer_by_ms", "ack_by_ms", "reap_by_ms", "watch_at_ms", "release_source", "final_status", "trace", "relay_token", "aaa_state", "last_record", "timers", "passed_headers", "failure", "connected", "transfer", "subscription")
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    LEGS_FIELD_NUMBER: _ClassVar[int]
    ROUTES_FIELD_NUMBER: _ClassVar[int]
    NEXT_ROUTE_FIELD_NUMBER: _ClassVar[int]
    DEBTS_FIELD_NUMBER: _ClassVar[int]
    LAST_DEBT_FIELD_NUMBER: _ClassVar[int]
    LAST_BRANCH_FIELD_NUMBER: _ClassVar[int]
    SEEN_EVENTS_FIELD_NUMBER: _ClassVar[int]
    TRANSACTIONS_FIELD_NUMBER: _ClassVar[int]
    RELAYS_FIELD_NUMBER: _ClassVar[int]
    INVITE_FIELD_NUMBER: _ClassVar[int]
    MERGE_KEY_FIELD_NUMBER: _ClassVar[int]
    ANSWER_BY_MS_FIELD_NUMBER: _ClassVar[int]
    ACK_BY_MS_FIELD_NUMBER: _ClassVar[int]
    REAP_BY_MS_FIELD_NUMBER: _ClassVar[int]
    WATCH_AT_MS_FIELD_NUMBER: _ClassVar[int]
    RELEASE_SOURCE_FIELD_NUMBER: _ClassVar[int]
    FINAL_STATUS_FIELD_NUMBER: _ClassVar[int]
    TRACE_FIELD_NUMBER: _ClassVar[int]
    RELAY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    AAA_STATE_FIELD_NUMBER: _ClassVar[int]
    LAST_RECORD_FIELD_NUMBER: _ClassVar[int]
    TIMERS_FIELD_NUMBER: _ClassVar[int]
    PASSED_HEADERS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    TRANSFER_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    schema: int
    key: str
    version: int
    state: CallState
    legs: _containers.RepeatedCompositeFieldContainer[Leg]
    routes: _containers.RepeatedCompositeFieldContainer[Route]
    next_route: int
    debts: _containers.RepeatedCompositeFieldContainer[Debt]
    last_debt: int
    last_branch: int
    seen_events: _containers.RepeatedScalarFieldContainer[int]
    transactions: _containers.RepeatedCompositeFieldContainer[ServerTransaction]
    relays: _containers.RepeatedCompositeFieldContainer[Relay]
    invite: _edge_pb2.RequestEvent
    merge_key: str
    answer_by_ms: int
    ack_by_ms: int
    reap_by_ms: int
    watch_at_ms: int
    release_source: ReleaseSource
    final_status: int
    trace: TraceContext
    relay_token: str
    aaa_state: bytes
    last_record: int
    timers: _containers.RepeatedCompositeFieldContainer[Timer]
    passed_headers: _containers.RepeatedCompositeFieldContainer[_sip_pb2.Header]
    failure: Failure
    connected: _containers.RepeatedScalarFieldContainer[int]
    transfer: Transfer
    subscription: Subscription
    def __init__(self, schema: _Optional[int] = ..., key: _Optional[str] = ..., version: _Optional[int] = ..., state: _Optional[_Union[CallState, str]] = ..., legs: _Optional[_Iterable[_Union[Leg, _Mapping]]] = ..., routes: _Optional[_Iterable[_Union[Route, _Mapping]]] = ..., next_route: _Optional[int] = ..., debts: _Optional[_Iterable[_Union[Debt, _Mapping]]] = ..., last_debt: _Optional[int] = ..., last_branch: _Optional[int] = ..., seen_events: _Optional[_Iterable[int]] = ..., transactions: _Optional[_Iterable[_Union[ServerTransaction, _Mapping]]] = ..., relays: _Optional[_Iterable[_Union[Relay, _Mapping]]] = ..., invite: _Optional[_Union[_edge_pb2.RequestEvent, _Mapping]] = ..., merge_key: _Optional[str] = ..., answer_by_ms: _Optional[int] = ..., ack_by_ms: _Optional[int] = ..., reap_by_ms: _Optional[int] = ..., watch_at_ms: _Optional[int] = ..., release_source: _Optional[_Union[ReleaseSource, str]] = ..., final_status: _Optional[int] = ..., trace: _Optional[_Union[TraceContext, _Mapping]] = ..., relay_token: _Optional[str] = ..., aaa_state: _Optional[bytes] = ..., last_record: _Optional[int] = ..., timers: _Optional[_Iterable[_Union[Timer, _Mapping]]] = ..., passed_headers: _Optional[_Iterable[_Union[_sip_pb2.Header, _Mapping]]] = ..., failure: _Optional[_Union[Failure, _Mapping]] = ..., connected: _Optional[_Iterable[int]] = ..., transfer: _Optional[_Union[Transfer, _Mapping]] = ..., subscription: _Optional[_Union[Subscription, _Mapping]] = ...) -> None: ...

class Tombstone(_message.Message):
    __slots__ = ("key", "version", "answers", "final_status")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    FINAL_STATUS_FIELD_NUMBER: _ClassVar[int]
    key: str
    version: int
    answers: _containers.RepeatedCompositeFieldContainer[TombstoneAnswer]
    final_status: int
    def __init__(self, key: _Optional[str] = ..., version: _Optional[int] = ..., answers: _Optional[_Iterable[_Union[TombstoneAnswer, _Mapping]]] = ..., final_status: _Optional[int] = ...) -> None: ...

class TombstoneAnswer(_message.Message):
    __slots__ = ("transaction", "status", "reason", "to_tag")
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TO_TAG_FIELD_NUMBER: _ClassVar[int]
    transaction: str
    status: int
    reason: str
    to_tag: str
    def __init__(self, transaction: _Optional[str] = ..., status: _Optional[int] = ..., reason: _Optional[str] = ..., to_tag: _Optional[str] = ...) -> None: ...

class JournalEntry(_message.Message):
    __slots__ = ("key", "version", "record", "tombstone", "outbox", "deadline_ms", "ttl_ms", "merge_key")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    TOMBSTONE_FIELD_NUMBER: _ClassVar[int]
    OUTBOX_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    TTL_MS_FIELD_NUMBER: _ClassVar[int]
    MERGE_KEY_FIELD_NUMBER: _ClassVar[int]
    key: str
    version: int
    record: bytes
    tombstone: bytes
    outbox: _containers.RepeatedScalarFieldContainer[bytes]
    deadline_ms: int
    ttl_ms: int
    merge_key: str
    def __init__(self, key: _Optional[str] = ..., version: _Optional[int] = ..., record: _Optional[bytes] = ..., tombstone: _Optional[bytes] = ..., outbox: _Optional[_Iterable[bytes]] = ..., deadline_ms: _Optional[int] = ..., ttl_ms: _Optional[int] = ..., merge_key: _Optional[str] = ...) -> None: ...
