"""Exports that mean harm, or are just broken: nothing is read outside of them, nothing
expands without bound, and each trouble is an item with a reason."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from hotfolder.core.errors import InputFault, OperatorFault
from hotfolder.core.legacy import LegacyItem, LegacySource, MigrationProfile, SourceKind
from hotfolder.core.profiles import DocumentsProfile, IndexFormat
from hotfolder.files.content import hash_file
from hotfolder.indexes.cmod import read_cmod
from hotfolder.journal.surveys import Survey
from hotfolder.legacy import sippackage
from hotfolder.legacy.sources import open_source
from hotfolder.sandbox.legacy import make_export, write_export

SECRET = b"%PDF-1.4 not part of the export\n"


@contextmanager
def source(root: Path, kind: SourceKind, path: Path, **more: Any) -> Iterator[LegacySource]:
    index = IndexFormat.CMOD if kind is SourceKind.CMOD else IndexFormat.NONE
    profile = MigrationProfile(
        name="old",
        kind=kind,
        path=str(path),
        inbox=str(root / "inbox"),
        business_unit="RETAIL",
        **{"documents": DocumentsProfile(index=index), **more},
    )
    scratch = root / "scratch"
    survey = Survey(os.fsencode(root / "survey.db"), "test")
    try:
        with open_source(profile, os.fsencode(scratch), survey) as opened:
            yield opened
    finally:
        survey.close()
    assert not scratch.exists()


def items(opened: LegacySource) -> dict[str, str]:
    """Each item with the code of its first fault; those without are opened and read."""
    found: dict[str, str] = {}
    for item in opened.items():
        code = item.faults[0].code if item.faults else ""
        if not code:
            try:
                with opened.open(item) as files:
                    for part in (files.content, *files.sidecars):
                        hash_file(part.path)
            except (InputFault, OperatorFault) as error:
                code = error.code
        found[item.source_id] = code
    return found


# -- files --------------------------------------------------------------------------------
def test_links_and_devices_are_items_and_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.pdf").write_bytes(SECRET)
    export = tmp_path / "export"
    export.mkdir()
    (export / "a.pdf").write_bytes(b"%PDF-1.4\n")
    (export / "a.pdf.json").symlink_to(outside / "secret.pdf")
    (export / "b.pdf").symlink_to(outside / "secret.pdf")
    (export / "folder").symlink_to(outside)
    os.mkfifo(export / "pipe.pdf")
    with source(tmp_path, SourceKind.FOLDER, export) as opened:
        assert items(opened) == {
            "a.pdf": "migration.sidecar_missing",
            "a.pdf.json": "file.not_regular",
            "b.pdf": "file.not_regular",
            "folder": "file.not_regular",
            "pipe.pdf": "file.not_regular",
        }


def test_endings_in_capitals_are_endings(tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    for name in ("A.PDF", "A.XML", "b.pdf", "b.pdf.JSON", "c.pdf", "c.json", "c.JSON", "D.XML"):
        (export / name).write_text(name)
    read: dict[str, list[tuple[bytes, str]]] = {}
    with source(tmp_path, SourceKind.FOLDER, export) as opened:
        for item in opened.items():
            if item.faults:
                read[item.source_id] = []
                continue
            with opened.open(item) as files:
                read[item.source_id] = [
                    (part.name, Path(os.fsdecode(part.path)).read_text())
                    for part in files.sidecars[:-1]
                ]
    assert read == {
        "A.PDF": [(b"A.xml", "A.XML")],
        "b.pdf": [(b"b.pdf.json", "b.pdf.JSON")],
        "c.pdf": [(b"c.json", "c.json")],
        "D.XML": [],
    }


@pytest.mark.parametrize("kind", list(SourceKind))
def test_what_is_needed_for_a_moment_is_gone_after_it(tmp_path: Path, kind: SourceKind) -> None:
    export = make_export(kind.value, 3, 20)
    write_export(export, str(tmp_path / "export"))
    killed = tmp_path / "scratch" / "of one that was killed"
    killed.mkdir(parents=True)
    (killed / "letter.pdf.json").write_text("{}")
    path = tmp_path / "export"
    if kind is SourceKind.CSV:
        (path,) = path.glob("*.csv")
    opened_items = 0
    more = {"file_field": "Datei"} if kind is SourceKind.CSV else {}
    with source(tmp_path, kind, path, **more) as opened:
        assert not killed.exists()
        for item in opened.items():
            if item.faults:
                continue
            with suppress(InputFault, OperatorFault), opened.open(item) as files:
                opened_items += 1
                assert all(os.path.exists(part.path) for part in files.sidecars)
            left = {name.name for name in (tmp_path / "scratch").iterdir()}
            assert left <= {"content", "groups.ind"}, "it does not grow with the export"
    assert opened_items > 3


def test_a_folder_that_becomes_a_link_leads_nowhere(tmp_path: Path) -> None:
    export, outside = tmp_path / "export", tmp_path / "outside"
    (export / "in").mkdir(parents=True)
    outside.mkdir()
    (outside / "a.pdf").write_bytes(SECRET)
    (export / "in" / "a.pdf").write_bytes(b"%PDF-1.4\n")
    (export / "list.csv").write_text("file\nin/a.pdf\n")
    with source(tmp_path, SourceKind.CSV, export / "list.csv") as opened:
        found = opened.items()
        item = next(found)
        (export / "in").rename(export / "elsewhere")
        (export / "in").symlink_to(outside)
        with pytest.raises(OperatorFault, match="folder of the export"), opened.open(item):
            raise AssertionError("it was opened")


def test_names_of_every_kind_keep_their_ids(tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    names = [b"\xff\xfe.pdf", "ü%.pdf".encode(), b"a\nb\x1b[2J.pdf", b"x" * 240 + b".pdf"]
    for name in names:
        with open(os.path.join(os.fsencode(export), name), "wb") as stream:
            stream.write(b"%PDF-1.4\n")
    with source(tmp_path, SourceKind.FOLDER, export, sidecar_required=False) as opened:
        found = items(opened)
    assert set(found.values()) == {""}
    assert set(found) == {
        "%FF%FE.pdf", "ü%25.pdf", "a%0Ab%1B[2J.pdf", "x" * 240 + ".pdf",
    }  # fmt: skip


# -- lists ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("../secret.pdf", "migration.name"),
        ("/etc/passwd", "migration.name"),
        ("in/../../secret.pdf", "migration.name"),
        (r"..\secret.pdf", "migration.name"),
        ("in//a.pdf", "migration.name"),
        ("", "migration.name"),
        ("in", "file.not_regular"),
        ("away.pdf", "migration.content_missing"),
        ("link.pdf", "file.not_regular"),
        ("linked/secret.pdf", "migration.content_missing"),
        ("in/a.pdf,x,y", "migration.csv"),
    ],
)
def test_a_line_that_leads_elsewhere(tmp_path: Path, line: str, code: str) -> None:
    (tmp_path / "secret.pdf").write_bytes(SECRET)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.pdf").write_bytes(SECRET)
    export = tmp_path / "export"
    (export / "in").mkdir(parents=True)
    (export / "in" / "a.pdf").write_bytes(b"%PDF-1.4\n")
    (export / "link.pdf").symlink_to(outside / "secret.pdf")
    (export / "linked").symlink_to(outside)
    (export / "list.csv").write_text(f"file,type\n{line},{'' if ',' in line else 'letter'}\n")
    with source(tmp_path, SourceKind.CSV, export / "list.csv") as opened:
        first = next(iter(opened.items()))
    assert [fault.code for fault in first.faults] == [code]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"type,date\nletter,2020-01-01\n",
        b"file,file\na.pdf,b.pdf\n",
        b"file\n\xff\xfe\xfa\n",
        b'file\n"a.pdf\n' + b"x" * 300_000,
        b"file\na.pdf\0\n",
        b"file,type\n" + b"a," * 300_000,
    ],
)
def test_a_list_that_cannot_be_read_is_refused(tmp_path: Path, data: bytes) -> None:
    export = tmp_path / "export"
    export.mkdir()
    (export / "list.csv").write_bytes(data)
    with (
        source(tmp_path, SourceKind.CSV, export / "list.csv") as opened,
        pytest.raises(InputFault) as caught,
    ):
        items(opened)
    assert caught.value.code == "migration.manifest"


# -- loads ---------------------------------------------------------------------------------
def test_an_index_may_name_paths_but_only_files_beside_it_are_read(tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    (tmp_path / "secret.pdf").write_bytes(SECRET)
    (export / "a.pdf").write_bytes(b"%PDF-1.4\n")
    lines = ["CODEPAGE:1208"]
    for name in ("/var/out/a.pdf", "../secret.pdf", "C:\\out\\b.pdf", "/", ".."):
        lines += ["GROUP_FIELD_NAME:X", "GROUP_FIELD_VALUE:1"]
        lines += ["GROUP_OFFSET:0", "GROUP_LENGTH:0", f"GROUP_FILENAME:{name}"]
    (export / "e.ind").write_text("\n".join(lines) + "\n")
    with source(tmp_path, SourceKind.CMOD, export) as opened:
        found = items(opened)
    assert found["e.ind#a.pdf"] == ""
    assert found["e.ind#secret.pdf"] == "migration.content_missing"
    assert found["e.ind#b.pdf"] == "migration.content_missing"
    # The last two name no file at all: each is an item.
    assert found["e.ind#bad:1"] == found["e.ind#bad:2"] == "index.path"


def group(name: str, value: str = "1") -> str:
    return (
        f"GROUP_FIELD_NAME:X\nGROUP_FIELD_VALUE:{value}\n"
        f"GROUP_OFFSET:0\nGROUP_LENGTH:0\nGROUP_FILENAME:{name}\n"
    )


def test_of_two_files_with_one_name_neither_is_taken_for_the_other(tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    for name in ("x.txt", "y.txt", "z.txt"):
        (export / name).write_text(name)
    (export / "a.ind").write_text(
        group("/out/2018/x.txt") + group("/out/y.txt") + group("") + group("/out/2019/x.txt")
    )
    # The same file, as Windows sees it.
    (export / "b.ind").write_text(group("C:\\OUT\\z.txt") + group("c:\\out\\.\\Z.txt".lower()))
    with source(tmp_path, SourceKind.CMOD, export) as opened:
        found = items(opened)
    assert found == {
        "a.ind#bad:1": "index.path",
        "a.ind#y.txt": "",
        "a.ind#bad:2": "index.path",
        "b.ind#z.txt": "",
        "x.txt": "migration.not_described",
    }


def test_an_index_that_is_written_anew_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Whatever code page the configuration has for those of the export."""
    export = tmp_path / "export"
    export.mkdir()
    name = "n" * 210 + ".txt"
    (export / name).write_text("long")
    (export / "y.txt").write_text("y")
    (export / "a.ind").write_bytes(
        (group(f"/out/{name}", "M\u00fcller") + group("y.txt", "Gr\u00f6\u00dfe")).encode("cp1252")
    )
    (export / f"{name}.ind").write_bytes(group(name, "K\u00f6ln").encode("cp1252"))
    options = DocumentsProfile(index=IndexFormat.CMOD, code_page="1252")
    read: list[tuple[bytes, list[str]]] = []
    with source(tmp_path, SourceKind.CMOD, export, documents=options) as opened:
        for item in opened.items():
            with opened.open(item) as files, open(files.sidecars[0].path, "rb") as stream:
                found = list(read_cmod(stream, "x", code_page="1252"))
                # No other file than the one that it goes with may be named.
                assert {one.file for one in found} <= {None, item.name}
                read.append((item.name, [value for one in found for _, value in one.fields]))
    assert [values for _, values in read] == [["M\u00fcller"], ["Gr\u00f6\u00dfe"], ["K\u00f6ln"]]
    assert all(len(item) <= 200 for item, _ in read)


