"""Settings are read as they stand, or refused with every fault, where it stands and what to write instead."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from credsync.settings import Settings, SettingsError, load_settings, secret, webhook_secrets
from credsync.web.api.webhook_secrets import WebhookSecrets

GOOD = {
    "database_url": '"sqlite:///other.db"',
    "portals": '"mine/*.toml"',
    "bind": '"[::1]:80"',
    "public_url": '"https://credsync.example.org"',
    "oidc_issuer": '"https://login.example.org/realm"',
    "oidc_client_id": '"credsync"',
    "oidc_groups": '{ "credsync-admins" = "admin" }',
    "oidc_groups_claim": '"roles"',
    "sentry_dsn": '"https://key@example.org/1"',
    "notify_urls": '["https://example.org/hook"]',
    "log_format": '"console"',
    "overdue_after": '"45m"',
    "give_up_after": '"3d"',
    "settle_after": '"1m"',
    "verify_every": '"12h"',
    "look_again_min": '"5s"',
    "look_again_max": '"30m"',
    "look_again_share": "0.1",
    "coalesce": '"500ms"',
    "lease": '"15s"',
    "listen": "false",
}
SPANS = [name for name, value in GOOD.items() if isinstance(getattr(Settings(), name), timedelta)]
BAD = [
    ("database_url", ["5", '""'], "postgresql://user@host/name"),
    ("portals", ["5", '""', "{ x = 1 }"], "portals/*.toml"),
    ("bind", ['"8080"', '"x:y"', '"x:99999"', '"127.0.0.1:\\u0668"', "8080"], "127.0.0.1:8080"),
    ("public_url", ['"credsync.example.org"', '"ftp://x"', "5"], "https://credsync.example.org"),
    (
        "oidc_issuer",
        ['"http://login.example.org"', '"login.example.org"', '"https://a?b"', "5"],
        "to the letter",
    ),
    ("oidc_client_id", ['""', "5"], "a text"),
    ("oidc_groups", ['"admin"', '{ x = "king" }', "[]"], "a table from groups to roles"),
    ("oidc_groups_claim", ['""', "5"], "a text"),
    ("sentry_dsn", ["5"], "a text"),
    ("notify_urls", ['"x"', "[5]", "{}"], 'a list of texts, such as ["https'),
    ("listen", ['"perhaps"', "5"], "true or false"),
    ("log_format", ['"xml"', '"JSON"', "5"], "json and console"),
    ("look_again_share", ["0", "1.5", "-1", "true", '"a lot"', "nan"], "above 0 and at most 1"),
    *(
        (name, ['"90"', '"0s"', '"-5s"', "90", '"soon"', '"9999999999d"'], "90s, 30m, 12h or 7d")
        for name in SPANS
    ),
]


def load(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "credsync.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file)


def refusal(tmp_path: Path, text: str = "") -> list[str]:
    """Every fault of a file that cannot be used."""
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, text)
    assert refused.value.__cause__ is None
    first, *faults = str(refused.value).splitlines()
    assert first == "The settings cannot be used:"
    return [fault.strip() for fault in faults]


def test_a_provider_needs_a_client_and_groups(tmp_path: Path) -> None:
    """Without groups nobody could come in."""
    [fault] = refusal(tmp_path, 'oidc_issuer = "https://login.example.org"\n')
    assert "oidc_client_id" in fault
    assert "oidc_groups" in fault


def test_every_setting_is_read(tmp_path: Path) -> None:
    """As the file says it; what it does not say has its default."""
    assert set(GOOD) == set(Settings.model_fields)
    read = load(tmp_path, "".join(f"{name} = {value}\n" for name, value in GOOD.items()))
    assert read.address == ("::1", 80)
    assert read.notify_urls == ["https://example.org/hook"]
    assert (read.lease, read.coalesce) == (timedelta(seconds=15), timedelta(milliseconds=500))
    assert load(tmp_path, "").address == ("127.0.0.1", 8080)


@pytest.mark.parametrize(
    ("name", "value", "says"), [(name, value, says) for name, values, says in BAD for value in values]
)
def test_a_wrong_value_is_told_with_what_to_write(tmp_path: Path, name: str, value: str, says: str) -> None:
    """The key, its file, and an example; never the words of a parser, never the value."""
    (fault,) = refusal(tmp_path, f"{name} = {value}\n")
    assert fault.startswith(f"{name} in {tmp_path / 'credsync.toml'} must be ")
    assert says in fault
    assert not any(word in fault for word in ("Input", "String", "Value error", "timedelta", "pattern '"))


def test_every_fault_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the file and of the environment, unknown names and wrong values."""
    monkeypatch.setenv("CREDSYNC_LEASE", "hunter2")
    monkeypatch.setenv("CREDSYNC_LAESE", "12s")
    monkeypatch.setenv("CREDSYNC_NOTIFY_URLS", "hunter2")
    found = refusal(tmp_path, 'bnid = "x"\nbind = "x"\nlease = "15s"\nlook_again_share = 2\n')
    assert [fault.split(" must be")[0].split(" is no")[0] for fault in found] == [
        f"bnid in {tmp_path / 'credsync.toml'}",
        "CREDSYNC_LAESE in the environment",
        f"bind in {tmp_path / 'credsync.toml'}",
        "CREDSYNC_NOTIFY_URLS in the environment",
        f"look_again_share in {tmp_path / 'credsync.toml'}",
        "CREDSYNC_LEASE in the environment",
    ]
    assert "did you mean bind?" in found[0]
    assert "did you mean CREDSYNC_LEASE?" in found[1]
    assert not any("hunter2" in fault for fault in found)


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each key has its variable; a list in it is JSON."""
    monkeypatch.setenv("CREDSYNC_LEASE", "20s")
    monkeypatch.setenv("CREDSYNC_NOTIFY_URLS", '["https://example.org/a", "https://example.org/b"]')
    read = load(tmp_path, 'lease = "15s"\n')
    assert read.lease == timedelta(seconds=20)
    assert len(read.notify_urls) == 2


def test_an_empty_variable_is_no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that did not arrive must not quietly become another database."""
    monkeypatch.setenv("CREDSYNC_DATABASE_URL", "")
    (fault,) = refusal(tmp_path)
    assert fault.startswith("CREDSYNC_DATABASE_URL in the environment must be ")


