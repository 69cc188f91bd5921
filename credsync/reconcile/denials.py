"""What a round learns of its token: which object types it may not read or write, or that HubSpot does not take it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta

from credsync.core.denials import FORBIDDEN, UNAUTHORIZED, Denied, Verb, objects_denied
from credsync.core.observations import NotSeen
from credsync.core.portal import CONTACT, Portal
from credsync.core.verdicts import Outcome, Verdict
from credsync.hubspot.edge import Names
from credsync.hubspot.objects import NotRead
from credsync.reconcile.apply import RecordKey
from credsync.reconcile.contacts import Fate
from credsync.reconcile.observe import Sights


class Learnt:
    """What HubSpot's answers said of the token so far."""

    def __init__(self) -> None:
        self.denied: dict[tuple[str, Verb], Denied] = {}
        self.unauthorized = False

    def __bool__(self) -> bool:
        return self.unauthorized or bool(self.denied)

    def from_sights(self, portal: Portal, sights: Sights, unasked: Collection[str]) -> None:
        """Nothing is learnt of what was not asked for: denied before, or hanging on something that was not seen."""
        for seen in sights.values():
            for key, sight in seen.items():
                above = seen.get(portal.objects[key].parent)
                asked = key not in unasked and not isinstance(above, NotSeen)
                if isinstance(sight, NotSeen) and asked:
                    self._take(key, Verb.READ, sight.code, sight.scopes)

    def from_fates(self, fates: Iterable[Fate]) -> None:
        """Contacts are read to learn what became of them."""
        self.from_readings(CONTACT, (fate for fate in fates if isinstance(fate, NotRead)))

    def from_readings(self, key: str, unread: Iterable[NotRead]) -> None:
        """Records of one type that were asked for."""
        for each in unread:
            self._take(key, Verb.READ, each.code, each.scopes)

    def from_verdicts(self, verdicts: Mapping[RecordKey, Verdict]) -> None:
        """A record that may have been written is read back: what is denied then is reading."""
        for (key, _), verdict in verdicts.items():
            verb = Verb.READ if verdict.outcome is Outcome.UNKNOWN else Verb.WRITE
            self._take(key, verb, verdict.code, verdict.scopes)

    def _take(self, key: str, verb: Verb, code: str, scopes: tuple[str, ...]) -> None:
        if code in FORBIDDEN:
            self.denied[(key, verb)] = Denied(key, verb, scopes)
        self.unauthorized = self.unauthorized or code == UNAUTHORIZED


def learnt_from(names: Names) -> Learnt:
    """What HubSpot's names said of the token: object types that it hides and of which nothing is known."""
    learnt = Learnt()
    learnt.denied = {(each.object, each.verb): each for each in names.denied}
    return learnt


def unreadable(denied: Iterable[Denied], look_again_max: timedelta) -> dict[str, NotSeen]:
    """What a look says of the object types that it does not ask for; who waits is brought back when it may."""
    return {
        key: NotSeen(
            "missing_scopes",
            f"the portal's token may not read {key}; it is tried once a minute",
            retry_after=look_again_max.total_seconds(),
        )
        for key in objects_denied(denied, Verb.READ)
    }
