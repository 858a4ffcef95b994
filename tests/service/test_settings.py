"""The configuration: what is taken, from where, and that every fault is told at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hotfolder.core.errors import EX_CONFIG, OperatorFault
from hotfolder.core.profiles import CompletionRule
from hotfolder.core.retention import Period, RetentionTrigger
from hotfolder.service.settings import load
from hotfolder.service.settings_sources import find_lines
from tests.support.settings import faults_in, load_text, sound_text

Edit = Callable[[str], str]


def put(old: str, new: str) -> Edit:
    def edit(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return edit


def add(table: str, lines: str) -> Edit:
    return put(f"[{table}]\n", f"[{table}]\n{lines}\n")


def end(lines: str) -> Edit:
    return lambda text: f"{text}\n{lines}\n"


# -- what a sound one gives -----------------------------------------------------------
def test_a_sound_configuration_becomes_records(tmp_path: Path) -> None:
    found = load_text(tmp_path, sound_text(tmp_path))
    assert found.archive.url == "http://localhost:8089"
    assert found.password == "correct horse"
    assert found.journal_path == f"{tmp_path}/journal.db"
    assert [unit.repository for unit in found.rules.business_units] == ["RETAIL"]
    series = found.rules.series_for("bill")
    assert series is not None
    assert series.code == "STMT"
    kept = found.rules.retention_classes["FIN-7Y"]
    assert (kept.trigger, kept.period) == (RetentionTrigger.ISSUE_DATE, Period(years=7))
    (folder,) = found.folders
    assert folder.path == f"{tmp_path}/in"
    assert folder.completion.rule is CompletionRule.QUIET
    assert folder.completion.writer_check
    assert found.advice == ()


def test_the_password_is_in_no_repr(tmp_path: Path) -> None:
    found = load_text(tmp_path, sound_text(tmp_path))
    assert "horse" not in repr(found)
    assert "horse" not in repr(replace(found, log_level="debug"))


def test_what_cannot_be_asked_for_is_off_by_itself(tmp_path: Path) -> None:
    text = add("folders.statements", "network = true")(sound_text(tmp_path))
    assert not load_text(tmp_path, text).folders[0].completion.writer_check
    text = add("folders.statements", "manual = true")(sound_text(tmp_path))
    assert not load_text(tmp_path, text).folders[0].sidecar_required
    text = add("folders.statements", 'sidecar = "none"\ndefaults = { document_type = "bill" }')(
        sound_text(tmp_path)
    )
    assert not load_text(tmp_path, text).folders[0].sidecar_required


# -- one fault each: (name, edit, place, words of message or remedy) ---------------------
FAULTS: list[tuple[str, Edit, str, str]] = [
    ("unknown key", put("username", "usrname"), "archivesspace.usrname", "did you mean username"),
    ("unknown table", end("[folder.x]"), "folder", "did you mean folders"),
    ("unknown nested", add("folders.statements", "completion = { quite = 3 }"),
     "folders.statements.completion.quite", "did you mean quiet"),
    ("missing key", put('repository = "RETAIL"\n', ""), "units.RETAIL.repository", "missing"),
    ("choice", add("folders.statements", 'sidecar = "jsno"'), "folders.statements.sidecar",
     "did you mean json"),
    ("type", add("folders.statements", 'poll = "often"'), "folders.statements.poll", "number"),
    ("negative", add("folders.statements", "completion = { quiet = -1 }"),
     "folders.statements.completion.quiet", "greater than or equal to 0"),
    ("not a number", add("folders.statements", "rescan = nan"), "folders.statements.rescan", ""),
    ("name", end('[folders."a b"]\npath = "/"\nbusiness_unit = "RETAIL"'), "folders.a b",
     "cannot be a name"),
    ("url", put("http://localhost:8089", "localhost:8089"), "archivesspace.url", "no address"),
    ("url port", put("localhost:8089", "localhost:99999"), "archivesspace.url", "no address"),
    ("login in url", put("http://", "http://me:secretly@"), "archivesspace.url", "login"),
    ("two passwords", add("archivesspace", 'password = "x"'), "archivesspace.password", "too"),
    ("resolver", add("archivesspace", 'resolver = "urn:x"'), "archivesspace.resolver", "identity"),
    ("resolver field", add("archivesspace", 'resolver = "{identity}{x}"'),
     "archivesspace.resolver", "identity"),
    ("timeouts", add("archivesspace", "total_timeout = 5"), "archivesspace.read_timeout", "longer"),
    ("slot", end('[archivesspace.slots]\nhold = "date_1"'), "archivesspace.slots.hold", "hold"),
    ("slot twice", end('[archivesspace.slots]\nchannel = "string_1"'),
     "archivesspace.slots.channel", "already"),
    ("ca file", add("archivesspace", 'ca_file = "/nowhere/ca.pem"'), "archivesspace.ca_file",
     "no such file"),
    ("ca unused", add("archivesspace", 'ca_file = "/etc/passwd"\nverify_tls = false'),
     "archivesspace.ca_file", "useless"),
    ("password file missing", put("/password", "/pasword"), "archivesspace.password_file",
     "No such file"),
    ("period", put("P7Y", "7 years"), "retention.FIN-7Y.period", "P7Y"),
    ("no period", put('period = "P7Y"', ""), "retention.FIN-7Y.period", "missing"),
    ("permanent with period", add("retention.FIN-7Y", 'trigger = "permanent"'),
     "retention.FIN-7Y.period", "remove"),
    ("class", put('_class = "FIN-7Y"', '_class = "FIN-7"'), "series.STMT.retention_class",
     "did you mean FIN-7Y"),
    ("type in two series", end('[series.B]\ntitle = "B"\ndocument_types = ["Bill"]'),
     "series.B.document_types", "STMT"),
    ("twins", end('[series.stmt]\ntitle = "B"\ndocument_types = ["b"]'), "series.stmt",
     "letter case"),
    ("key", add("series.STMT", 'key = ["custmer_id"]'), "series.STMT.key",
     "did you mean customer_id"),
    ("key of words", add("series.STMT", 'key = ["title"]'), "series.STMT.key", "remove"),
    ("no key", add("series.STMT", "key = []"), "series.STMT.key", "at least 1"),
    ("required", add("series.STMT", 'required = ["isue_date"]'), "series.STMT.required",
     "did you mean issue_date"),
    ("unit", put('_unit = "RETAIL"', '_unit = "RETIAL"'), "folders.statements.business_unit",
     "did you mean RETAIL"),
    ("no folder", put("/in", "/out"), "folders.statements.path", "mkdir"),
    ("relative", put('path = "', 'path = "x'), "folders.statements.path", "begin it with /"),
    ("nul", put("/in", "/in\\u0000"), "folders.statements.path", "begin it with /"),
    ("field map", add("folders.statements", 'field_map = { A = "chanel" }'),
     "folders.statements.field_map.A", "did you mean channel"),
    ("field map twice",
     add("folders.statements", 'field_map = { "a b" = "channel", "A-B" = "title" }'),
     "folders.statements.field_map.A-B", "same field"),
    ("default field", add("folders.statements", 'defaults = { chanel = "print" }'),
     "folders.statements.defaults.chanel", "did you mean channel"),
    ("default value", add("folders.statements", 'defaults = { channel = "pint" }'),
     "folders.statements.defaults.channel", "did you mean print"),
    ("default date", add("folders.statements", 'defaults = { issue_date = "soon" }'),
     "folders.statements.defaults.issue_date", "YYYY-MM-DD"),
    ("default class", add("folders.statements", 'defaults = { retention_class = "FIN-9Y" }'),
     "folders.statements.defaults.retention_class", "did you mean FIN-7Y"),
    ("default type", add("folders.statements", 'defaults = { document_type = "bil" }'),
     "folders.statements.defaults.document_type", "did you mean bill"),
    ("no trigger", add("folders.statements",
                       'completion = { rule = "trigger", trigger_suffix = "" }'),
     "folders.statements.completion.trigger_suffix", "needs it"),
    ("trigger is metadata", add("folders.statements",
                                'completion = { rule = "trigger", trigger_suffix = ".json" }'),
     "folders.statements.completion.trigger_suffix", "metadata"),
    ("trigger without rule", add("folders.statements",
                                 'completion = { trigger_suffix = ".ok" }'),
     "folders.statements.completion.trigger_suffix", "would be archived"),
    ("trigger hidden", add("folders.statements",
                           'ignore = ["*.done"]\ncompletion = { rule = "trigger" }'),
     "folders.statements.completion.trigger_suffix", "hides"),
    ("no manifest", add("folders.statements",
                        'completion = { rule = "manifest", manifest_suffix = "" }'),
     "folders.statements.completion.manifest_suffix", "needs it"),
    ("no temporary", add("folders.statements",
                         'completion = { rule = "rename", temporary = [] }'),
     "folders.statements.completion.temporary", "rename"),
    ("no quiet", add("folders.statements", "completion = { quiet = 0 }"),
     "folders.statements.completion.quiet", "half-written"),
    ("impatient", add("folders.statements",
                      "completion = { quiet = 30, quiet_without_trailer = 10 }"),
     "folders.statements.completion.quiet_without_trailer", "patience"),
    ("network writer", add("folders.statements",
                           "network = true\ncompletion = { writer_check = true }"),
     "folders.statements.completion.writer_check", "writer_check = false"),
    ("network quiet", add("folders.statements", "network = true\npoll = 30"),
     "folders.statements.completion.quiet", "shorter than poll"),
    ("nothing taken", add("folders.statements", "include = []"), "folders.statements.include",
     "no name"),
    ("all ignored", add("folders.statements", 'ignore = ["*"]'), "folders.statements.ignore",
     "no name"),
    ("taken and left", add("folders.statements", 'include = ["*.pdf"]\nignore = ["*.pdf"]'),
     "folders.statements.include", "left alone"),
    ("manual and required", add("folders.statements", "manual = true\nsidecar_required = true"),
     "folders.statements.sidecar_required", "manual"),
    ("none and required", add("folders.statements",
                              'sidecar = "none"\nsidecar_required = true\n'
                              'defaults = { document_type = "bill" }'),
     "folders.statements.sidecar_required", "never be met"),
    ("none without type", add("folders.statements", 'sidecar = "none"'),
     "folders.statements.defaults", "document_type"),
    ("journal in folder", put("/journal.db", "/in/journal.db"), "journal.path", "hot folder"),
    ("store in folder", put("/store", "/in/store"), "store.path", "hot folder"),
    ("journal in store", put("/journal.db", "/store/journal.db"), "journal.path", "store"),
    ("journal nowhere", put("/journal.db", "/no/journal.db"), "journal.path", "mkdir"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "place", "words"), [case[1:] for case in FAULTS],
                         ids=[case[0] for case in FAULTS])  # fmt: skip
def test_each_fault_is_found_where_it_is(
    tmp_path: Path, edit: Edit, place: str, words: str
) -> None:
    faults = faults_in(tmp_path, edit(sound_text(tmp_path)))
    there = [fault for fault in faults if fault.place.split(" (")[0] == place]
    assert there, faults
    assert words in there[0].message + " " + there[0].remedy, there[0]
    assert there[0].remedy
    assert there[0].file == str(tmp_path / "hotfolder.toml")
    assert "secretly" not in str(faults)


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    text = sound_text(tmp_path)
    alone = {}
    together = text
    for name in ("unknown key", "missing key", "period", "choice", "unit"):
        edit, place = next((case[1], case[2]) for case in FAULTS if case[0] == name)
        alone[place] = name
        together = edit(together)
    together = end(f'[folders.inner]\npath = "{tmp_path}/in/inner"\nbusiness_unit = "RETAIL"')(
        together
    )
    faults = faults_in(tmp_path, together, {"HOTFOLDER_LGO__LEVEL": "info"})
    places = {fault.place.split(" (")[0] for fault in faults}
    assert places >= {*alone, "folders.inner.path", "HOTFOLDER_LGO__LEVEL"}


def test_a_fault_in_one_table_makes_no_fault_in_another(tmp_path: Path) -> None:
    text = put('repository = "RETAIL"\n', "")(sound_text(tmp_path))
    assert [fault.place.split(" (")[0] for fault in faults_in(tmp_path, text)] == [
        "units.RETAIL.repository"
    ]
    text = put('document_types = ["statement", "bill"]', "")(sound_text(tmp_path))
    text = add("folders.statements", 'defaults = { document_type = "bill" }')(text)
    assert len(faults_in(tmp_path, text)) == 1


def test_faults_have_lines(tmp_path: Path) -> None:
    text = put("P7Y", "P7")(sound_text(tmp_path))
    (fault,) = faults_in(tmp_path, text)
    line = next(n for n, line in enumerate(text.splitlines(), 1) if "P7" in line)
    assert fault.place == f"retention.FIN-7Y.period (line {line})"


def test_the_exit_code_is_that_of_configuration(tmp_path: Path) -> None:
    with pytest.raises(OperatorFault) as caught:
        load_text(tmp_path, put("P7Y", "x")(sound_text(tmp_path)))
    assert caught.value.exit_code == EX_CONFIG


# -- the file itself ----------------------------------------------------------------------
def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(OperatorFault, match="hotfolder init"):
        load(str(tmp_path / "none.toml"), {})


@pytest.mark.parametrize("text", ["[a", 'a = "\udcff"', "a = 1\na = 2", "x = " + "[" * 5000])
def test_no_toml_says_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "hotfolder.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(OperatorFault, match="no TOML"):
        load(str(path), {})


def test_lines_of_tables_and_keys() -> None:
    text = 'a = 1\n[b."c d"]\ne.f = """\ng = 1\n"""\n\'h\' = 2\n[i]\n'
    assert find_lines(text) == {
        ("a",): 1,
        ("b", "c d"): 2,
        ("b", "c d", "e", "f"): 3,
        ("b", "c d", "h"): 6,
        ("i",): 7,
    }


# -- the environment -------------------------------------------------------------------------
def test_variables_override_the_file(tmp_path: Path) -> None:
    found = load_text(
        tmp_path,
        sound_text(tmp_path),
        {
            "HOTFOLDER_ARCHIVESSPACE__UNIT_SIZE": "7",
            "HOTFOLDER_ARCHIVESSPACE__SLOTS__CHANNEL": "text_1",
            "HOTFOLDER_LOG__LEVEL": "debug",
            "HOTFOLDER_VOCABULARIES__CHANNEL": "print, web",
            "HOTFOLDER_VOCABULARIES__LANGUAGE": '["de", "fr"]',
            "HOTFOLDER_RETENTION__FIN_7Y__PERIOD": "P8Y",
            "HOTFOLDER_FOLDERS__STATEMENTS__COMPLETION__QUIET": "2.5",
            "HOTFOLDER_CONFIG": "/elsewhere",
            "HOME": "/",
        },
    )
    assert found.archive.unit_size == 7
    assert found.archive.slots.channel == "text_1"
    assert found.archive.slots.hold == "boolean_1"
    assert found.archive.username == "hotfolder"
    assert found.log_level == "debug"
    assert found.rules.vocabularies.channel == ("print", "web")
    assert found.rules.vocabularies.language == ("de", "fr")
    assert found.rules.retention_classes["FIN-7Y"].period == Period(years=8)
    assert found.folders[0].completion.quiet == 2.5


@pytest.mark.parametrize(
    ("variable", "remedy"),
    [
        ("HOTFOLDER_ARCHIVESSPACE__USRNAME", "did you mean HOTFOLDER_ARCHIVESSPACE__USERNAME?"),
        ("HOTFOLDER_ARCHIVESPACE__USERNAME", "did you mean HOTFOLDER_ARCHIVESSPACE?"),
        ("HOTFOLDER_FOLDERS__STATMENTS__PATH", "did you mean HOTFOLDER_FOLDERS__STATEMENTS?"),
        ("HOTFOLDER_STORE", "name a key in it: HOTFOLDER_STORE__KEY"),
        ("HOTFOLDER_STORE__PATH__X", "HOTFOLDER_STORE__PATH has nothing inside it"),
        ("HOTFOLDER_", "one of: HOTFOLDER_ARCHIVESSPACE"),
    ],
)
def test_variables_that_mean_nothing_are_refused(
    tmp_path: Path, variable: str, remedy: str
) -> None:
    (fault,) = faults_in(tmp_path, sound_text(tmp_path), {variable: "x"})
    assert (fault.file, fault.place) == ("environment", variable)
    assert fault.remedy.startswith(remedy)


def test_a_wrong_variable_is_blamed_and_not_the_file(tmp_path: Path) -> None:
    (fault,) = faults_in(tmp_path, sound_text(tmp_path), {"HOTFOLDER_METRICS__PORT": "many"})
    assert (fault.file, fault.place) == ("environment", "HOTFOLDER_METRICS__PORT")
    (fault,) = faults_in(tmp_path, sound_text(tmp_path), {"HOTFOLDER_VOCABULARIES__CHANNEL": "["})
    assert fault.place == "HOTFOLDER_VOCABULARIES__CHANNEL"


def test_the_process_environment_stays_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTFOLDER_LOG__LEVEL", "error")
    monkeypatch.setenv("LOG", '{"level": "error"}')
    assert load_text(tmp_path, sound_text(tmp_path), {"X": "1"}).log_level == "info"


# -- the account -----------------------------------------------------------------------------
def test_the_credential_comes_before_the_password_file(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "archivesspace-password").write_text("battery staple")
    environ = {"CREDENTIALS_DIRECTORY": str(credentials)}
    text = sound_text(tmp_path)
    assert load_text(tmp_path, text, environ).password == "battery staple"
    (credentials / "archivesspace-password").unlink()
    assert load_text(tmp_path, text, environ).password == "correct horse"


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"two\nlines\n", b"\xff\xfe", b"a\0b", b"x" * 70_000]
)
def test_a_password_file_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    text = sound_text(tmp_path)
    (tmp_path / "password").write_bytes(content)
    (fault,) = faults_in(tmp_path, text)
    assert fault.code == "configuration.secret"
    assert "two" not in str(fault)


def test_a_password_file_that_would_block_is_not_opened(tmp_path: Path) -> None:
    text = sound_text(tmp_path)
    (tmp_path / "password").unlink()
    os.mkfifo(tmp_path / "password")
    (fault,) = faults_in(tmp_path, text)
    assert "no ordinary file" in fault.message


def test_blanks_belong_to_a_password(tmp_path: Path) -> None:
    text = sound_text(tmp_path)
    (tmp_path / "password").write_bytes(b" pass word \r\n")
    assert load_text(tmp_path, text).password == " pass word "


SNAKE = "baseurl: http://localhost:4567/\nusername: snake\npassword: 'hiss'\nlogging_config: {}\n"


@pytest.mark.parametrize("where", ["home", "variable", "path"])
def test_the_keys_of_archivessnake_are_taken(tmp_path: Path, where: str) -> None:
    text = sound_text(tmp_path)
    for line in text.splitlines()[1:4]:
        text = text.replace(line + "\n", "")
    snake = tmp_path / (".archivessnake.yml" if where == "home" else "snake.yml")
    snake.write_text(SNAKE)
    value = f'"{snake}"' if where == "path" else "true"
    environ = {"HOME": str(tmp_path)} if where == "home" else {"HOME": "/nowhere"}
    if where == "variable":
        environ["ASNAKE_CONFIG_FILE"] = str(snake)
    found = load_text(tmp_path, add("archivesspace", f"archivessnake = {value}")(text), environ)
    assert (found.archive.url, found.archive.username) == ("http://localhost:4567", "snake")
    assert found.password == "hiss"
    looked = load(str(tmp_path / "hotfolder.toml"), environ, only_looking=True)
    assert looked.archive == found.archive
    assert looked.password == ""


@pytest.mark.parametrize(
    "content", ["- a", "password: 12", "a: [", "baseurl: !!python/object/apply:os.getpid []", "x"]
)
def test_a_bad_archivessnake_file_is_one_fault(tmp_path: Path, content: str) -> None:
    (tmp_path / "snake.yml").write_text(content)
    text = put(f'password_file = "{tmp_path}/password"', f'archivessnake = "{tmp_path}/snake.yml"')(
        sound_text(tmp_path)
    )
    (fault,) = faults_in(tmp_path, text)
    assert fault.place.startswith("archivesspace.archivessnake")


def test_secrets_that_all_may_read_are_advice(tmp_path: Path) -> None:
    text = sound_text(tmp_path)
    (tmp_path / "password").chmod(0o644)
    text = put("http://localhost", "http://archives.example.org")(text)
    codes = {fault.code for fault in load_text(tmp_path, text).advice}
    assert codes == {"configuration.open", "configuration.clear"}


# -- places on the disk ---------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["same", "nested", "around", "link", "link in the middle"])
def test_overlapping_folders_are_refused(tmp_path: Path, kind: str) -> None:
    text = sound_text(tmp_path)
    (tmp_path / "in" / "deep").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "in")
    other = {
        "same": "in",
        "nested": "in/deep",
        "around": "",
        "link": "link",
        "link in the middle": "link/deep",
    }[kind]
    text = end(f'[folders.second]\npath = "{(tmp_path / other)}"\nbusiness_unit = "RETAIL"')(text)
    faults = faults_in(tmp_path, text)
    assert "folder.overlap" in {fault.code for fault in faults if "second" in fault.place}


def test_a_name_that_only_begins_alike_is_no_overlap(tmp_path: Path) -> None:
    (tmp_path / "in2").mkdir()
    text = end(f'[folders.second]\npath = "{tmp_path}/in2"\nbusiness_unit = "RETAIL"')(
        sound_text(tmp_path)
    )
    assert faults_in(tmp_path, text) == ()


def test_a_share_that_is_away_is_waited_for(tmp_path: Path) -> None:
    text = add("folders.statements", "network = true")(sound_text(tmp_path))
    (tmp_path / "in").rmdir()
    assert faults_in(tmp_path, text) == ()


def test_looking_needs_neither_password_nor_folders(tmp_path: Path) -> None:
    text = sound_text(tmp_path)
    (tmp_path / "in").rmdir()
    (tmp_path / "password").unlink()
    assert len(faults_in(tmp_path, text)) == 2
    found = load(str(tmp_path / "hotfolder.toml"), {}, only_looking=True)
    assert found.journal_path == f"{tmp_path}/journal.db"
    assert found.archive.username == "hotfolder"
    assert found.password == ""


def test_looking_refuses_what_is_wrong_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "hotfolder.toml"
    path.write_text(put("P7Y", "x")(sound_text(tmp_path)))
    with pytest.raises(OperatorFault):
        load(str(path), {}, only_looking=True)


def test_certificates_of_destruction_lie_in_a_folder_with_an_absolute_path(
    tmp_path: Path,
) -> None:
    text = sound_text(tmp_path)

    def codes(folder: str) -> list[str]:
        found = faults_in(tmp_path, f'{text}\n[disposal]\ncertificates = "{folder}"\n')
        return [fault.code for fault in found]

    assert codes(f"{tmp_path}/certificates") == []
    assert codes("") == []
    assert codes("certificates") == ["path.relative"]
    assert codes(f"{tmp_path}/none/certificates") == ["path.missing"]


def test_copies_of_the_store_are_places_of_their_own(tmp_path: Path) -> None:
    text = sound_text(tmp_path)
    line = f'path = "{tmp_path}/store"\n'
    assert line in text

    def codes(*copies: str) -> list[str]:
        listed = ", ".join(f'"{copy}"' for copy in copies)
        found = faults_in(tmp_path, text.replace(line, f"{line}copies = [{listed}]\n"))
        return [fault.code for fault in found]

    assert codes(f"{tmp_path}/second", f"{tmp_path}/third") == []
    assert codes("second") == ["path.relative"]
    assert codes(f"{tmp_path}/store") == ["path.overlap"]
    assert codes(f"{tmp_path}/store/second") == ["path.missing", "path.overlap"]
    assert "path.overlap" in codes(f"{tmp_path}/second", f"{tmp_path}/second/third")
    assert codes(f"{tmp_path}/in/second") == ["path.overlap"]
    assert codes(f"{tmp_path}/none/second") == ["path.missing"]
    assert "path.overlap" in codes(str(tmp_path))