def test_the_shortest_look_is_not_longer_than_the_longest(tmp_path: Path) -> None:
    """Two settings that contradict each other are told together."""
    (fault,) = refusal(tmp_path, 'look_again_min = "2h"\n')
    assert "look_again_max" in fault


def test_a_secret_comes_from_its_variable_or_its_file(tmp_path: Path) -> None:
    """A file that cannot be read is told by its variable; what is in it never is."""
    file = tmp_path / "secret"
    file.write_text(" s3cret\n")
    assert secret("hubspot_token_alpha", {"CREDSYNC_HUBSPOT_TOKEN_ALPHA": " direct "}) == "direct"
    assert secret("hubspot_token_alpha", {"CREDSYNC_HUBSPOT_TOKEN_ALPHA_FILE": str(file)}) == "s3cret"
    assert secret("hubspot_token_alpha", {}) is None
    file.write_bytes(b"s3cret\xff")
    for path in (file, tmp_path / "none"):
        with pytest.raises(SettingsError) as refused:
            secret("hubspot_token_alpha", {"CREDSYNC_HUBSPOT_TOKEN_ALPHA_FILE": str(path)})
        assert "CREDSYNC_HUBSPOT_TOKEN_ALPHA_FILE cannot be read" in str(refused.value)
        assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("written", ["new,old", "new old", "new\nold\n", " new , old ", "new,new,old"])
def test_two_webhook_secrets_stand_in_one_variable_or_file(written: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(written)
    assert webhook_secrets("my-portal", {"CREDSYNC_WEBHOOK_SECRET_MY_PORTAL": written}) == ("new", "old")
    assert webhook_secrets("alpha", {"CREDSYNC_WEBHOOK_SECRET_ALPHA_FILE": str(file)}) == ("new", "old")
    assert webhook_secrets("beta", {}) == ()


def test_a_webhook_secret_in_a_file_is_read_again_when_the_file_changes(tmp_path: Path) -> None:
    """And only then; a file that has gone, or holds what cannot be used, leaves the secret before it and is said once."""
    file = tmp_path / "secret"
    file.write_text("old")
    secrets = WebhookSecrets(
        ["alpha", "beta"],
        {"CREDSYNC_WEBHOOK_SECRET_ALPHA_FILE": str(file), "CREDSYNC_WEBHOOK_SECRET_BETA": "fixed"},
    )
    assert (secrets("alpha"), secrets("beta"), secrets("gamma"), secrets.used) == (
        ("old",),
        ("fixed",),
        (),
        ["alpha", "beta"],
    )
    with capture_logs() as lines:
        file.write_text("new old")
        assert [secrets("alpha"), secrets("alpha")] == [("new", "old")] * 2
        (tmp_path / "next").write_text("new new")
        (tmp_path / "next").replace(file)
        assert secrets("alpha") == ("new",)
        file.write_text("1first 2second 3third")
        assert [secrets("alpha"), secrets("alpha")] == [("new",)] * 2
        file.unlink()
        assert [secrets("alpha"), secrets("alpha")] == [("new",)] * 2
        file.write_text("last")
        assert secrets("alpha") == ("last",)
    read, unusable = ("webhook.secret_read", "info"), ("webhook.secret_unusable", "error")
    assert [(line["event"], line["log_level"]) for line in lines] == [read, read, unusable, unusable, read]
    assert "3third" not in str(lines)
