"""Signing and verifying: with a real journal, real keys and real directories."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hotfolder.core import crashpoints
from hotfolder.core.errors import BrokenChain, Corrupt, OperatorFault
from hotfolder.core.records import SignedHead
from hotfolder.core.treeheads import due_at, head_at, head_from_json, head_to_json
from hotfolder.flows.auditing import AuditReport, verify_audit
from hotfolder.flows.headfiles import write_heads
from hotfolder.flows.signing import Signing
from hotfolder.journal.journal import SqliteJournal
from hotfolder.journal.links import append_links
from hotfolder.service.signingkey import make_key, read_key, verify_signature

DAY = 86_400.0
NOON = 20_000 * DAY + DAY / 2


class HandClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


@dataclass
class Bench:
    """A journal, a key, a directory for heads, and what signs."""

    root: Path
    clock: HandClock = field(default_factory=HandClock)
    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    hour: int = 0

    def __post_init__(self) -> None:
        (self.root / "heads").mkdir()
        make_key(str(self.root / "key"))
        self.journal = SqliteJournal(os.fsencode(self.root / "j.db"))
        self.signing = self.make()

    def make(self) -> Signing:
        return Signing(
            journal=self.journal,
            read_key=lambda: read_key(str(self.root / "key")),
            directories=[str(self.root / "heads")],
            hour=self.hour,
            clock=self.clock,
            emit=self.emit,
        )

    def emit(self, event: str, /, **fields: object) -> None:
        self.events.append((event, fields))

    def fill(self, count: int, action: str = "test.link") -> None:
        with self.journal._db.writing() as conn:
            append_links(conn, [(action, f"s{n}", {"n": n}) for n in range(count)], 1)

    def sizes(self) -> list[int]:
        return [signed.head.tree_size for signed in self.journal.tree_heads()]

    def files(self) -> list[str]:
        return sorted(os.listdir(self.root / "heads"))

    def verify(self, **options: object) -> AuditReport:
        return verify_audit(
            self.journal,
            [str(self.root / "heads")],
            verify_signature,
            **options,  # type: ignore[arg-type]
        )

    def codes(self) -> list[str]:
        return sorted({fault.code for fault in self.verify().faults})

    def without_triggers(self) -> None:
        conn = self.journal._db._writer
        for (name,) in conn.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name IN"
            " ('audit', 'audit_nodes', 'tree_heads')"
        ).fetchall():
            conn.execute(f"DROP TRIGGER {name}")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    found = Bench(tmp_path)
    yield found
    found.journal.close()
    crashpoints.arm(None)


# -- when ------------------------------------------------------------------------------
def test_a_head_is_signed_at_once_and_then_once_a_day(bench: Bench) -> None:
    bench.signing.step()
    assert bench.sizes() == []  # there is nothing to sign
    bench.fill(5)
    for _ in range(3):
        bench.signing.step()
        bench.clock.at += 60
    assert bench.sizes() == [5]
    assert bench.files() == ["tree-head-5.json"]
    bench.fill(3)
    bench.clock.at = NOON + DAY / 2 - 1
    bench.signing.step()
    assert bench.sizes() == [5]
    bench.clock.at += 1
    bench.signing.step()
    # A day on which nothing happened is signed too: it says that nothing did.
    bench.clock.at += DAY
    bench.signing.step()
    assert bench.sizes() == [5, 9, 10]
    assert bench.codes() == []


@pytest.mark.parametrize(("hour", "days"), [(0, 0.5), (12, 1.0), (13, 1 / 24), (11, 23 / 24)])
def test_the_hour_of_the_day_is_kept(hour: int, days: float) -> None:
    from hotfolder.core.records import TreeHead

    last = TreeHead(log="", tree_size=1, root="", at=head_at(NOON))
    assert due_at(last, hour) == NOON + days * DAY
    assert due_at(None, hour) == 0


def test_by_hand_one_head_for_the_same_links_on_one_day(bench: Bench) -> None:
    assert bench.signing.sign("maria") is None
    bench.fill(2)
    first = bench.signing.sign("maria")
    assert bench.signing.sign("maria") == first
    assert bench.sizes() == [2]
    (row,) = bench.journal.audit_of([bench.journal.log_id()])
    assert (row.actor, row.action) == ("maria", "tree.signed")
    bench.clock.at += DAY
    bench.signing.sign("maria")
    assert bench.sizes() == [2, 3]


def test_without_a_usable_key_nothing_is_signed(bench: Bench) -> None:
    bench.fill(2)
    (bench.root / "key").write_bytes(b"x" * 31)
    with pytest.raises(OperatorFault) as caught:
        bench.signing.step()
    assert caught.value.code == "audit.key"
    assert bench.sizes() == []


# -- what is written -----------------------------------------------------------------------
def test_a_file_is_what_docs_audit_md_says(bench: Bench) -> None:
    bench.fill(5)
    signed = bench.signing.sign()
    assert signed is not None
    data = (bench.root / "heads" / "tree-head-5.json").read_bytes()
    assert head_from_json(data) == signed
    found = json.loads(data)
    message = json.dumps(
        found["head"], ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode()
    Ed25519PublicKey.from_public_bytes(signed.public_key).verify(signed.signature, message)
    assert found["head"] == {
        "format": "hotfolder-tree-head/1",
        "log": bench.journal.log_id(),
        "tree_size": 5,
        "root": bench.journal.tree_root(5).hex(),
        "at": head_at(NOON),
    }
    assert not os.stat(bench.root / "heads" / "tree-head-5.json").st_mode & 0o222


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-10],
        lambda text: "[]",
        lambda text: "null",
        lambda text: text.replace('"tree_size":5', '"tree_size":"5"'),
        lambda text: text.replace('"tree_size":5', '"tree_size":5.0'),
        lambda text: text.replace('"tree_size":5', '"tree_size":true'),
        lambda text: text.replace('"key"', '"more":1,"key"'),
        lambda text: text.replace('"at":"', '"at":"x'),
        lambda text: text.replace("tree-head/1", "tree-head/2"),
        lambda text: text.replace('"signature":"', '"signature":"!'),
    ],
)
def test_what_is_no_head_is_refused(bench: Bench, change: object) -> None:
    assert callable(change)
    bench.fill(5)
    signed = bench.signing.sign()
    assert signed is not None
    with pytest.raises(Corrupt) as caught:
        head_from_json(change(head_to_json(signed).decode()).encode())
    assert caught.value.code == "head.unreadable"


def test_a_directory_that_was_away_gets_all_that_it_lacks(bench: Bench) -> None:
    bench.fill(5)
    shutil.rmtree(bench.root / "heads")
    bench.signing.step()
    assert [name for name, _ in bench.events] == ["audit.signed", "audit.head_not_written"]
    assert not (bench.root / "heads").exists()
    bench.clock.at += DAY
    bench.signing.step()
    assert bench.codes() == ["head.directory"]
    (bench.root / "heads").mkdir()
    bench.clock.at += 299
    bench.signing.step()
    assert bench.files() == []
    bench.clock.at += 1
    bench.signing.step()
    assert bench.files() == ["tree-head-5.json", "tree-head-6.json"]
    assert bench.codes() == []


@pytest.mark.parametrize("point", ["head.journalled", "head.written"])
def test_what_a_crash_leaves_is_repaired(bench: Bench, point: str) -> None:
    bench.fill(5)

    class Killed(BaseException):
        pass

    def die(name: str) -> None:
        if name == point:
            raise Killed

    crashpoints.arm(die)
    with pytest.raises(Killed):
        bench.signing.step()
    crashpoints.arm(None)
    assert bench.files() == (["tree-head-5.json"] if point == "head.written" else [])
    bench.signing = bench.make()
    bench.signing.step()
    assert bench.sizes() == [5]
    assert bench.files() == ["tree-head-5.json"]
    assert bench.codes() == []


# -- what is never signed --------------------------------------------------------------------
def signed_twice(bench: Bench) -> list[SignedHead]:
    for count in (20, 30):
        bench.fill(count)
        bench.signing.sign()
        bench.clock.at += DAY
    bench.fill(10)
    assert bench.sizes() == [20, 51]
    assert bench.codes() == []
    return bench.journal.tree_heads()


NO_NODES = "UPDATE audit_nodes SET hash = zeroblob(32) WHERE number > 40"


@pytest.mark.parametrize(
    ("statement", "codes"),
    [
        ("UPDATE audit SET actor = 'x' WHERE number = 58", ["audit.broken"]),
        ("DELETE FROM audit WHERE number = 58", ["audit.broken"]),
        (
            "UPDATE audit_nodes SET hash = zeroblob(32) WHERE number > 40",
            ["audit.fork", "audit.node"],
        ),
        ("UPDATE tree_heads SET root = hex(zeroblob(32)) WHERE tree_size = 51", None),
        ("DELETE FROM audit WHERE number > 40", ["audit.cut"]),
    ],
)
def test_a_chain_that_does_not_go_on_is_an_alarm(
    bench: Bench, statement: str, codes: list[str] | None
) -> None:
    signed_twice(bench)
    bench.without_triggers()
    bench.journal._db._writer.execute(statement)
    bench.events.clear()
    bench.signing.step()
    assert [name for name, _ in bench.events] == ["audit.broken"]
    assert len(bench.sizes()) == 2
    found = bench.codes()
    assert found
    if codes is not None:
        assert set(codes) <= set(found)


def test_a_journal_of_yesterday_signs_nothing_beside_the_heads_of_today(bench: Bench) -> None:
    """The journal was put back from a backup; a directory knows more than it does."""
    bench.fill(20)
    bench.signing.sign()
    bench.journal.backup(os.fsencode(bench.root / "backup.db"))
    bench.clock.at += DAY
    bench.fill(30)
    bench.signing.sign()
    bench.journal.close()
    bench.journal = SqliteJournal(os.fsencode(bench.root / "backup.db"))
    bench.signing = bench.make()
    assert bench.codes() == ["audit.cut"]
    with pytest.raises(BrokenChain) as caught:
        bench.signing.sign()
    assert caught.value.code == "audit.cut"
    bench.fill(40, "test.other")  # long enough again, with other links
    assert bench.codes() == ["audit.fork"]
    with pytest.raises(Corrupt) as other:
        bench.signing.sign()
    assert other.value.code == "audit.fork"
    assert bench.sizes() == [20]


def test_another_head_in_a_directory_is_never_overwritten(bench: Bench) -> None:
    heads = signed_twice(bench)
    path = bench.root / "heads" / "tree-head-51.json"
    forged = head_to_json(replace(heads[1], signature=bytes(64)))
    path.chmod(0o600)
    path.write_bytes(forged)
    with pytest.raises(Corrupt):
        write_heads(str(bench.root / "heads"), heads)
    assert path.read_bytes() == forged
    assert bench.codes() == ["head.signature"]


# -- what a verification finds ------------------------------------------------------------------
def resign(bench: Bench, size: int) -> SignedHead:
    """What somebody with the journal, and a key of his own, would sign."""
    if not (bench.root / "other").exists():
        make_key(str(bench.root / "other"))
    kept = next(item for item in bench.journal.tree_heads() if item.head.tree_size == size)
    root = bench.journal.tree_root(size).hex()
    return read_key(str(bench.root / "other")).sign(replace(kept.head, root=root))


def test_a_chain_that_was_made_anew_and_signed_anew_is_found_by_the_copies(bench: Bench) -> None:
    signed_twice(bench)
    bench.without_triggers()
    conn = bench.journal._db._writer
    links = bench.journal.audit()
    conn.execute("DELETE FROM audit")
    conn.execute("DELETE FROM audit_nodes")
    with bench.journal._db.writing() as writer:
        append_links(writer, [(row.action, row.subject + "!", row.details) for row in links], 1)
    for size in (20, 51):
        fresh = resign(bench, size)
        conn.execute(
            "UPDATE tree_heads SET root = ?, key = ?, public_key = ?, signature = ?"
            " WHERE tree_size = ?",
            (fresh.head.root, fresh.key, fresh.public_key, fresh.signature, size),
        )
    report = bench.verify()
    assert report.broken_at is None  # in itself it is sound
    places = [fault.place for fault in report.faults if fault.code == "audit.fork"]
    assert places == [f"{bench.root / 'heads'}, head of {size} links" for size in (20, 51)]


def test_a_chain_cut_off_with_its_nodes_and_heads_is_found_by_the_copies(bench: Bench) -> None:
    signed_twice(bench)
    bench.without_triggers()
    conn = bench.journal._db._writer
    conn.execute("DELETE FROM audit WHERE number > 30")
    conn.execute("DELETE FROM audit_nodes WHERE number > 26")  # 30 - popcount(30)
    conn.execute("DELETE FROM tree_heads WHERE tree_size > 30")
    assert bench.journal.verify_chain() == 30
    assert bench.codes() == ["audit.cut"]


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("DELETE FROM tree_heads WHERE tree_size = 20", "head.missing"),
        ("UPDATE tree_heads SET signature = zeroblob(64) WHERE tree_size = 20", "head.signature"),
        ("UPDATE tree_heads SET at = '2026-01-01T00:00:00Z'", "head.signature"),
        ("UPDATE tree_heads SET tree_size = 21 WHERE tree_size = 20", "audit.fork"),
        ("UPDATE audit_log SET id = hex(zeroblob(16))", "audit.log"),
    ],
)
def test_changed_heads_are_found(bench: Bench, statement: str, code: str) -> None:
    signed_twice(bench)
    bench.without_triggers()
    bench.journal._db._writer.execute("DROP TRIGGER audit_log_is_not_changed")
    bench.journal._db._writer.execute(statement)
    assert code in bench.codes()


def test_a_head_of_a_key_that_is_not_trusted_is_found(bench: Bench) -> None:
    heads = signed_twice(bench)
    assert bench.verify(trusted=[heads[0].key]).faults == ()
    report = bench.verify(trusted=["ab" * 32])
    assert {fault.code for fault in report.faults} == {"head.key"}
    assert report.keys == (heads[0].key,)


def test_another_key_goes_on_where_the_first_ended(bench: Bench) -> None:
    signed_twice(bench)
    (bench.root / "key").unlink()
    make_key(str(bench.root / "key"))
    bench.signing.sign()
    report = bench.verify()
    assert report.faults == ()
    assert len(report.keys) == 2
    assert bench.verify(trusted=report.keys).faults == ()


def test_damaged_and_renamed_copies_are_named(bench: Bench) -> None:
    signed_twice(bench)
    folder = bench.root / "heads"
    shutil.copy(folder / "tree-head-20.json", folder / "tree-head-7.json")
    (folder / "tree-head-51.json").chmod(0o600)
    (folder / "tree-head-51.json").write_bytes(b"{")
    os.symlink("tree-head-20.json", folder / "tree-head-8.json")
    (folder / "notes.txt").write_text("mine")
    faults = bench.verify().faults
    assert [fault.code for fault in faults] == ["head.unreadable"] * 3
    assert [fault.place.split("tree-head-")[1] for fault in faults] == [
        "7.json",
        "8.json",
        "51.json",
    ]


def test_heads_from_before_a_rebuild_are_no_fault(bench: Bench) -> None:
    signed_twice(bench)
    log = bench.journal.log_id()
    bench.journal.close()
    bench.journal = SqliteJournal(os.fsencode(bench.root / "new.db"))
    bench.signing = bench.make()
    assert bench.codes() == ["audit.log"]
    bench.journal.append_audit("maria", "operator.rebuild", "journal", {}, 1)
    report = bench.verify()
    assert (report.faults, report.strangers) == ((), (log,))
    bench.signing.sign()
    assert bench.codes() == []
