"""From files to drops: triggers, renames, sidecars, and what is explained at last."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hotfolder.core.profiles import (
    Completion,
    CompletionRule,
    DocumentsProfile,
    FolderProfile,
    IndexFormat,
    SidecarFormat,
)
from hotfolder.core.records import Drop, Sighting
from tests.support.hotmodel import HotModel

QUIET = 5.0
WAIT = 900.0


def model(
    rule: CompletionRule,
    *,
    sidecar: SidecarFormat = SidecarFormat.AUTO,
    required: bool = True,
    manual: bool = False,
    writer_known: bool = True,
    documents: DocumentsProfile | None = None,
    trigger_suffix: str = ".done",
) -> HotModel:
    profile = FolderProfile(
        name="hot",
        path="/hot",
        business_unit="unit",
        completion=Completion(
            rule=rule, quiet=QUIET, sidecar_wait=WAIT, trigger_suffix=trigger_suffix
        ),
        sidecar=sidecar,
        sidecar_required=required,
        manual=manual,
        documents=documents or DocumentsProfile(),
    )
    return HotModel(profile, writer_known=writer_known)


def put(hot: HotModel, *names: bytes, moved: bool = False, closed: bool = False) -> None:
    for name in names:
        hot.write(name)
        hot.look(name, moved=moved, closed=closed)


def parts(drop: Drop) -> tuple[bytes, tuple[bytes, ...], bytes | None]:
    trigger = drop.trigger.name if drop.trigger else None
    return (drop.spool.name, tuple(item.name for item in drop.sidecars), trigger)


def files_of(drop: Drop) -> list[Sighting]:
    return [drop.spool, *drop.sidecars, *filter(None, [drop.trigger])]


def codes(drop: Drop) -> list[str]:
    return [fault.code for fault in drop.faults]


# -- triggers -------------------------------------------------------------------------
@pytest.mark.parametrize("trigger", [b"a.pdf.done", b"a.done"])
@pytest.mark.parametrize("first", [True, False], ids=["trigger first", "trigger last"])
def test_a_trigger_settles_its_spool_at_once(trigger: bytes, first: bool) -> None:
    hot = model(CompletionRule.TRIGGER)
    files = [b"a.pdf", b"a.pdf.json", trigger]
    for name in files:
        hot.write(name)
    for name in reversed(files) if first else files:
        hot.look(name)
    drops = hot.collect()
    assert [parts(drop) for drop in drops] == [(b"a.pdf", (b"a.pdf.json",), trigger)]
    assert drops[0].faults == ()
    assert drops[0].settled_by == "trigger"


def test_without_its_trigger_a_spool_is_never_taken_but_counted() -> None:
    hot = model(CompletionRule.TRIGGER)
    put(hot, b"a.pdf", b"a.pdf.json")
    assert hot.run(WAIT * 5) == []
    assert hot.assembly.overdue == {b"a.pdf"}
    put(hot, b"a.pdf.done")
    assert [parts(drop)[0] for drop in hot.collect()] == [b"a.pdf"]
    assert hot.assembly.overdue == set()


def test_the_spool_is_looked_at_after_its_trigger() -> None:
    hot = model(CompletionRule.TRIGGER, sidecar=SidecarFormat.NONE)
    put(hot, b"a.pdf")
    hot.write(b"a.pdf", size=77)  # no event told of this
    put(hot, b"a.pdf.done")
    (drop,) = hot.collect()
    assert drop.spool.size == 77
    assert drop.faults == ()


def test_a_spool_written_after_its_trigger_must_be_quiet() -> None:
    hot = model(CompletionRule.TRIGGER, sidecar=SidecarFormat.NONE)
    put(hot, b"a.pdf.done")
    hot.run(1)
    put(hot, b"a.pdf")
    assert hot.run(QUIET - 0.1) == []
    (drop,) = hot.run(0.2)
    assert drop.faults == ()


def test_a_spool_that_goes_on_changing_after_its_trigger_is_a_fault() -> None:
    hot = model(CompletionRule.TRIGGER, sidecar=SidecarFormat.NONE)
    put(hot, b"a.pdf")
    hot.writers.add(b"a.pdf")
    put(hot, b"a.pdf.done")
    assert hot.collect() == []
    for size in range(20, 30):
        hot.write(b"a.pdf", size=size)
        hot.look(b"a.pdf")
        assert hot.run(QUIET * 0.9) == []
    hot.writers.clear()
    (drop,) = hot.run(QUIET)
    assert codes(drop) == ["spool.changed_after_trigger"]


def test_a_new_trigger_vouches_for_the_new_content() -> None:
    hot = model(CompletionRule.TRIGGER, sidecar=SidecarFormat.JSON)
    put(hot, b"a.pdf", b"a.pdf.done")
    assert hot.collect() == [], "its sidecar is missing"
    hot.write(b"a.pdf", size=30)
    hot.look(b"a.pdf")
    put(hot, b"a.pdf.json", b"a.pdf.done")
    (drop,) = hot.collect()
    assert drop.faults == ()


def test_a_trigger_waits_for_the_writer_and_for_the_end() -> None:
    hot = model(CompletionRule.TRIGGER, sidecar=SidecarFormat.NONE)
    put(hot, b"a.pdf")
    hot.writers.add(b"a.pdf")
    put(hot, b"a.pdf.done")
    assert hot.run(60) == []
    hot.writers.clear()
    hot.look(b"a.pdf", closed=True)
    assert [codes(drop) for drop in hot.collect()] == [[]]

    hot.write(b"b.pdf", whole=False)
    put(hot, b"b.pdf.done")
    hot.look(b"b.pdf")
    assert hot.run(WAIT - 1) == []
    assert [codes(drop) for drop in hot.run(2)] == [["pdf.torn"]]


def test_one_trigger_for_two_spools_goes_with_the_last() -> None:
    hot = model(CompletionRule.TRIGGER, sidecar=SidecarFormat.NONE)
    put(hot, b"a.pdf", b"a.afp", b"a.done")
    found = [parts(drop) for drop in hot.collect()]
    assert {item[0] for item in found} == {b"a.pdf", b"a.afp"}
    assert [item[2] for item in found] == [None, b"a.done"]


def test_a_trigger_alone_is_explained() -> None:
    hot = model(CompletionRule.TRIGGER)
    put(hot, b"a.done")
    assert hot.run(WAIT - 1) == []
    (drop,) = hot.run(2)
    assert parts(drop) == (b"a.done", (), None)
    assert codes(drop) == ["trigger.alone"]


def test_without_trailer_and_writer_check_a_trigger_is_confirmed_by_one_more_look() -> None:
    hot = model(CompletionRule.TRIGGER, sidecar=SidecarFormat.NONE, writer_known=False)
    hot.write(b"a.txt", trailer=False)
    hot.look(b"a.txt")
    put(hot, b"a.txt.done")
    assert hot.collect() == []
    assert len(hot.run(1.0)) == 1


# -- indexes --------------------------------------------------------------------------
INDEXED = DocumentsProfile(index=IndexFormat.CSV, suffix=".ind")


@pytest.mark.parametrize("name", [b"run.afp.ind", b"run.ind"])
@pytest.mark.parametrize("first", [True, False], ids=["index first", "index last"])
def test_an_index_comes_with_its_spool(name: bytes, first: bool) -> None:
    hot = model(CompletionRule.QUIET, required=False, documents=INDEXED)
    put(hot, *((name, b"run.afp") if first else (b"run.afp", name)))
    (drop,) = hot.run(QUIET * 3)
    assert parts(drop) == (b"run.afp", (name,), None)
    assert codes(drop) == []


def test_without_its_index_a_spool_waits_and_is_explained() -> None:
    hot = model(CompletionRule.QUIET, required=False, documents=INDEXED)
    put(hot, b"run.afp", b"run.afp.json")
    assert hot.run(WAIT - QUIET) == [], "metadata of the whole spool does not do"
    (drop,) = hot.run(QUIET * 3)
    assert parts(drop) == (b"run.afp", (b"run.afp.json",), None)
    assert codes(drop) == ["index.missing"]


def test_metadata_of_the_whole_spool_may_be_wanted_as_well() -> None:
    hot = model(CompletionRule.QUIET, required=True, documents=INDEXED)
    put(hot, b"run.afp", b"run.afp.ind")
    assert hot.run(WAIT - QUIET) == []
    put(hot, b"run.afp.json")
    (drop,) = hot.run(QUIET * 3)
    assert codes(drop) == []
    assert len(drop.sidecars) == 2
    put(hot, b"two.afp", b"two.afp.ind")
    (drop,) = hot.run(WAIT + QUIET)
    assert codes(drop) == ["sidecar.missing"]


def test_an_index_alone_is_explained() -> None:
    hot = model(CompletionRule.QUIET, required=False, documents=INDEXED)
    put(hot, b"run.afp.ind")
    (drop,) = hot.run(WAIT + QUIET)
    assert codes(drop) == ["sidecar.alone"]


def test_where_a_spool_tells_by_itself_nothing_is_waited_for() -> None:
    afp = DocumentsProfile(index=IndexFormat.AFP)
    hot = model(CompletionRule.QUIET, required=False, documents=afp)
    put(hot, b"run.afp")
    (drop,) = hot.run(QUIET * 3)
    assert codes(drop) == []


def test_a_drop_for_arsload_is_three_files() -> None:
    hot = model(
        CompletionRule.TRIGGER,
        sidecar=SidecarFormat.NONE,
        documents=DocumentsProfile(index=IndexFormat.CMOD, suffix=".IND"),
        trigger_suffix=".ARD",
    )
    data, index, trigger = b"BANK.STMT.ARD.OUT", b"BANK.STMT.ARD.IND", b"BANK.STMT.ARD"
    put(hot, data, index)
    assert hot.run(QUIET * 3) == []
    put(hot, trigger)
    (drop,) = hot.run(QUIET)
    assert parts(drop) == (data, (index,), trigger)


# -- renames --------------------------------------------------------------------------
def test_a_name_that_a_rename_brought_counts_at_once() -> None:
    hot = model(CompletionRule.RENAME, sidecar=SidecarFormat.NONE)
    hot.write(b"a.txt", trailer=False)
    hot.look(b"a.txt", moved=True)
    assert [drop.settled_by for drop in hot.collect()] == ["rename"]


def test_a_name_that_was_closed_counts_at_once_if_its_end_is_there() -> None:
    hot = model(CompletionRule.RENAME, sidecar=SidecarFormat.NONE)
    put(hot, b"a.pdf", closed=True)
    assert len(hot.collect()) == 1
    hot.write(b"b.txt", trailer=False)
    hot.look(b"b.txt", closed=True)
    assert hot.run(QUIET - 0.1) == [], "it may be opened again and appended to"
    assert len(hot.run(0.2)) == 1


def test_a_name_found_by_a_scan_needs_one_unchanged_look() -> None:
    hot = model(CompletionRule.RENAME, sidecar=SidecarFormat.NONE)
    put(hot, b"a.pdf")
    assert hot.run(QUIET - 0.1) == []
    assert len(hot.run(0.2)) == 1


def test_a_renamed_file_that_is_written_again_is_not_renamed_any_more() -> None:
    hot = model(CompletionRule.RENAME)
    put(hot, b"a.pdf", moved=True)
    assert hot.collect() == [], "its sidecar is missing"
    hot.write(b"a.pdf", size=50, whole=False)
    hot.look(b"a.pdf")
    put(hot, b"a.pdf.json", moved=True)
    assert hot.run(QUIET * 3) == []


def test_temporary_names_and_our_own_are_nobodys() -> None:
    hot = model(CompletionRule.RENAME, sidecar=SidecarFormat.NONE)
    put(
        hot,
        b"a.pdf.tmp",
        b"a.part",
        b"~$a.doc",
        b".hidden",
        b"_working/00/a.pdf",
        b"_failed/2026-01-01/a.pdf",
        b"_receipts/a.pdf",
        b"a.pdf.ERROR.txt",
        b"a.pdf.receipt.json",
        b"sub/.git/a.pdf",
        moved=True,
    )
    assert hot.run(WAIT * 3) == []
    assert len(hot.assembly.settling) == 0


# -- sidecars -------------------------------------------------------------------------
@pytest.mark.parametrize("sidecar", [b"a.pdf.json", b"a.json", b"a.pdf.xml", b"a.xml"])
@pytest.mark.parametrize("first", [True, False], ids=["sidecar first", "sidecar last"])
def test_a_spool_waits_for_its_sidecar(sidecar: bytes, first: bool) -> None:
    hot = model(CompletionRule.QUIET)
    put(hot, sidecar if first else b"a.pdf")
    assert hot.run(WAIT - 10) == []
    put(hot, b"a.pdf" if first else sidecar)
    assert hot.run(QUIET - 0.1) == [], "the later one must be quiet too"
    (drop,) = hot.run(1)
    assert parts(drop) == (b"a.pdf", (sidecar,), None)
    assert drop.faults == ()


def test_a_growing_sidecar_holds_its_spool_back() -> None:
    hot = model(CompletionRule.QUIET)
    put(hot, b"a.pdf", b"a.pdf.json")
    for size in range(20, 30):
        hot.write(b"a.pdf.json", size=size)
        hot.look(b"a.pdf.json")
        assert hot.run(QUIET * 0.9) == []
    (drop,) = hot.run(QUIET)
    assert drop.sidecars[0].size == 29


def test_a_missing_sidecar_is_explained() -> None:
    hot = model(CompletionRule.QUIET)
    put(hot, b"a.pdf")
    assert hot.run(WAIT - 1) == []
    assert [codes(drop) for drop in hot.run(2)] == [["sidecar.missing"]]


def test_a_sidecar_alone_is_explained() -> None:
    hot = model(CompletionRule.QUIET)
    put(hot, b"a.pdf.json")
    assert hot.run(WAIT - 1) == []
    (drop,) = hot.run(2)
    assert parts(drop) == (b"a.pdf.json", (), None)
    assert codes(drop) == ["sidecar.alone"]


@pytest.mark.parametrize(
    ("required", "manual", "sidecar"),
    [
        (False, False, SidecarFormat.AUTO),
        (True, True, SidecarFormat.AUTO),
        (True, False, SidecarFormat.NONE),
    ],
)
def test_where_no_sidecar_is_needed_none_is_waited_for(
    required: bool, manual: bool, sidecar: SidecarFormat
) -> None:
    hot = model(CompletionRule.QUIET, required=required, manual=manual, sidecar=sidecar)
    put(hot, b"a.pdf")
    assert [codes(drop) for drop in hot.run(QUIET + 0.1)] == [[]]


def test_an_optional_sidecar_that_comes_in_time_is_taken_along() -> None:
    hot = model(CompletionRule.RENAME, required=False)
    put(hot, b"a.pdf", moved=True)
    assert hot.run(QUIET / 2) == []
    put(hot, b"a.pdf.json", moved=True)
    assert [parts(drop)[1] for drop in hot.collect()] == [(b"a.pdf.json",)]


def test_all_sidecars_of_a_spool_come_along_best_first() -> None:
    hot = model(CompletionRule.QUIET)
    put(hot, b"a.xml", b"a.pdf.xml", b"a.json", b"a.pdf.json", b"a.pdf")
    (drop,) = hot.run(QUIET + 1)
    assert parts(drop)[1] == (b"a.pdf.json", b"a.json", b"a.pdf.xml", b"a.xml")


def test_a_sidecar_named_after_the_stem_is_left_for_the_spool_without_one() -> None:
    hot = model(CompletionRule.QUIET)
    put(hot, b"a.pdf", b"a.afp", b"a.pdf.json", b"a.json")
    found = {parts(drop)[0]: parts(drop)[1] for drop in hot.run(QUIET + 1)}
    assert found == {b"a.pdf": (b"a.pdf.json",), b"a.afp": (b"a.json",)}


def test_a_shared_table_serves_all_and_stays() -> None:
    hot = model(CompletionRule.QUIET, sidecar=SidecarFormat.CSV)
    put(hot, b"in/a.pdf", b"in/b.pdf", b"c.pdf")
    assert hot.run(60) == []
    put(hot, b"in/metadata.csv")
    assert hot.run(QUIET - 0.1) == []
    drops = hot.run(1)
    assert {drop.spool.name for drop in drops} == {b"in/a.pdf", b"in/b.pdf"}
    assert {drop.shared for drop in drops} == {(b"in/metadata.csv",)}
    hot.claim(drops)
    assert b"in/metadata.csv" in hot.files
    assert hot.assembly.unfinished() == 1, "nothing waits but c.pdf: the table stays"
    drops = hot.run(WAIT)
    assert [codes(drop) for drop in drops] == [["sidecar.missing"]]
    hot.claim(drops)
    assert hot.assembly.unfinished() == 0
    hot.remove(b"in/metadata.csv")
    assert hot.assembly.unfinished() == 0


def test_include_patterns_choose_spools_and_ignore_patterns_leave_out() -> None:
    profile = FolderProfile(
        name="hot",
        path="/hot",
        business_unit="unit",
        completion=Completion(quiet=QUIET, sidecar_wait=WAIT),
        include=("*.pdf", "deep/*.afp"),
        ignore=("draft*",),
    )
    hot = HotModel(profile)
    for name in (b"a.pdf", b"b.afp", b"deep/c.afp", b"draft.pdf"):
        put(hot, name, name + b".json")
    found = {drop.spool.name for drop in hot.run(QUIET + 1)}
    assert found == {b"a.pdf", b"deep/c.afp"}


# -- manifests ------------------------------------------------------------------------
def manifest(hot: HotModel, text: bytes, *, moved: bool = True) -> None:
    hot.write(b"batch.manifest", data=text)
    hot.look(b"batch.manifest", moved=moved)


def test_a_manifest_lets_its_batch_go_together() -> None:
    hot = model(CompletionRule.MANIFEST)
    put(hot, b"a.pdf", b"a.pdf.json", b"b.pdf", b"b.pdf.json", b"c.pdf")
    assert hot.run(60) == []
    manifest(hot, b"# night run\n- 10 a.pdf\nb.pdf,10\n\na.pdf.json,10\r\nb.pdf.json,10\n")
    found = [parts(drop) for drop in hot.collect()]
    assert found == [
        (b"a.pdf", (b"a.pdf.json",), None),
        (b"b.pdf", (b"b.pdf.json",), b"batch.manifest"),
    ]
    assert hot.run(WAIT * 3) == [], "what no manifest lists is left"
    assert hot.assembly.overdue == {b"c.pdf"}


def test_a_manifest_that_came_first_waits_for_the_last_file() -> None:
    hot = model(CompletionRule.MANIFEST, sidecar=SidecarFormat.NONE)
    manifest(hot, b"a.pdf,10\nb.pdf,20\n")
    put(hot, b"a.pdf")
    hot.write(b"b.pdf", size=15)
    hot.look(b"b.pdf")
    assert hot.run(WAIT / 2) == []
    hot.write(b"b.pdf", size=20)
    hot.look(b"b.pdf")
    drops = hot.collect()
    assert {drop.spool.name: codes(drop) for drop in drops} == {b"a.pdf": [], b"b.pdf": []}


def test_a_manifest_in_the_making_is_not_believed() -> None:
    hot = model(CompletionRule.MANIFEST, sidecar=SidecarFormat.NONE)
    put(hot, b"a.pdf", b"b.pdf")
    manifest(hot, b"a.pdf,10\n", moved=False)
    assert hot.run(QUIET - 1) == []
    manifest(hot, b"a.pdf,10\nb.pdf,10\n", moved=False)
    assert len(hot.run(QUIET + 1)) == 2


def test_what_never_matches_its_manifest_is_explained() -> None:
    hot = model(CompletionRule.MANIFEST, sidecar=SidecarFormat.NONE)
    put(hot, b"a.pdf", b"b.pdf")
    manifest(hot, b"a.pdf,10\nb.pdf,11\nc.pdf,10\n")
    assert hot.run(WAIT - 1) == []
    found = {drop.spool.name: codes(drop) for drop in hot.run(2)}
    assert found == {
        b"a.pdf": [],
        b"b.pdf": ["manifest.size"],
        b"batch.manifest": ["manifest.absent"],
    }


@pytest.mark.parametrize(
    "text",
    [b"what is this\n", b"../a.pdf,10\n", b"/etc/passwd,10\n", b"a.pdf,1\na.pdf,2\n", b"#\n"],
)
def test_a_manifest_that_cannot_be_read_is_explained(text: bytes) -> None:
    hot = model(CompletionRule.MANIFEST, sidecar=SidecarFormat.NONE)
    put(hot, b"a.pdf")
    manifest(hot, text)
    assert hot.run(WAIT - 1) == []
    (drop,) = hot.run(2)
    assert drop.spool.name == b"batch.manifest"
    assert set(codes(drop)) == {"manifest.line"}


def test_a_manifest_of_sidecars_alone_is_explained() -> None:
    hot = model(CompletionRule.MANIFEST)
    put(hot, b"a.json")
    manifest(hot, b"a.json,10\n")
    found = {drop.spool.name: codes(drop) for drop in hot.run(WAIT * 2)}
    assert found == {b"batch.manifest": ["manifest.no_spool"], b"a.json": ["sidecar.alone"]}


# -- given out, forgotten, afresh -------------------------------------------------------
def test_a_drop_that_was_given_up_is_settled_anew() -> None:
    hot = model(CompletionRule.TRIGGER)
    put(hot, b"a.pdf", b"a.pdf.json", b"a.pdf.done")
    assert len(hot.collect()) == 1
    hot.scan()
    assert hot.run(WAIT * 2) == [], "given out once"
    hot.assembly.forget([b"a.pdf"])
    assert [parts(drop)[0] for drop in hot.collect()] == [b"a.pdf"]


def test_a_drop_is_unfinished_until_it_has_been_claimed() -> None:
    hot = model(CompletionRule.TRIGGER)
    put(hot, b"a.pdf", b"a.pdf.json", b"a.pdf.done", b"b.pdf")
    assert hot.assembly.unfinished() == 4
    (drop,) = hot.collect()
    assert hot.assembly.unfinished() == 4
    hot.assembly.forget([drop.spool.name])
    assert hot.assembly.unfinished() == 1


def test_a_successor_of_the_same_name_is_a_new_drop() -> None:
    hot = model(CompletionRule.TRIGGER)
    for _ in range(3):
        put(hot, b"a.pdf", b"a.pdf.json", b"a.pdf.done")
        drops = hot.collect()
        assert [parts(drop)[0] for drop in drops] == [b"a.pdf"]
        hot.claim(drops)
    assert hot.run(WAIT * 2) == []
    assert len(hot.assembly.settling) == 0


PIECES = [b"a.pdf", b"a.afp", b"a.pdf.json", b"a.json", b"a.xml", b"a.done", b"a.pdf.done"]


@settings(max_examples=300, deadline=None)
@example(
    CompletionRule.TRIGGER,
    [("write", name, 0.0, False) for name in (b"a.pdf", b"a.done", b"a.pdf.done")],
    False,
)
@given(
    st.sampled_from([CompletionRule.QUIET, CompletionRule.TRIGGER, CompletionRule.RENAME]),
    st.lists(
        st.tuples(
            st.sampled_from(["write", "tear", "remove", "scan", "claim"]),
            st.sampled_from(PIECES),
            st.floats(0, 1000),
            st.booleans(),
        ),
        max_size=30,
    ),
    st.booleans(),
)
def test_every_file_leaves_once_in_one_drop_or_waits_for_its_trigger(
    rule: CompletionRule,
    operations: list[tuple[str, bytes, float, bool]],
    writer_known: bool,
) -> None:
    hot = model(rule, writer_known=writer_known)
    for what, name, seconds, moved in operations:
        match what:
            case "write" | "tear":
                hot.write(name, size=len(hot.looked_at) + 3, whole=what == "write")
                hot.look(name, moved=moved)
            case "remove":
                hot.remove(name)
                # Within half a second of a look nobody looks again: the claim finds it gone.
                hot.at += 1
            case "scan":
                hot.scan()
        drops = hot.run(seconds)
        for drop in drops:
            for part in files_of(drop):
                assert hot.files[part.name].shown == (part.size, part.mtime_ns, part.inode)
            assert drop.faults or (hot.files[drop.spool.name].whole and drop.sidecars)
        hot.claim(drops)
    hot.scan()
    present = set(hot.files)
    left: Counter[bytes] = Counter()
    for _ in range(len(PIECES) + 1):
        drops = hot.run(WAIT * 2)
        for drop in drops:
            left.update(part.name for part in files_of(drop))
        hot.claim(drops)
    waiting = set(hot.files)
    if rule is not CompletionRule.TRIGGER:
        assert not waiting
    else:
        # Only spools that no trigger speaks of, and the sidecars that wait with them.
        assert not any(name.endswith(b".done") for name in waiting)
        spools = {name for name in waiting if name.endswith((b".pdf", b".afp"))}
        assert hot.assembly.overdue == spools
        assert bool(waiting) == bool(spools)
    assert left == Counter(present - waiting)


def test_a_sidecar_that_went_after_its_spool_is_not_given_out() -> None:
    hot = model(CompletionRule.QUIET, writer_known=False)
    hot.write(b"a.pdf.json")
    hot.look(b"a.pdf.json")
    hot.run(5)
    hot.write(b"a.pdf", whole=False)
    hot.look(b"a.pdf")
    hot.run(650)
    hot.remove(b"a.pdf")
    hot.at += 1
    assert not hot.run(248)
    hot.remove(b"a.pdf.json")
    hot.at += 1
    assert not hot.run(WAIT)


def test_a_trigger_that_went_announces_nothing() -> None:
    hot = model(CompletionRule.TRIGGER, writer_known=False)
    for name in (b"a.pdf", b"a.pdf.json", b"a.done"):
        hot.write(name)
        hot.look(name)
    hot.remove(b"a.done")
    hot.at += 1
    assert not hot.run(0)
