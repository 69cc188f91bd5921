"""The client secrets that sign webhooks, as they are now: a `…_FILE` that was changed is read again."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from credsync.settings import SettingsError, secret_file, webhook_secrets

_log = structlog.get_logger("credsync")

_Mark = tuple[int, int, int, int]
"""What tells one content of a file from the next without reading it: changed, written, which file, how long."""


@dataclass(frozen=True, slots=True)
class _Read:
    secrets: tuple[str, ...]
    mark: _Mark | None


class WebhookSecrets:
    """Every portal's secrets. Whoever asks pays one `stat`, and a read after the file has changed.

    A file that has gone or cannot be used leaves the secrets as they were, and is said once: HubSpot goes on signing
    while a file is being put right. Raises `SettingsError` for one that cannot be used at the start.
    """

    def __init__(self, portals: Iterable[str], environment: Mapping[str, str] | None = None) -> None:
        self._environment = dict(os.environ if environment is None else environment)
        self._files: dict[str, Path] = {}
        self._read: dict[str, _Read] = {}
        for name in portals:
            file = secret_file(f"WEBHOOK_SECRET_{name}", self._environment)
            if file is not None:
                self._files[name] = file
            mark = _mark(file) if file is not None else None
            self._read[name] = _Read(webhook_secrets(name, self._environment), mark)

    def __call__(self, portal: str) -> tuple[str, ...]:
        """A portal's secrets: none, one, or two while one is changed. May be called by several threads."""
        known, file = self._read.get(portal, _Read((), None)), self._files.get(portal)
        if file is None:
            return known.secrets
        mark = _mark(file)
        if mark == known.mark:
            return known.secrets
        try:
            secrets = webhook_secrets(portal, self._environment)
        except SettingsError as error:
            _log.error(
                "webhook.secret_unusable", portal=portal, error=str(error), remedy="the one before it is used"
            )
            secrets = known.secrets
        else:
            _log.info("webhook.secret_read", portal=portal, secrets=len(secrets))
        self._read[portal] = _Read(secrets, mark)
        return secrets

    @property
    def used(self) -> list[str]:
        """The portals that have any."""
        return sorted(name for name, read in self._read.items() if read.secrets)


def _mark(file: Path) -> _Mark | None:
    """None for a file that is not there."""
    try:
        told = file.stat()
    except OSError:
        return None
    return told.st_mtime_ns, told.st_ctime_ns, told.st_ino, told.st_size
