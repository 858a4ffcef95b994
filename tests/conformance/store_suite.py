"""What every ``Store`` must do. A test class inherits ``StoreSuite`` and gives the
fixture ``connect``: each call opens the same, at first empty, store once more.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hotfolder.core.errors import Corrupt, OperatorFault
from hotfolder.core.ports import Store
from hotfolder.core.records import StoredObject, StoreRequest
from tests.support.drops import spool_id
from tests.support.spools import make_request

Connect = Callable[[], Store]


def check_there(store: Store, request: StoreRequest, stored: StoredObject) -> None:
    """The store gives back the bytes and the metadata of ``request``."""
    assert stored.spool_id == request.spool_id
    assert stored.content_sha256 == request.sha256
    assert stored.content_size == request.size
    with store.open_content(request.spool_id) as stream:
        data = stream.read()
    assert hashlib.sha256(data).hexdigest() == request.sha256
    assert store.read_metadata(request.spool_id) == request.metadata
    assert store.verify(request.spool_id) == stored


class StoreSuite:
    """Behaviour promised by ``core.ports.Store``."""

    def test_what_is_acknowledged_can_be_read(self, connect: Connect, tmp_path: Path) -> None:
        requests = [
            make_request(tmp_path, 1),
            make_request(tmp_path, 2, data=b""),
            make_request(tmp_path, 3, data=os.urandom(9 << 20), name=b"big.afp"),
            make_request(tmp_path, 4, sidecars={b"a.json": b"{}", b"b.json": b"{}", b"c": b""}),
        ]
        stored = connect().write_spools(requests)
        again = connect()
        for request, found in zip(requests, stored, strict=True):
            check_there(again, request, found)
        assert connect().clean() == 0

    def test_each_file_of_an_object_can_be_read(self, connect: Connect, tmp_path: Path) -> None:
        request = make_request(tmp_path, 1, sidecars={b"a.json": b'{"a": 1}'})
        store = connect()
        store.write_spools([request])
        inventory = json.loads(store.read_inventory(request.spool_id))
        paths = [path for paths in inventory["manifest"].values() for path in paths]
        for path in paths:
            with store.open_part(request.spool_id, path.removeprefix("v1/content/")) as stream:
                data = stream.read()
            assert path in inventory["manifest"][hashlib.sha256(data).hexdigest()]
        assert "v1/content/sidecars/a.json" in paths
        for name in ("sidecars/b.json", "../../inventory.json", ""):
            with pytest.raises(KeyError):
                store.open_part(request.spool_id, name)
        with pytest.raises(KeyError):
            store.read_inventory(spool_id(99))

    def test_nothing_to_write_is_nothing(self, connect: Connect) -> None:
        store = connect()
        assert store.write_spools([]) == []
        assert list(store.iterate()) == []

    def test_repeating_is_harmless(self, connect: Connect, tmp_path: Path) -> None:
        requests = [make_request(tmp_path, number) for number in range(3)]
        first = connect().write_spools(requests[:2])
        assert connect().write_spools(requests)[:2] == first
        assert len(list(connect().iterate())) == 3

    def test_the_same_bytes_are_kept_for_each_spool(self, connect: Connect, tmp_path: Path) -> None:
        store = connect()
        store.write_spools([make_request(tmp_path, number) for number in range(2)])
        assert store.withdraw(spool_id(0), "rejected")
        assert store.verify(spool_id(1)).spool_id == spool_id(1)

    def test_another_spool_under_the_same_id_is_corrupt(
        self, connect: Connect, tmp_path: Path
    ) -> None:
        store = connect()
        request = make_request(tmp_path, 1)
        store.write_spools([request])
        for other in (
            make_request(tmp_path / "other", 1, data=b"other bytes"),
            replace(request, metadata=b"{}"),
            make_request(tmp_path / "more", 1, sidecars={b"s.json": b"{}"}),
        ):
            with pytest.raises(Corrupt):
                store.write_spools([other])
        check_there(store, request, store.verify(request.spool_id))

    def test_a_changed_working_copy_is_not_acknowledged(
        self, connect: Connect, tmp_path: Path
    ) -> None:
        store = connect()
        good, bad = make_request(tmp_path, 1), make_request(tmp_path, 2)
        with open(bad.content_path, "ab") as stream:
            stream.write(b"x")
        with pytest.raises(Corrupt):
            store.write_spools([good, bad])
        with pytest.raises(Corrupt):
            store.write_spools([replace(good, sha256="0" * 64)])
        assert [found.spool_id for found in store.iterate()] in ([], [good.spool_id])
        store.write_spools([good])
        assert [found.spool_id for found in store.iterate()] == [good.spool_id]

    def test_many_documents_are_lines_beside_the_content(
        self, connect: Connect, tmp_path: Path
    ) -> None:
        lines = [b'{"ordinal":%d,"text":"%s"}\n' % (n, b"x" * 200) for n in range(9_000)]
        request = replace(make_request(tmp_path, 1), documents=lambda: iter(lines))
        plain = make_request(tmp_path, 2, name=b"documents.jsonl")
        store = connect()
        stored = store.write_spools([request, plain])
        assert store.write_spools([request]) == stored[:1]
        store = connect()
        check_there(store, request, stored[0])
        check_there(store, plain, stored[1])
        assert list(store.read_documents(request.spool_id)) == lines
        assert list(store.read_documents(plain.spool_id)) == []
        for others in (None, lambda: iter(lines[1:])):
            with pytest.raises(Corrupt):
                store.write_spools([replace(request, documents=others)])

    def test_changed_documents_are_not_given_out(self, connect: Connect, tmp_path: Path) -> None:
        request = replace(make_request(tmp_path, 1), documents=lambda: iter([b"1\n", b"2\n"]))
        store = connect()
        store.write_spools([request])
        for path in tmp_path.rglob("documents.jsonl"):
            path.chmod(0o600)
            path.write_bytes(b"1\n3\n")
        with pytest.raises(Corrupt):
            next(iter(store.read_documents(request.spool_id)))
        with pytest.raises(KeyError):
            next(iter(store.read_documents(spool_id(7))))

    @pytest.mark.parametrize("which", ["content", "sidecar"])
    @pytest.mark.parametrize("how", ["gone", "link", "fifo"])
    def test_a_working_copy_that_is_no_file_is_corrupt(
        self, connect: Connect, tmp_path: Path, which: str, how: str
    ) -> None:
        store = connect()
        request = make_request(tmp_path, 1, sidecars={b"a.json": b"{}"})
        path = request.content_path if which == "content" else request.sidecar_paths[0]
        os.unlink(path)
        if how == "link":
            os.symlink("/etc/hostname", path)
        elif how == "fifo":
            os.mkfifo(path)
        with pytest.raises(Corrupt):
            store.write_spools([request])
        assert list(store.iterate()) == []

    @pytest.mark.parametrize(
        "name",
        [
            b"\xff\xfe\x00.pdf".replace(b"\x00", b"\x01"),
            b"a\nb.pdf",
            b"-rf",
            b"..pdf",
            b"100%.pdf",
            b"x" * 251 + b".pdf",
            b"\xff" * 255,
            b"metadata.json",
            b"Sidecars",
            b"inventory.json",
            "Ku\u0308ndigung\u202e.pdf".encode(),
            b'a:b*c?"<>|\\.pdf',
            b" . ",
        ],
    )
    def test_odd_names(self, connect: Connect, tmp_path: Path, name: bytes) -> None:
        request = make_request(tmp_path, 1, name=name, sidecars={name[:240] + b".json": b"{}"})
        store = connect()
        check_there(store, request, store.write_spools([request])[0])
        (found,) = store.iterate()
        assert found == store.verify(request.spool_id)

    def test_what_is_not_there_is_a_key_error(self, connect: Connect) -> None:
        store = connect()
        with pytest.raises(KeyError):
            store.open_content(spool_id(9))
        with pytest.raises(KeyError):
            store.read_metadata(spool_id(9))
        with pytest.raises(KeyError):
            store.verify(spool_id(9))
        assert not store.withdraw(spool_id(9), "none")

    def test_content_is_compared_with_what_was_journalled(
        self, connect: Connect, tmp_path: Path
    ) -> None:
        request = make_request(tmp_path, 1)
        store = connect()
        store.write_spools([request])
        with store.open_content(request.spool_id, sha256=request.sha256) as stream:
            assert hashlib.sha256(stream.read()).hexdigest() == request.sha256
        with pytest.raises(Corrupt):
            store.open_content(request.spool_id, sha256="0" * 64)

    def test_a_withdrawn_spool_is_gone_and_may_come_again(
        self, connect: Connect, tmp_path: Path
    ) -> None:
        request = make_request(tmp_path, 1, sidecars={b"a.json": b"{}"})
        store = connect()
        store.write_spools([request])
        assert store.withdraw(request.spool_id, "refused")
        assert list(connect().iterate()) == []
        assert not store.withdraw(request.spool_id, "refused")
        check_there(store, request, store.write_spools([request])[0])

    def test_iterating_finds_every_object_once(self, connect: Connect, tmp_path: Path) -> None:
        requests = [make_request(tmp_path, number, data=b"%d" % number) for number in range(300)]
        stored = connect().write_spools(requests)
        assert len(stored) == 300
        found = list(connect().iterate())
        assert sorted(found, key=lambda item: item.spool_id) == stored

    def test_what_is_purged_is_gone_and_has_a_tombstone(
        self, connect: Connect, tmp_path: Path
    ) -> None:
        one, other = make_request(tmp_path, 1), make_request(tmp_path, 2)
        store = connect()
        store.write_spools([one, other])
        assert store.tombstone(one.spool_id) is None
        assert store.purge(one.spool_id, b'{"stone": 1}\n')
        again = connect()
        with pytest.raises(KeyError):
            again.open_content(one.spool_id)
        with pytest.raises(KeyError):
            again.verify(one.spool_id)
        assert again.tombstone(one.spool_id) == b'{"stone": 1}\n'
        assert list(again.tombstones()) == [(one.spool_id, b'{"stone": 1}\n')]
        assert [found.spool_id for found in again.iterate()] == [other.spool_id]
        check_there(again, other, again.verify(other.spool_id))
        assert again.clean() == 0

    def test_purging_twice_is_purging_once(self, connect: Connect, tmp_path: Path) -> None:
        request = make_request(tmp_path, 1)
        store = connect()
        store.write_spools([request])
        assert store.purge(request.spool_id, b"stone")
        assert not store.purge(request.spool_id, b"stone")
        with pytest.raises(Corrupt) as refused:
            store.purge(request.spool_id, b"another")
        assert refused.value.code == "store.tombstone"
        assert not connect().purge(spool_id(9), b"of what never was")

    def test_what_was_purged_is_never_written_again(self, connect: Connect, tmp_path: Path) -> None:
        request = make_request(tmp_path, 1)
        store = connect()
        store.write_spools([request])
        store.purge(request.spool_id, b"stone")
        with pytest.raises(Corrupt) as refused:
            connect().write_spools([request, make_request(tmp_path, 2)])
        assert refused.value.code == "store.purged"
        assert list(connect().iterate()) == []

    # -- holds --------------------------------------------------------------------
    def test_holds_are_marked_until_they_are_lifted(self, connect: Connect, tmp_path: Path) -> None:
        store = connect()
        store.write_spools([make_request(tmp_path, number) for number in range(2)])
        one, other = "hold-00000000000a", "hold-00000000000b"
        store.place_hold(spool_id(0), other)
        store.place_holds([spool_id(0), spool_id(1)], one)
        store.place_hold(spool_id(0), one)
        again = connect()
        assert again.holds_on(spool_id(0)) == (one, other)
        assert again.holds_on(spool_id(1)) == (one,)
        again.lift_hold(spool_id(0), one)
        again.lift_hold(spool_id(0), one)
        assert store.holds_on(spool_id(0)) == (other,)
        assert store.holds_on(spool_id(1)) == (one,)
        store.lift_holds([spool_id(0), spool_id(1)], other)
        store.lift_holds([spool_id(1)], one)
        assert store.holds_on(spool_id(0)) == store.holds_on(spool_id(1)) == ()
        for number in range(2):
            assert store.verify(spool_id(number)).spool_id == spool_id(number)
        assert len(list(store.iterate())) == 2

    def test_a_hold_may_come_before_its_object(self, connect: Connect, tmp_path: Path) -> None:
        store = connect()
        hold = "hold-00000000000a"
        assert store.holds_on(spool_id(1)) == ()
        store.lift_hold(spool_id(1), hold)
        store.place_hold(spool_id(1), hold)
        request = make_request(tmp_path, 1)
        (stored,) = store.write_spools([request])
        check_there(store, request, stored)
        assert store.holds_on(spool_id(1)) == (hold,)

    def test_many_marks_are_made_and_lifted(self, connect: Connect) -> None:
        store = connect()
        hold = "hold-00000000000a"
        names = [spool_id(number) for number in range(100)]
        store.place_holds(names, hold)
        assert {store.holds_on(name) for name in names} == {(hold,)}
        store.lift_holds(names[:99], hold)
        assert [store.holds_on(name) for name in names[98:]] == [(), (hold,)]

    def test_no_mark_lies_elsewhere(self, connect: Connect) -> None:
        store = connect()
        for spool, hold in ((spool_id(1), "../../x"), ("../x", "hold-00000000000a"), ("", "x")):
            with pytest.raises(ValueError, match="not a"):
                store.place_hold(spool, hold)
            with pytest.raises(ValueError, match="not a"):
                store.lift_hold(spool, hold)

    def test_what_a_hold_is_can_be_kept(self, connect: Connect) -> None:
        store = connect()
        assert list(store.kept_holds()) == []
        store.keep_hold("hold-00000000000b", b'{"b":1}')
        store.keep_hold("hold-00000000000a", b'{"a":1}')
        store.keep_hold("hold-00000000000b", b'{"b":2}')
        assert list(connect().kept_holds()) == [b'{"a":1}', b'{"b":2}']
        store.drop_hold("hold-00000000000b")
        store.drop_hold("hold-00000000000b")
        assert list(connect().kept_holds()) == [b'{"a":1}']
        assert list(store.iterate()) == []
        with pytest.raises(ValueError, match="not a"):
            store.keep_hold("../../x", b"")

    def test_what_is_held_is_not_purged(self, connect: Connect, tmp_path: Path) -> None:
        request = make_request(tmp_path, 1)
        store = connect()
        store.write_spools([request])
        store.place_hold(request.spool_id, "hold-0123456789ab")
        with pytest.raises(OperatorFault) as refused:
            connect().purge(request.spool_id, b"stone")
        assert refused.value.code == "store.held"
        assert store.tombstone(request.spool_id) is None
        assert store.verify(request.spool_id)
        store.lift_hold(request.spool_id, "hold-0123456789ab")
        assert connect().purge(request.spool_id, b"stone")
