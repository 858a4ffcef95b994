"""What archivists have changed: polled, as the server's own indexer does it.

Lists with ``all_ids=true&modified_since`` (``system_mtime``, by the server's clock), then
the records by ``id_set`` (reference 2.5 and 4). Nothing here depends on the index, and no
permission is needed but ``view_repository``; the delete feed, which needs
``index_system``, only tells more of what is gone (reference 2.8).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from hotfolder.archivesspace.answer import Unanswered
from hotfolder.archivesspace.calls import ID_SET, Calls, Record, as_record
from hotfolder.archivesspace.eventids import refid_of
from hotfolder.archivesspace.lookup import Lookup
from hotfolder.archivesspace.permissions import EVERYWHERE, READING, missing_permissions
from hotfolder.archivesspace.requestevents import is_request
from hotfolder.archivesspace.seen import linked, seconds, seen_event, seen_object
from hotfolder.core.facts import ChangeKind, ChangePage, FactKind, Lost, SeenObject
from hotfolder.core.identity import is_document_identity

DELETE_FEED = frozenset({"index_system"})


class Watching:
    """Reads only."""

    def __init__(self, calls: Calls, lookup: Lookup, username: str) -> None:
        self._calls = calls
        self._lookup = lookup
        self._username = username

    def changes(
        self, repository: str, kind: ChangeKind, since: int, after: int
    ) -> Iterator[ChangePage]:
        """Records of ``kind`` touched at or after ``since``, by number, those after
        ``after``: one list, then page by page. Only the numbers are held in memory."""
        numbers = sorted(
            number
            for number in self._calls.list_ids(f"{repository}/{kind}", modified_since=since)
            if number > after
        )
        for first in range(0, len(numbers), ID_SET):
            chosen = numbers[first : first + ID_SET]
            records = self._calls.read_set(
                repository, kind, [f"{repository}/{kind}/{number}" for number in chosen]
            )
            yield self._page(repository, kind, chosen[-1], records)

    def _page(
        self, repository: str, kind: ChangeKind, reached: int, records: Sequence[Record]
    ) -> ChangePage:
        newest = max((seconds(item.get("system_mtime")) for item in records), default=0)
        if kind is ChangeKind.OBJECTS:
            ours = [item for item in records if is_document_identity(item.get("digital_object_id"))]
            objects = tuple(seen_object(item, self._username) for item in ours)
            return ChangePage(reached=reached, newest=newest, objects=objects)
        # Requests are answered elsewhere (flows.asking), and ingestion is what we said.
        asked = [item for item in records if not is_request(item) and not self._is_own(item)]
        uris = {uri for item in asked for uri in linked(item)}
        known = self._lookup.identities_at(repository, uris, units_only=True)
        events = tuple(seen_event(item, known, self._username) for item in asked)
        return ChangePage(reached=reached, newest=newest, events=events)

    def _is_own(self, event: Record) -> bool:
        """Nobody but us has touched it."""
        ours = self._username.casefold()
        return all(
            str(event.get(name)).casefold() == ours for name in ("created_by", "last_modified_by")
        ) and bool(refid_of(event))

    # -- records that are known -------------------------------------------------------
    def look_at(
        self,
        repository: str,
        records: Mapping[str, str],
        elsewhere: Callable[[], Sequence[str]],
    ) -> tuple[list[SeenObject], list[Lost]]:
        """These records of ours (identity by uri) as they stand, and those that are not
        where they were; ``elsewhere`` lists repositories to which one may have moved."""
        found = [
            seen_object(item, self._username)
            for item in self._calls.read_set(repository, "digital_objects", records)
        ]
        there = {item.uri for item in found if records.get(item.uri) == item.identity}
        missing = {name: uri for uri, name in records.items() if uri not in there}
        for place in (repository, *elsewhere()) if missing else ():
            if not missing:
                break
            moved = self._find(place, list(missing))
            found += moved
            for item in moved:
                missing.pop(item.identity, None)
        seen = [item for item in found if is_document_identity(item.identity)]
        return seen, self._lost(missing)

    def _find(self, repository: str, identities: Sequence[str]) -> list[SeenObject]:
        if missing_permissions(self._calls.transport.permissions(), repository, READING):
            return []
        wanted = set(identities)
        return [
            seen_object(item, self._username)
            for item in self._calls.find_by_id(
                repository, "digital_objects", "digital_object_id", identities
            )
            if item.get("digital_object_id") in wanted
        ]

    def _lost(self, missing: Mapping[str, str]) -> list[Lost]:
        if not missing:
            return []
        deleted = self.deleted(0)
        if deleted is None:
            return [Lost(identity=name, kind=FactKind.RECORD_GONE) for name in sorted(missing)]
        gone = set(missing.values()) & set(deleted)
        return [
            Lost(
                identity=name,
                kind=FactKind.RECORD_DELETED if uri in gone else FactKind.RECORD_SUPPRESSED,
            )
            for name, uri in sorted(missing.items())
        ]

    def deleted(self, since: int) -> list[str] | None:
        """The uris of what was deleted, or moved away, at or after ``since``, oldest
        first; None if the account may not ask."""
        held = self._calls.transport.permissions()
        if DELETE_FEED - held.get(EVERYWHERE, frozenset()):
            return None
        return [uri for uri in self._deleted(since) if "/digital_objects/" in uri]

    def _deleted(self, since: int) -> Iterator[str]:
        page = 1
        while True:
            answer = as_record(self._calls.read_deleted(page, since))
            results, last = answer.get("results"), answer.get("last_page")
            if not isinstance(results, list) or type(last) is not int:
                raise Unanswered("the server's list of deleted records has an unknown shape")
            yield from (item for item in results if isinstance(item, str))
            if page >= last:
                return
            page += 1
