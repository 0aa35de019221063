"""HTTP digest authentication as SIP uses it (RFC 3261 22, RFC 7616, RFC 8760): challenges and credentials."""

from sipcore.auth.challenge import Challenge, choose_challenge, parse_challenges
from sipcore.auth.credentials import Credentials, answer, parse_credentials, verify, verify_password
from sipcore.auth.fields import mask_credentials
from sipcore.auth.hashes import ha1, is_supported

__all__ = [
    "Challenge",
    "Credentials",
    "answer",
    "choose_challenge",
    "ha1",
    "is_supported",
    "mask_credentials",
    "parse_challenges",
    "parse_credentials",
    "verify",
    "verify_password",
]
