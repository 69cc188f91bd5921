"""HubSpot's signatures: what it signed is taken, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credsync.hubspot.signature import Flaw, Signed, flaw_of, signature_v2, signature_v3

ARABIC = "\u0661" * 13
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
SECRET, BEFORE = "12345678-aaaa-bbbb-cccc-ddddeeeeffff", "0d9f0e0c-before"
URI = "https://credsync.example.org/v1/webhooks/hubspot/alpha"
BODY = b'[{"subscriptionType":"object.creation","portalId":1234567,"objectId":801,"objectTypeId":"2-1"}]'


def stamp(seconds_ago: float = 0) -> str:
    return str(round((NOW - timedelta(seconds=seconds_ago)).timestamp() * 1000))


def v3(body: bytes = BODY, timestamp: str = stamp(), secret: str = SECRET, uri: str = URI) -> Signed:
    return Signed("POST", uri, body, timestamp, signature_v3(secret, "POST", uri, body, timestamp))


def v2(body: bytes = BODY, secret: str = SECRET) -> Signed:
    return Signed("POST", URI, body, None, None, signature_v2(secret, "POST", URI, body))


def test_hubspots_own_example() -> None:
    """The vector of HubSpot's documentation."""
    uri = "https://hubspot.com/?appId=1&portalId=2&userId=3"
    expected = "zTfXjo07jfzGouo4wvyAj3qEMUTVJ0PPYPACrluQtQI="
    assert signature_v3(SECRET, "GET", uri, b"", "1111111111") == expected


def test_only_the_characters_that_hubspot_names_are_decoded() -> None:
    """Twelve of them, in either case, once."""
    coded = "https://a.example/x?q=%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B%20%253A%26"
    plain = "https://a.example/x?q=:/?@!$'()*,;%20%253A%26"
    assert v3(uri=coded).v3 == v3(uri=plain).v3 == v3(uri=coded.replace("%2F", "%2f")).v3
    assert v3(uri=plain.replace("%20", " ")).v3 != v3(uri=plain).v3


@pytest.mark.parametrize("secrets", [(SECRET,), (SECRET, BEFORE), (BEFORE, SECRET)])
def test_what_hubspot_signed_is_taken_under_either_secret(secrets: tuple[str, ...]) -> None:
    """While a secret is changed, both hold."""
    assert flaw_of(v3(), secrets, NOW) is None
    assert flaw_of(v2(), secrets, NOW) is None


@pytest.mark.parametrize(
    ("seconds", "taken"), [(0, True), (300, True), (301, False), (-60, True), (-61, False)]
)
def test_five_minutes_are_the_oldest_and_one_ahead_the_farthest(seconds: float, taken: bool) -> None:
    """A stale signature is as good as none, and clocks may differ by a minute."""
    assert flaw_of(v3(timestamp=stamp(seconds)), [SECRET], NOW) == (None if taken else Flaw.WRONG_TIME)


def flips(text: bytes) -> list[bytes]:
    """Every text that differs in one bit."""
    return [
        text[:place] + bytes([text[place] ^ (1 << bit)]) + text[place + 1 :]
        for place in range(len(text))
        for bit in range(8)
    ]


def test_no_single_flipped_bit_is_taken() -> None:
    """Of the signature, the body, the moment, the address and the method: each bit of each."""
    whole = v3()
    assert whole.v3 is not None
    assert whole.timestamp is not None
    weaker = v2()
    assert weaker.v2 is not None
    changed = [
        Signed("POST", URI, BODY, whole.timestamp, f.decode("latin-1")) for f in flips(whole.v3.encode())
    ]
    changed += [Signed("POST", URI, f, whole.timestamp, whole.v3) for f in flips(BODY)]
    changed += [
        Signed("POST", URI, BODY, f.decode("latin-1"), whole.v3) for f in flips(whole.timestamp.encode())
    ]
    changed += [
        Signed("POST", f.decode("latin-1"), BODY, whole.timestamp, whole.v3) for f in flips(URI.encode())
    ]
    changed += [Signed(f.decode("latin-1"), URI, BODY, whole.timestamp, whole.v3) for f in flips(b"POST")]
    changed += [Signed("POST", URI, BODY, None, None, f.decode("latin-1")) for f in flips(weaker.v2.encode())]
    changed += [Signed("POST", URI, f, None, None, weaker.v2) for f in flips(BODY)]
    assert len(changed) > 2_900
    assert [each for each in changed if flaw_of(each, [SECRET, BEFORE], NOW) is None] == []


@pytest.mark.parametrize(
    ("request_", "flaw"),
    [
        (Signed("POST", URI, BODY), Flaw.NOT_SIGNED),
        (Signed("POST", URI, BODY, stamp()), Flaw.NOT_SIGNED),
        (Signed("POST", URI, BODY, stamp(), ""), Flaw.WRONG_SIGNATURE),
        (Signed("POST", URI, BODY, None, v3().v3), Flaw.WRONG_TIME),
        (Signed("POST", URI, BODY, "", v3(timestamp="").v3), Flaw.WRONG_TIME),
        (Signed("POST", URI, BODY, "1e12", v3(timestamp="1e12").v3), Flaw.WRONG_TIME),
        (Signed("POST", URI, BODY, "9" * 400, v3(timestamp="9" * 400).v3), Flaw.WRONG_TIME),
        (Signed("POST", URI, BODY, "9" * 14, v3(timestamp="9" * 14).v3), Flaw.WRONG_TIME),
        (Signed("POST", URI, BODY, ARABIC, v3(timestamp=ARABIC).v3), Flaw.WRONG_TIME),
        (Signed("POST", URI, BODY[:-1], stamp(), v3().v3), Flaw.WRONG_SIGNATURE),
        (Signed("POST", URI + "/", BODY, stamp(), v3().v3), Flaw.WRONG_SIGNATURE),
        (Signed("POST", URI, BODY, stamp(), v3(secret="").v3), Flaw.WRONG_SIGNATURE),
        (Signed("POST", URI, BODY, stamp(), v3(secret="another").v3), Flaw.WRONG_SIGNATURE),
        (Signed("POST", URI, BODY, stamp(), "wrong", v2().v2), Flaw.WRONG_SIGNATURE),
        (v2(secret=""), Flaw.WRONG_SIGNATURE),
    ],
)
def test_what_is_wrong_is_named_for_the_operator(request_: Signed, flaw: Flaw) -> None:
    """Forged, unsigned, truncated, at another address; a v2 signature does not help a wrong v3."""
    assert flaw_of(request_, [SECRET, BEFORE], NOW) is flaw


@pytest.mark.parametrize("request_", [v3(), v2(), v3(secret=""), v2(secret=""), Signed("POST", URI, BODY)])
def test_without_a_secret_nothing_is_taken(request_: Signed) -> None:
    """Not even what is signed with nothing."""
    assert flaw_of(request_, [], NOW) is Flaw.UNSET


@given(body=st.binary(max_size=200), query=st.text(st.characters(codec="ascii", categories=["L", "N", "P"])))
def test_whatever_is_signed_is_taken(body: bytes, query: str) -> None:
    """No valid one is refused: raw bytes of any kind, queries of any kind."""
    uri = f"{URI}?{query}"
    assert flaw_of(v3(body=body, uri=uri), [BEFORE, SECRET], NOW) is None
