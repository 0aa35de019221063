from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Session(_message.Message):
    __slots__ = ("call_key", "relay_token", "from_leg", "to_leg", "remote_address", "group")
    CALL_KEY_FIELD_NUMBER: _ClassVar[int]
    RELAY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FROM_LEG_FIELD_NUMBER: _ClassVar[int]
    TO_LEG_FIELD_NUMBER: _ClassVar[int]
    REMOTE_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    call_key: str
    relay_token: str
    from_leg: int
    to_leg: int
    remote_address: str
    group: str
    def __init__(self, call_key: _Optional[str] = ..., relay_token: _Optional[str] = ..., from_leg: _Optional[int] = ..., to_leg: _Optional[int] = ..., remote_address: _Optional[str] = ..., group: _Optional[str] = ...) -> None: ...

class OfferRequest(_message.Message):
    __slots__ = ("request_id", "session", "sdp")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    SDP_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    session: Session
    sdp: bytes
    def __init__(self, request_id: _Optional[str] = ..., session: _Optional[_Union[Session, _Mapping]] = ..., sdp: _Optional[bytes] = ...) -> None: ...

class OfferResponse(_message.Message):
    __slots__ = ("sdp", "relay_token")
    SDP_FIELD_NUMBER: _ClassVar[int]
    RELAY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    sdp: bytes
    relay_token: str
    def __init__(self, sdp: _Optional[bytes] = ..., relay_token: _Optional[str] = ...) -> None: ...

class AnswerRequest(_message.Message):
    __slots__ = ("request_id", "session", "sdp")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    SDP_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    session: Session
    sdp: bytes
    def __init__(self, request_id: _Optional[str] = ..., session: _Optional[_Union[Session, _Mapping]] = ..., sdp: _Optional[bytes] = ...) -> None: ...

class AnswerResponse(_message.Message):
    __slots__ = ("sdp", "relay_token")
    SDP_FIELD_NUMBER: _ClassVar[int]
    RELAY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    sdp: bytes
    relay_token: str
    def __init__(self, sdp: _Optional[bytes] = ..., relay_token: _Optional[str] = ...) -> None: ...

class DeleteRequest(_message.Message):
    __slots__ = ("request_id", "session")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    session: Session
    def __init__(self, request_id: _Optional[str] = ..., session: _Optional[_Union[Session, _Mapping]] = ...) -> None: ...

class DeleteResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class QueryRequest(_message.Message):
    __slots__ = ("session",)
    SESSION_FIELD_NUMBER: _ClassVar[int]
    session: Session
    def __init__(self, session: _Optional[_Union[Session, _Mapping]] = ...) -> None: ...

class QueryResponse(_message.Message):
    __slots__ = ("alive", "packets_from_caller", "packets_from_callee", "time_to_live_seconds")
    ALIVE_FIELD_NUMBER: _ClassVar[int]
    PACKETS_FROM_CALLER_FIELD_NUMBER: _ClassVar[int]
    PACKETS_FROM_CALLEE_FIELD_NUMBER: _ClassVar[int]
    TIME_TO_LIVE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    alive: bool
    packets_from_caller: int
    packets_from_callee: int
    time_to_live_seconds: int
    def __init__(self, alive: _Optional[bool] = ..., packets_from_caller: _Optional[int] = ..., packets_from_callee: _Optional[int] = ..., time_to_live_seconds: _Optional[int] = ...) -> None: ...

class PlayRequest(_message.Message):
    __slots__ = ("request_id", "session", "prompt", "repeat")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    REPEAT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    session: Session
    prompt: str
    repeat: int
    def __init__(self, request_id: _Optional[str] = ..., session: _Optional[_Union[Session, _Mapping]] = ..., prompt: _Optional[str] = ..., repeat: _Optional[int] = ...) -> None: ...

class PlayResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StopRequest(_message.Message):
    __slots__ = ("request_id", "session")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    session: Session
    def __init__(self, request_id: _Optional[str] = ..., session: _Optional[_Union[Session, _Mapping]] = ...) -> None: ...

class StopResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RecordRequest(_message.Message):
    __slots__ = ("request_id", "session", "name")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    session: Session
    name: str
    def __init__(self, request_id: _Optional[str] = ..., session: _Optional[_Union[Session, _Mapping]] = ..., name: _Optional[str] = ...) -> None: ...

class RecordResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WatchEventsRequest(_message.Message):
    __slots__ = ("pod_id",)
    POD_ID_FIELD_NUMBER: _ClassVar[int]
    pod_id: str
    def __init__(self, pod_id: _Optional[str] = ...) -> None: ...

class WatchEventsResponse(_message.Message):
    __slots__ = ("call_key", "timeout", "dtmf")
    CALL_KEY_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    DTMF_FIELD_NUMBER: _ClassVar[int]
    call_key: str
    timeout: MediaTimeout
    dtmf: Dtmf
    def __init__(self, call_key: _Optional[str] = ..., timeout: _Optional[_Union[MediaTimeout, _Mapping]] = ..., dtmf: _Optional[_Union[Dtmf, _Mapping]] = ...) -> None: ...

class MediaTimeout(_message.Message):
    __slots__ = ("silence_seconds", "media_index")
    SILENCE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MEDIA_INDEX_FIELD_NUMBER: _ClassVar[int]
    silence_seconds: int
    media_index: int
    def __init__(self, silence_seconds: _Optional[int] = ..., media_index: _Optional[int] = ...) -> None: ...

class Dtmf(_message.Message):
    __slots__ = ("digit", "leg", "duration_ms")
    DIGIT_FIELD_NUMBER: _ClassVar[int]
    LEG_FIELD_NUMBER: _ClassVar[int]
    DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    digit: str
    leg: int
    duration_ms: int
    def __init__(self, digit: _Optional[str] = ..., leg: _Optional[int] = ..., duration_ms: _Optional[int] = ...) -> None: ...
