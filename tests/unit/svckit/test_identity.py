"""Keys, tags and branches: what they carry comes back, and nothing else is taken for ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svckit.identity import MAX_LEG, MAX_RETRY, BranchKey, Identity, shard_of_key, shard_tag

SALT = b"0123456789abcdef"
DIGITS = set("0123456789abcdefghijklmnopqrstuv")
IDENTITY = Identity(b"key", salt=SALT, shards=64)
KEY = IDENTITY.call_key("call-id", "from-tag", 1, "192.0.2.1:5060", "z9hG4bK1")

Call = tuple[str, str, int, str, str]

texts = st.text(max_size=40)
calls = st.tuples(texts, texts, st.integers(0, 2**31), texts, texts)
keys = calls.map(lambda call: IDENTITY.call_key(*call))
legs = st.integers(0, MAX_LEG)
counters = st.integers(0, 32767)
retries = st.integers(0, MAX_RETRY)


class TestCallKey:
    """Keys, shards and merge markers."""

    @given(calls, calls)
    def test_equal_only_for_equal_calls(self, one: Call, other: Call) -> None:
        assert (IDENTITY.call_key(*one) == IDENTITY.call_key(*other)) is (one == other)

    def test_fields_do_not_run_into_each_other(self) -> None:
        one = IDENTITY.call_key("ab", "c", 1, "h", "b")
        assert one != IDENTITY.call_key("a", "bc", 1, "h", "b")
        assert one != IDENTITY.call_key("ab", "c", 1, "hb", "")

    @given(calls)
    def test_shape_and_shard(self, call: Call) -> None:
        key = IDENTITY.call_key(*call)
        assert len(key) == 22
        assert set(key) <= DIGITS
        assert shard_of_key(key) == IDENTITY.shard_of_key(key) == IDENTITY.shard_of(call[0], call[1])

    @given(texts, texts, st.sampled_from([1, 7, 64, 1024]))
    def test_shards_are_in_range(self, call_id: str, from_tag: str, shards: int) -> None:
        assert 0 <= Identity(b"key", salt=SALT, shards=shards).shard_of(call_id, from_tag) < shards

    def test_shards_are_used_evenly(self) -> None:
        counts = [0] * 64
        for number in range(6400):
            counts[IDENTITY.shard_of(f"{number}@example.com", "tag")] += 1
        assert min(counts) > 50
        assert max(counts) < 160

    def test_keys_depend_on_the_salt_only(self) -> None:
        call = ("call-id", "from-tag", 1, "192.0.2.1:5060", "z9hG4bK1")
        assert Identity(b"other key", salt=SALT, shards=64).call_key(*call) == KEY
        assert Identity(b"key", salt=b"other salt", shards=64).call_key(*call) != KEY

    def test_merge_key_knows_the_request_uri(self) -> None:
        one = IDENTITY.merge_key("call-id", "tag", 1, "sip:a@example.com")
        assert one == IDENTITY.merge_key("call-id", "tag", 1, "sip:a@example.com")
        assert one != IDENTITY.merge_key("call-id", "tag", 1, "sip:b@example.com")
        assert set(one) <= DIGITS

    def test_a_golden_key(self) -> None:
        # Pods of two releases must compute the same key, or a call in progress is lost in an upgrade.
        assert KEY == "1h9jnhgmtj162lai7vhm91"
        assert IDENTITY.tag(KEY, 1) == "1h9jnhgmtj162lai7vhm9101klfbo3tkbs3kk"
        assert IDENTITY.branch(KEY, 1, 1) == "z9hG4bK1h9jnhgmtj162lai7vhm91010010mcr2h50g9beos"

    def test_shard_tag(self) -> None:
        assert shard_tag(12) == "{s12}"


class TestTag:
    """Tags of ours."""

    @given(keys, legs)
    def test_comes_back(self, key: str, leg: int) -> None:
        tag = IDENTITY.tag(key, leg)
        assert len(tag) == 37
        assert set(tag) <= DIGITS
        assert IDENTITY.read_tag(tag) == (key, leg)
        assert IDENTITY.read_tag(tag.upper()) == (key, leg)

    @given(st.integers(0, 36), st.sampled_from(sorted(DIGITS)))
    def test_any_change_is_noticed(self, position: int, digit: str) -> None:
        tag = IDENTITY.tag(KEY, 1)
        forged = tag[:position] + digit + tag[position + 1 :]
        assert (IDENTITY.read_tag(forged) is None) is (forged != tag)

    @given(st.one_of(st.text(), st.text(min_size=37, max_size=37), st.from_regex(r"[0-9a-v]{37}")))
    def test_garbage_is_not_ours(self, text: str) -> None:
        assert IDENTITY.read_tag(text) is None

    def test_letters_that_only_lower_to_ascii_are_not_ours(self) -> None:
        tag = next(tag for leg in range(MAX_LEG) if "k" in (tag := IDENTITY.tag(KEY, leg)))
        assert IDENTITY.read_tag(tag.replace("k", "\N{KELVIN SIGN}")) is None

    @pytest.mark.parametrize("leg", [-1, MAX_LEG + 1])
    def test_a_leg_that_does_not_fit(self, leg: int) -> None:
        with pytest.raises(ValueError, match="leg"):
            IDENTITY.tag(KEY, leg)


class TestBranch:
    """Branches of ours."""

    @given(keys, legs, counters, retries)
    def test_comes_back(self, key: str, leg: int, counter: int, retry: int) -> None:
        branch = IDENTITY.branch(key, leg, counter, retry)
        assert branch.startswith("z9hG4bK")
        assert len(branch) == 48
        for text in (branch, branch.upper(), branch.lower()):
            assert IDENTITY.read_branch(text) == BranchKey(key, leg, counter, retry)

    @given(counters, retries, retries)
    def test_retry(self, counter: int, first: int, second: int) -> None:
        branch = IDENTITY.branch(KEY, 2, counter, first)
        assert IDENTITY.retry_branch(branch, second) == IDENTITY.branch(KEY, 2, counter, second)

    @given(st.integers(0, 47), st.sampled_from(sorted(DIGITS)))
    def test_any_change_is_noticed(self, position: int, digit: str) -> None:
        branch = IDENTITY.branch(KEY, 1, 1)
        forged = branch[:position] + digit + branch[position + 1 :]
        assert (IDENTITY.read_branch(forged) is None) is (forged.lower() != branch.lower())

    @given(st.one_of(st.text(), st.text(min_size=48, max_size=48), st.from_regex(r"z9hG4bK[0-9a-v]{41}")))
    def test_garbage_is_not_ours(self, text: str) -> None:
        assert IDENTITY.read_branch(text) is None

    def test_the_counter_wraps(self) -> None:
        assert IDENTITY.branch(KEY, 1, 32768 + 5) == IDENTITY.branch(KEY, 1, 5)

    def test_a_retry_that_does_not_fit(self) -> None:
        with pytest.raises(ValueError, match="retry"):
            IDENTITY.branch(KEY, 1, 1, MAX_RETRY + 1)

    def test_retry_of_a_foreign_branch(self) -> None:
        with pytest.raises(ValueError, match="not a branch of ours"):
            IDENTITY.retry_branch("z9hG4bKforeign", 1)

    def test_tag_and_branch_sign_differently(self) -> None:
        tag = IDENTITY.tag(KEY, 1)
        assert tag[24:] not in IDENTITY.branch(KEY, 1, 0)


class TestProxyBranch:
    """Branches of requests that are passed on without a call."""

    @given(texts, texts)
    def test_is_known_again_and_is_that_of_no_call(self, one: str, other: str) -> None:
        branch = IDENTITY.proxy_branch(one, other)
        assert branch.startswith("z9hG4bK")
        assert branch.isascii()
        assert all(IDENTITY.is_proxy_branch(text) for text in (branch, branch.upper(), branch.lower()))
        assert IDENTITY.read_branch(branch) is None
        assert IDENTITY.proxy_branch(one, other) == branch
        assert IDENTITY.proxy_branch(one + other, "") != branch or not other

    @given(st.integers(0, 42), st.sampled_from(sorted(DIGITS)))
    def test_any_change_is_noticed(self, position: int, digit: str) -> None:
        branch = IDENTITY.proxy_branch("request", "0")
        forged = branch[:position] + digit + branch[position + 1 :]
        assert IDENTITY.is_proxy_branch(forged) is (forged.lower() == branch.lower())

    @given(st.one_of(st.text(), st.from_regex(r"z9hG4bK-p-[0-9a-v]{33}", fullmatch=True)))
    def test_garbage_is_not_ours(self, text: str) -> None:
        assert not IDENTITY.is_proxy_branch(text)

    @given(keys, legs, counters)
    def test_branch_of_a_call_is_none(self, key: str, leg: int, counter: int) -> None:
        assert not IDENTITY.is_proxy_branch(IDENTITY.branch(key, leg, counter))


class TestKeys:
    """Rotation of the key."""

    def test_the_previous_key_is_accepted_while_it_is_given(self) -> None:
        old = Identity(b"old", salt=SALT, shards=64)
        rotated = Identity(b"new", salt=SALT, shards=64, previous=b"old")
        done = Identity(b"new", salt=SALT, shards=64)
        tag, branch = old.tag(KEY, 1), old.branch(KEY, 1, 1)
        assert rotated.read_tag(tag) == (KEY, 1)
        assert rotated.read_branch(branch) == (KEY, 1, 1, 0)
        assert done.read_tag(tag) is None
        assert done.read_branch(branch) is None
        forwarded = old.proxy_branch("request")
        assert rotated.is_proxy_branch(forwarded)
        assert not done.is_proxy_branch(forwarded)
        assert rotated.tag(KEY, 1) == done.tag(KEY, 1) != tag

    def test_fingerprint_tells_keys_apart(self) -> None:
        assert IDENTITY.fingerprint == Identity(b"key", salt=b"other", shards=8).fingerprint
        assert IDENTITY.fingerprint != Identity(b"other", salt=SALT, shards=64).fingerprint

    @pytest.mark.parametrize(("key", "salt", "shards"), [(b"", SALT, 1), (b"k", b"", 1), (b"k", SALT, 0)])
    def test_bad_settings(self, key: bytes, salt: bytes, shards: int) -> None:
        with pytest.raises(ValueError, match=r"identity|shard"):
            Identity(key, salt=salt, shards=shards)

    def test_too_many_shards(self) -> None:
        with pytest.raises(ValueError, match="1025"):
            Identity(b"k", salt=SALT, shards=1025)

    def test_a_key_of_any_length(self) -> None:
        long = Identity(b"k" * 1000, salt=SALT, shards=1)
        assert long.read_tag(long.tag(KEY, 1)) == (KEY, 1)