def test_a_line_feed_in_a_value_of_ebcdic_ends_no_line(tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    (export / "a.out").write_text("a")
    text = "CODEPAGE:500\n" + group("/u/a.out", "Main Street 1\vSpringfield")
    (export / "a.ind").write_bytes(
        # New line ends lines there; the line feed is a character like any other.
        text.replace("\n", "\x85").replace("\v", "\n").encode("cp500")
    )
    with source(tmp_path, SourceKind.CMOD, export) as opened:
        (item,) = opened.items()
        with opened.open(item) as files, open(files.sidecars[0].path, "rb") as stream:
            (found,) = read_cmod(stream, "x")
    assert found.fields == (("X", "Main Street 1 Springfield"),)


def test_an_index_that_is_cut_off_is_an_item(tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    (export / "a.out").write_text("x" * 10)
    (export / "a.ind").write_text("CODEPAGE:1208\nGROUP_FIELD_NAME:X\n")
    with source(tmp_path, SourceKind.CMOD, export) as opened:
        assert items(opened) == {"a.ind#": "index.truncated"}


@pytest.mark.parametrize(("kind", "name"), [(SourceKind.CMOD, "b.ind"), (SourceKind.SIP, "b.zip")])
def test_one_that_cannot_be_opened_does_not_stop_the_others(
    tmp_path: Path, kind: SourceKind, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = tmp_path / "export"
    export.mkdir()
    for each in ("a", "b", "c"):
        (export / f"{each}{name[1:]}").write_text("CODEPAGE:1208\n")

    def refuse(path: bytes) -> Any:
        if path.endswith(name.encode()):
            raise OperatorFault("opening: Permission denied", hint="x", code="file.permission")
        return open(path, "rb")

    for module in ("cmod", "sip"):
        monkeypatch.setattr(f"hotfolder.legacy.{module}.open_regular", refuse)
    with source(tmp_path, kind, export) as opened:
        found = items(opened)
    refused = {item for item, code in found.items() if code == "file.permission"}
    assert refused == {"b.ind#" if kind is SourceKind.CMOD else "b.zip"}


# -- packages ------------------------------------------------------------------------------
def write_package(path: Path, members: list[tuple[str, bytes]], **more: Any) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in members:
            package.writestr(zipfile.ZipInfo(name), data, **more)


def packaging(count: int = 1, more: str = "") -> bytes:
    return (
        '<sip xmlns="urn:x-emc:ia:schema:sip:1.0"><dss><holding>H</holding></dss>'
        f"<aiu_count>{count}</aiu_count>{more}</sip>"
    ).encode()


PDI = b"<l><m><file>a.pdf</file></m></l>"
CONTENT = ("a.pdf", b"%PDF-1.4\n")


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ([("eas_sip.xml", packaging())], "migration.package"),
        ([("eas_pdi.xml", PDI)], "migration.package"),
        ([("eas_sip.xml", b"<sip"), ("eas_pdi.xml", PDI)], "migration.xml"),
        (
            [
                ("eas_sip.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><sip>&b;</sip>'),
                ("eas_pdi.xml", PDI),
            ],
            "migration.xml",
        ),
        (
            [
                ("eas_sip.xml", packaging()),
                (
                    "eas_pdi.xml",
                    b'<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]><l>&x;</l>',
                ),
            ],
            "migration.xml",
        ),
        ([("../a", b"x"), ("eas_sip.xml", packaging()), ("eas_pdi.xml", PDI)], "zip.name"),
        ([("/a", b"x"), ("eas_sip.xml", packaging()), ("eas_pdi.xml", PDI)], "zip.name"),
        (
            [
                (
                    "eas_sip.xml",
                    packaging(1, '<pdi_hash algorithm="SHA-256" encoding="hex">00</pdi_hash>'),
                ),
                ("eas_pdi.xml", PDI),
                CONTENT,
            ],
            "migration.pdi_hash",
        ),
        ([("eas_sip.xml", b" " * (2 << 20)), ("eas_pdi.xml", PDI)], "migration.aiu"),
    ],
)
def test_a_package_that_is_refused_whole(
    tmp_path: Path, members: list[tuple[str, bytes]], code: str
) -> None:
    export = tmp_path / "export"
    export.mkdir()
    write_package(export / "p.zip", members)
    with source(tmp_path, SourceKind.SIP, export) as opened:
        assert items(opened) == {"p.zip": code}


def test_what_is_wrong_inside_a_package_is_told_item_by_item(tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    pdi = (
        b"<l><m><file>a.pdf</file></m><m><file>b.pdf</file></m>"
        b"<m><file>a.pdf</file></m><m><name>x</name></m></l>"
    )
    write_package(
        export / "p.zip",
        [("eas_sip.xml", packaging(9)), ("eas_pdi.xml", pdi), CONTENT, ("c.pdf", b"x")],
    )
    (export / "stray.txt").write_text("x")
    with source(tmp_path, SourceKind.SIP, export, file_field="file") as opened:
        assert items(opened) == {
            "p.zip!a.pdf": "",
            "p.zip!b.pdf": "migration.content_missing",
            "p.zip!a.pdf@3": "migration.twice",
            "p.zip!aiu:4": "migration.content_missing",
            "p.zip!eas_sip.xml": "migration.aiu_count",
            "p.zip!c.pdf": "migration.not_described",
            "stray.txt": "migration.not_described",
        }


def test_a_package_that_was_left_behind_is_told(tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    for name, session, number, last in (
        ("a", "one", 1, "false"), ("b", "one", 5, "true"),  # 2 to 4 are not there
        ("c", "two", 1, "false"), ("d", "two", 2, "0"),  # nor is its end
        ("e", "all", 2, "true"), ("f", "all", 1, "false"),
        ("g", "same id", 1, "true"), ("h", "same id", 1, "true"),
    ):  # fmt: skip
        more = f"<seqno>{number}</seqno><is_last>{last}</is_last>"
        sip = packaging(1, more).replace(b"</dss>", f"<id>{session}</id></dss>".encode())
        members = [("eas_sip.xml", sip), ("eas_pdi.xml", PDI), CONTENT]
        write_package(export / f"{name}.zip", members)
    with source(tmp_path, SourceKind.SIP, export) as opened:
        found = [item for item in opened.items() if item.faults]
    assert {item.source_id: item.faults[0].code for item in found} == {
        "session:H:one#2": "migration.package_missing",
        "session:H:two#3": "migration.package_missing",
    }
    assert "2 to 4" in found[0].faults[0].message


@pytest.mark.parametrize("kind", [SourceKind.SIP, SourceKind.CMOD])
def test_what_is_no_file_has_no_bytes(tmp_path: Path, kind: SourceKind) -> None:
    """Else those of a package or an index count as often as it has trouble in it."""
    export = tmp_path / "export"
    export.mkdir()
    aiu = b"<l:Letter><l:No>4</l:No></l:Letter>"
    pdi = b'<l:Letters xmlns:l="urn:l">' + aiu * 3 + b"</l:Letters>"
    write_package(export / "p.zip", [("eas_sip.xml", packaging(4)), ("eas_pdi.xml", pdi)])
    (export / "x.ind").write_text(group("/") * 3 + group("y.txt"))
    (export / "y.txt").write_text("y")
    ignore = ("x*", "y*") if kind is SourceKind.SIP else ("p*",)
    with source(tmp_path, kind, export, ignore=ignore) as opened:
        found = [item for item in opened.items() if item.faults]
    assert len(found) == (4 if kind is SourceKind.SIP else 3)
    assert {item.size for item in found} == {0}


def test_a_name_that_stands_for_two_members_is_refused(tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    with pytest.warns(UserWarning, match="Duplicate name"):
        write_package(
            export / "p.zip",
            [("eas_sip.xml", packaging()), ("eas_pdi.xml", PDI), CONTENT, CONTENT],
        )
    with source(tmp_path, SourceKind.SIP, export) as opened:
        assert items(opened) == {"p.zip": "migration.members_twice"}


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    path = export / "p.zip"
    write_package(
        path, [("eas_sip.xml", packaging()), ("eas_pdi.xml", PDI), ("a.pdf", bytes(1 << 20))]
    )
    data = bytearray(path.read_bytes())
    # The directory and the member say that it unpacks to almost four gigabytes.
    for mark, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        place = data.rfind(mark)
        data[place + at : place + at + 4] = struct.pack("<I", 0xF0000000)
    path.write_bytes(data)
    with source(tmp_path, SourceKind.SIP, export) as opened:
        (code,) = items(opened).values()
    assert code in ("zip.ratio", "zip.damaged")


def test_too_many_members_are_not_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sippackage, "MOST_MEMBERS", 50)
    export = tmp_path / "export"
    export.mkdir()
    many = [(f"m{number}", b"") for number in range(60)]
    write_package(export / "p.zip", [("eas_sip.xml", packaging()), ("eas_pdi.xml", PDI), *many])
    with source(tmp_path, SourceKind.SIP, export) as opened:
        assert items(opened) == {"p.zip": "migration.members"}


def test_an_aiu_without_end_takes_no_memory(tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    endless = b"<l><m>" + b"<x>y</x>" * 40_000 + b"</m></l>"
    long = b"<l><m><x>" + bytes(range(65, 91)) * 1_000_000 + b"</x></m></l>"
    for name, pdi in (("a.zip", endless), ("b.zip", long)):
        write_package(export / name, [("eas_sip.xml", packaging()), ("eas_pdi.xml", pdi)])
    with source(tmp_path, SourceKind.SIP, export) as opened:
        assert items(opened) == {"a.zip": "migration.aiu", "b.zip": "migration.aiu"}


def test_a_large_package_takes_no_memory(tmp_path: Path) -> None:
    """Ten thousand AIUs: what is held is the directory, not the descriptions."""
    export = tmp_path / "export"
    export.mkdir()
    with zipfile.ZipFile(export / "p.zip", "w") as package:
        aiu = io.BytesIO()
        aiu.write(b"<l>")
        for number in range(10_000):
            package.writestr(zipfile.ZipInfo(f"f{number}"), b"x")
            aiu.write(f"<m><file>f{number}</file><t>{'t' * 500}</t></m>".encode())
        aiu.write(b"</l>")
        package.writestr(zipfile.ZipInfo("eas_pdi.xml"), aiu.getvalue())
        package.writestr(zipfile.ZipInfo("eas_sip.xml"), packaging(10_000))
    size = aiu.tell()
    del aiu, package
    with source(tmp_path, SourceKind.SIP, export) as opened:
        tracemalloc.start()
        try:
            count = sum(1 for _ in opened.items())
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert count == 10_000
    assert peak < 12_000_000, f"{peak:,} bytes for {size:,} of descriptions"


# -- what all have in common ------------------------------------------------------------------
@pytest.mark.parametrize("kind", list(SourceKind))
def test_items_come_in_the_same_order_each_time(tmp_path: Path, kind: SourceKind) -> None:
    from hotfolder.sandbox.legacy import write_export

    export = make_export(kind.value, 5, 30)
    place = tmp_path / "export"
    place.mkdir()
    write_export(export, str(place))
    path = place / "liste.csv" if kind is SourceKind.CSV else place
    more = {"file_field": "Datei"} if kind is SourceKind.CSV else {}

    def walk() -> list[LegacyItem]:
        with source(tmp_path, kind, path, **more) as opened:
            return list(opened.items())

    first = walk()
    assert first == walk()
    assert len({item.source_id for item in first}) == len(first)
    assert len(first) == export.expected.outcomes.total()
