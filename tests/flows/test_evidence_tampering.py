"""verify.py finds every change: of a byte, of a file, and of what a forger seals again."""

from __future__ import annotations

import ast
import base64
import hashlib
import io
import json
import random
import shutil
import zipfile
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.core import merkle
from hotfolder.core.canonical import dump
from tests.support import bags
from tests.sweeps.evidence_bytes import unnoticed_in_folder, unnoticed_in_zip

Forge = Callable[[Path], object]
SAMPLE = 300  # bytes of each bag that are changed here; `make sweep` changes every one


@dataclass(frozen=True)
class Shelf:
    """Bags of one document: with a proof in the place of its spool, and with the spool."""

    proof: Path
    spool: Path
    other: Path  # of another document in the same spool, with a proof


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    root = tmp_path_factory.mktemp("shelf")
    world = bags.afp_world(root)
    rows = bags.documents(world)
    found = Shelf(root / "proof.zip", root / "spool.zip", root / "other.zip")
    bags.make(world, rows[7].document.identity, found.proof)
    bags.make(world, rows[7].document.identity, found.spool, with_spool=True)
    bags.make(world, rows[8].document.identity, found.other)
    world.stop()
    return found


@pytest.fixture(scope="module")
def verifier() -> ModuleType:
    return bags.load_verifier()


def run(verifier: ModuleType, path: Path, key: str | None = None) -> tuple[int, str]:
    """The exit code of verify.py and its words, without another process."""
    out = io.StringIO()
    with redirect_stdout(out):
        code = verifier.run(str(path), key, False)
    return code, out.getvalue()


# -- bytes and files -------------------------------------------------------------------
def test_any_byte_of_the_zip(shelf: Shelf, verifier: ModuleType, tmp_path: Path) -> None:
    size = shelf.proof.stat().st_size
    places = random.Random(4).sample(range(size), SAMPLE)
    places += [*range(60), *range(size - 200, size)]  # a header, and the directory's end
    assert not unnoticed_in_zip(verifier, shelf.proof, tmp_path, places)


def test_any_byte_of_the_unpacked_bag(shelf: Shelf, verifier: ModuleType, tmp_path: Path) -> None:
    folder = bags.unpack(shelf.spool, tmp_path / "bag")
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            size = path.stat().st_size
            places = random.Random(5).sample(range(size), min(size, 8))
            assert not unnoticed_in_folder(verifier, folder, path, [*places, 0, size - 1])


def test_the_search_for_bytes_would_see_one_that_is_not_noticed(
    shelf: Shelf, verifier: ModuleType, tmp_path: Path
) -> None:
    class Blind:
        Wrong = verifier.Wrong

        class Archive:
            def __init__(self, stream: object) -> None: ...

        class Bag:
            def __init__(self, files: object, key: object) -> None: ...
            def check_files(self) -> str:
                return "all is well"

    assert unnoticed_in_zip(Blind, shelf.proof, tmp_path, [3, 4]) == [3, 4]  # type: ignore[arg-type]


def test_it_says_so_by_itself_and_ends_with_one(shelf: Shelf, tmp_path: Path) -> None:
    data = bytearray(shelf.proof.read_bytes())
    data[len(data) // 2] ^= 1
    path = tmp_path / "bag.zip"
    path.write_bytes(data)
    done = bags.judge(path)
    assert done.returncode == 1
    assert "FAILED" in done.stdout
    assert "Traceback" not in done.stderr
    folder = bags.unpack(shelf.proof, tmp_path / "bag")
    done = bags.judge(folder, verifier=folder / "verify.py")
    assert (done.returncode, done.stderr) == (0, "")
    (folder / "data/summary.html").write_text("another")
    done = bags.judge(folder, verifier=folder / "verify.py")
    assert done.returncode == 1
    assert "data/summary.html is not what manifest-sha256.txt says" in done.stdout


def swap(one: str, two: str) -> Forge:
    def forge(folder: Path) -> None:
        (folder / one).rename(folder / "x")
        (folder / two).rename(folder / one)
        (folder / "x").rename(folder / two)

    return forge


def link(name: str) -> Forge:
    def forge(folder: Path) -> None:
        (folder / name).rename(folder.parent / "moved")
        (folder / name).symlink_to(folder.parent / "moved")

    return forge


@pytest.mark.parametrize(
    ("forge", "words"),
    [
        (lambda bag: (bag / "data/custody/heads.json").unlink(), "heads.json is missing"),
        (lambda bag: (bag / "bag-info.txt").unlink(), "bag-info.txt is missing"),
        (lambda bag: (bag / "tagmanifest-sha512.txt").unlink(), "tagmanifest-sha512.txt"),
        (lambda bag: (bag / "data/more.txt").write_text("more"), "data/more.txt was added"),
        (lambda bag: (bag / "more.txt").write_text("more"), "more.txt was added"),
        (
            lambda bag: (bag / "data/evidence.json").rename(bag / "data/evidence.jsom"),
            "evidence.jsom was added",
        ),
        (swap("data/document/document.afp", "data/document/derived.afp"), "is not what"),
        (swap("manifest-sha256.txt", "manifest-sha512.txt"), "is not what"),
        (link("data/document/document.afp"), "is a link"),
    ],
)
def test_files_that_are_not_what_they_were(
    shelf: Shelf, verifier: ModuleType, tmp_path: Path, forge: Forge, words: str
) -> None:
    folder = bags.unpack(shelf.proof, tmp_path / "bag")
    assert run(verifier, folder)[0] == 0
    forge(folder)
    code, said = run(verifier, folder)
    assert code == 1
    assert words in said


def test_a_zip_made_by_another_program_is_not_ours(
    shelf: Shelf, verifier: ModuleType, tmp_path: Path
) -> None:
    path = tmp_path / "again.zip"
    with zipfile.ZipFile(shelf.proof) as bag, zipfile.ZipFile(path, "w") as again:
        for name in bag.namelist():
            again.writestr(name, bag.read(name))
    code, said = run(verifier, path)
    assert code == 1
    assert "not as it was written" in said


@pytest.mark.parametrize("tail", [b"x", b"PK\5\6" + bytes(18)])
@pytest.mark.parametrize("head", [b"", b"#!/bin/sh\n"])
def test_nothing_lies_before_or_behind_the_zip(
    shelf: Shelf, verifier: ModuleType, tmp_path: Path, head: bytes, tail: bytes
) -> None:
    path = tmp_path / "more.zip"
    path.write_bytes(head + shelf.proof.read_bytes() + tail)
    assert run(verifier, path)[0] == 1


@pytest.mark.parametrize(
    "name", ["../x", "a/../../x", "/x", "a//x", "other/x", "a\\x", "bagit.txt"]
)
def test_a_name_that_leads_out_of_the_bag(verifier: ModuleType, tmp_path: Path, name: str) -> None:
    path = tmp_path / "bag.zip"
    data = b""
    directory = b""
    for item in ("a/bagit.txt", name):
        local, entry = verifier.headers(item.encode(), 0, 0, len(data))
        data, directory = data + local, directory + entry
    path.write_bytes(data + directory + verifier.ending(2, len(directory), len(data)))
    code, said = run(verifier, path)
    assert code == 1
    assert "lies outside the bag" in said


# -- what a forger seals again ------------------------------------------------------------
def forged(shelf_path: Path, tmp_path: Path, forge: Forge) -> Path:
    folder = bags.unpack(shelf_path, tmp_path / "bag")
    forge(folder)
    bags.seal(folder)
    return folder


def test_sealing_again_without_a_change_is_no_forgery(
    shelf: Shelf, verifier: ModuleType, tmp_path: Path
) -> None:
    for place, path in enumerate((shelf.proof, shelf.spool)):
        folder = forged(path, tmp_path / str(place), lambda _folder: None)
        assert run(verifier, folder)[0] == 0


def flip(name: str) -> Forge:
    """Change a byte in the middle of a file."""

    def forge(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        data[len(data) // 2] ^= 1
        (folder / name).write_bytes(data)

    return forge


def edit(name: str, change: Callable[[Any], object]) -> Forge:
    return lambda folder: bags.change(folder, name, change)


def put(*keys: Any, value: Any) -> Callable[[Any], None]:
    """Set one value deep inside."""

    def change(found: Any) -> None:
        for key in keys[:-1]:
            found = found[key]
        assert found[keys[-1]] != value
        found[keys[-1]] = value

    return change


def number(place: str, by: int, *keys: Any) -> Callable[[Any], None]:
    def change(found: Any) -> None:
        for key in keys:
            found = found[key]
        found[place] += by

    return change


def another_document(folder: Path) -> None:
    """Other bytes, and everything in the bag that follows from them alone."""
    path = folder / "data/document/document.afp"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    rename_document(folder, hashlib.sha256(data).hexdigest())


def rename_document(folder: Path, sha256: str) -> None:
    line = folder / "data/metadata/document.json"
    document = json.loads(line.read_bytes())
    old, before = document["identity"], document["range"]["sha256"]
    parts = (document["source"], document["business_key"], sha256)
    framed = b"".join(len(part.encode()).to_bytes(8, "big") + part.encode() for part in parts)
    new = "hf-" + hashlib.sha256(framed).hexdigest()
    for name in (
        "metadata/document.json",
        "evidence.json",
        "summary.html",
        "store/documents.jsonl",
    ):
        target = folder / "data" / name
        if target.exists():
            text = target.read_text().replace(old, new).replace(before, sha256)
            target.write_text(text)


def follow_inventory(folder: Path) -> None:
    """Make the inventory fit the documents.jsonl that is here."""
    another_document(folder)
    lines = (folder / "data/store/documents.jsonl").read_bytes()

    def change(inventory: Any) -> None:
        (digest,) = (
            digest
            for digest, paths in inventory["manifest"].items()
            if paths == ["v1/content/documents.jsonl"]
        )
        inventory["manifest"][hashlib.sha256(lines).hexdigest()] = inventory["manifest"].pop(digest)

    bags.change(folder, "data/store/inventory.json", change)


def redo_row(folder: Path, change: Callable[[Any], None]) -> None:
    """Change an audit row and its digest."""

    def redo(extract: Any) -> None:
        row = extract["rows"][0]
        change(row)
        fields = [row[name] for name in ("number", "at", "actor", "action", "subject", "details",
                                         "previous")]  # fmt: skip
        row["digest"] = hashlib.sha256(dump(fields).encode()).hexdigest()

    bags.change(folder, "data/custody/audit.json", redo)


def sign_again(folder: Path, key: Ed25519PrivateKey, *, swap_key: bool) -> None:
    """Sign all heads with another key; with ``swap_key`` also name it."""
    old = ""

    def change(found: Any) -> None:
        nonlocal old
        for signed in found["heads"]:
            old = signed["key"]
            signed["signature"] = base64.b64encode(key.sign(dump(signed["head"]).encode())).decode()
            if swap_key:
                raw = key.public_key().public_bytes_raw()
                signed["public_key"] = base64.b64encode(raw).decode()
                signed["key"] = hashlib.sha256(raw).hexdigest()

    bags.change(folder, "data/custody/heads.json", change)
    if swap_key:
        new = bags.fingerprint(key)
        (folder / f"data/custody/key-{old[:16]}.pem").unlink()
        raw = bytes.fromhex("302a300506032b6570032100") + key.public_key().public_bytes_raw()
        text = base64.b64encode(raw).decode()
        (folder / f"data/custody/key-{new[:16]}.pem").write_text(
            f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n"
        )
        summary = folder / "data/summary.html"
        summary.write_text(summary.read_text().replace(old, new))


def retell(old: str, new: str) -> Forge:
    """Let the summary say something else."""

    def forge(folder: Path) -> None:
        page = folder / "data/summary.html"
        assert old in page.read_text()
        page.write_text(page.read_text().replace(old, new))

    return forge


AUDIT, HEADS = "data/custody/audit.json", "data/custody/heads.json"
CLAIM, LINE = "data/evidence.json", "data/metadata/document.json"


@pytest.mark.parametrize(
    ("forge", "words"),
    [
        (flip("data/document/document.afp"), "not those that its metadata name"),
        (flip("data/store/metadata.json"), "(store)"),
        (flip("data/store/inventory.json"), "FAILED"),
        (edit(LINE, number("offset", 1, "range")), "not in the tree of its spool"),
        (edit(LINE, number("length", 1, "range")), "not those that its metadata name"),
        (edit(LINE, put("range", "sha256", value="0" * 64)), "identity does not follow"),
        (edit(LINE, put("business_key", value="0" * 64)), "identity does not follow"),
        (edit(LINE, put("metadata", "customer_id", value="C9")), "not in the tree of its spool"),
        (another_document, "not in the tree of its spool"),
        (edit(CLAIM, put("identity", value="hf-" + "0" * 64)), "identity does not follow"),
        (edit(CLAIM, put("form", value="document")), "FAILED"),
        (edit(CLAIM, put("spool", "id", value="0" * 32)), "the inventory is another's"),
        (edit(CLAIM, put("spool", "sha256", value="0" * 64)), "do not agree"),
        (edit(CLAIM, put("format", value="hotfolder-evidence/2")), "of another kind"),
        (edit(CLAIM, put("gaps", value=[])), "shows less, or more"),
        (edit("data/proof/document.json", number("index", 1)), "not in the tree of its spool"),
        (edit("data/proof/document.json", number("size", 24)), "has another size"),
        (edit("data/proof/document.json", lambda proof: proof["path"].pop()), "before the root"),
        (
            edit("data/proof/document.json", lambda proof: proof["path"].reverse()),
            "not in the tree",
        ),
        (edit(AUDIT, put("rows", 0, "actor", value="mallory")), "not what its digest says"),
        (lambda bag: redo_row(bag, put("actor", value="mallory")), "not in the signed tree"),
        (lambda bag: redo_row(bag, put("at", value=1.5)), "not in the signed tree"),
        (lambda bag: redo_row(bag, number("number", 1)), "not in the signed tree"),
        (lambda bag: redo_row(bag, put("subject", value="x")), "about something else"),
        (edit(AUDIT, put("rows", value=[])), "shows less, or more"),
        (edit(AUDIT, lambda found: found["rows"].pop(0)), "shows less, or more"),
        (edit(AUDIT, put("rows", 0, "proofs", value=[])), "shows less, or more"),
        (edit(AUDIT, lambda found: found["rows"].reverse()), "not in order"),
        (edit(HEADS, put("heads", 0, "head", "root", value="0" * 64)), "signature is wrong"),
        (edit(HEADS, number("tree_size", 1, "heads", 0, "head")), "signature is wrong"),
        (edit(HEADS, put("heads", 0, "head", "at", value="2020-01-01T00:00:00Z")), "is wrong"),
        (edit(HEADS, put("heads", 0, "key", value="0" * 64)), "names another key"),
        (edit(HEADS, put("heads", 0, "signature", value="")), "signature is wrong"),
        (lambda bag: sign_again(bag, bags.OTHER_KEY, swap_key=False), "signature is wrong"),
        (edit("data/custody/history.json", put("steps", 0, "reason", value="x")), "differ"),
        (flip("data/custody/history.csv"), "FAILED"),
        (lambda bag: (bag / "data/summary.html").write_text("all is well"), "another document"),
        (retell("hf-", "hf_"), "another document"),
        (retell(bags.fingerprint(bags.KEY), "0" * 64), "another document or key"),
        (lambda bag: (bag / LINE).write_text('{"a":1,"a":2}\n'), "twice in a JSON object"),
        (lambda bag: (bag / CLAIM).write_text("[" * 100_000), "cannot be checked"),
        (lambda bag: (bag / CLAIM).write_bytes(b"\xff"), "cannot be checked"),
        (lambda bag: (bag / AUDIT).write_text('{"rows": [null]}'), "cannot be checked"),
    ],
)
def test_what_is_forged_and_sealed_again(
    shelf: Shelf, verifier: ModuleType, tmp_path: Path, forge: Forge, words: str
) -> None:
    code, said = run(verifier, forged(shelf.proof, tmp_path, forge))
    assert code == 1, said
    assert words in said
    assert "(files)" not in said  # the manifests fit: what it found, it found behind them


@pytest.mark.parametrize(
    ("forge", "words"),
    [
        (another_document, "range of the spool is another"),
        (follow_inventory, "range of the spool is another"),
        (flip("data/store/spool.afp"), "the spool is not the one that was stored"),
        (flip("data/store/documents.jsonl"), "documents.jsonl is another"),
        (edit(LINE, number("offset", 1, "range")), "range of the spool is another"),
        (edit(LINE, put("range", "offset", value=-1)), "the range is none"),
        (edit(LINE, put("range", "offset", value=1 << 40)), "ends after the spool"),
        (edit(LINE, put("title", value="x")), "does not name the document once"),
    ],
)
def test_a_forged_range_of_a_spool_that_is_there(
    shelf: Shelf, verifier: ModuleType, tmp_path: Path, forge: Forge, words: str
) -> None:
    code, said = run(verifier, forged(shelf.spool, tmp_path, forge))
    assert code == 1, said
    assert words in said


def test_an_inventory_that_follows_the_forgery_is_not_the_audited_one(
    shelf: Shelf, verifier: ModuleType, tmp_path: Path
) -> None:
    code, said = run(verifier, forged(shelf.spool, tmp_path, follow_inventory))
    assert code == 1
    assert "the audit row names another inventory" in said


def test_the_proof_of_another_document(shelf: Shelf, verifier: ModuleType, tmp_path: Path) -> None:
    other = bags.unpack(shelf.other, tmp_path / "other")
    name = "data/proof/document.json"
    folder = forged(shelf.proof, tmp_path, lambda bag: shutil.copy(other / name, bag / name))
    code, said = run(verifier, folder)
    assert code == 1
    assert "not in the tree of its spool" in said


def test_the_proof_of_another_row(shelf: Shelf, verifier: ModuleType, tmp_path: Path) -> None:
    def exchange(found: Any) -> None:
        first, second = found["rows"][:2]
        first["proofs"], second["proofs"] = second["proofs"], first["proofs"]

    code, said = run(verifier, forged(shelf.spool, tmp_path, edit(AUDIT, exchange)))
    assert code == 1
    assert "not in the signed tree" in said


def test_a_head_of_another_log(shelf: Shelf, verifier: ModuleType, tmp_path: Path) -> None:
    def mix(folder: Path) -> None:
        def change(found: Any) -> None:
            head = json.loads(json.dumps(found["heads"][0]))
            head["head"]["log"] = "0" * 32
            signature = bags.KEY.sign(dump(head["head"]).encode())
            head["signature"] = base64.b64encode(signature).decode()
            found["heads"].append(head)

        bags.change(folder, HEADS, change)

    code, said = run(verifier, forged(shelf.proof, tmp_path, mix))
    assert code == 1
    assert "heads of several logs" in said


def test_only_the_key_itself_tells_a_bag_that_was_forged_throughout(
    shelf: Shelf, verifier: ModuleType, tmp_path: Path
) -> None:
    folder = forged(
        shelf.proof, tmp_path, lambda bag: sign_again(bag, bags.OTHER_KEY, swap_key=True)
    )
    assert run(verifier, folder)[0] == 0
    code, said = run(verifier, folder, bags.fingerprint(bags.KEY))
    assert code == 1
    assert "another key than the one that you named" in said
    upper = bags.fingerprint(bags.OTHER_KEY).upper()
    assert run(verifier, folder, upper)[0] == 0


# -- its arithmetic, beside that of others ---------------------------------------------------
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 511))
def test_it_takes_and_refuses_the_signatures_that_cryptography_does(
    seed: bytes, message: bytes, bit: int
) -> None:
    module = _VERIFIER
    key = Ed25519PrivateKey.from_private_bytes(seed)
    raw = key.public_key().public_bytes_raw()
    signature = key.sign(message)
    assert module.is_signed(raw, message, signature)
    assert not module.is_signed(raw, message + b"x", signature)
    changed = bytearray(signature)
    changed[bit // 8] ^= 1 << bit % 8
    with suppress(module.Wrong):  # the point is on no curve: as good as wrong
        assert not module.is_signed(raw, message, bytes(changed))


def test_a_signature_has_one_form(verifier: ModuleType) -> None:
    # RFC 8032, section 5.1.7: S is smaller than the group's order.
    raw = bags.KEY.public_key().public_bytes_raw()
    signature = bags.KEY.sign(b"m")
    large = int.from_bytes(signature[32:], "little") + verifier.L
    assert not verifier.is_signed(raw, b"m", signature[:32] + large.to_bytes(32, "little"))
    assert not verifier.is_signed(raw[:31], b"m", signature)
    assert not verifier.is_signed(raw, b"m", signature[:63])


def test_vectors_of_rfc_8032(verifier: ModuleType) -> None:
    key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    signature = (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
        "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    assert verifier.is_signed(bytes.fromhex(key), b"", bytes.fromhex(signature))
    key = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    signature = (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e"
        "458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert verifier.is_signed(bytes.fromhex(key), b"\x72", bytes.fromhex(signature))


@given(st.integers(1, 70), st.data())
def test_its_proofs_are_those_of_the_tree(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = [merkle.leaf_hash(bytes([place])) for place in range(size)]

    def node(level: int, place: int) -> bytes:
        if level == 0:
            return leaves[place]
        return merkle.node_hash(node(level - 1, 2 * place), node(level - 1, 2 * place + 1))

    path = [step.hex() for step in merkle.inclusion_proof(index, size, node)]
    assert _VERIFIER.root_of(leaves[index], index, size, path) == merkle.root(size, node).hex()
    with pytest.raises(_VERIFIER.Wrong):
        _VERIFIER.root_of(leaves[index], index, size, [*path, "00" * 32])


def test_it_needs_nothing_newer_than_python_3_8(verifier: ModuleType) -> None:
    text = bags.VERIFIER.read_text()
    tree = ast.parse(text, feature_version=(3, 8))
    newer = {"removeprefix", "removesuffix", "bit_count", "is_relative_to", "readlink", "pairwise"}
    assert not newer & {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    imported = {
        name.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for name in node.names
    } | {
        str(node.module).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    }
    import sys

    assert imported <= set(sys.stdlib_module_names)
    assert not imported & {"subprocess", "socket", "urllib", "ctypes", "tempfile"}


def test_it_is_in_every_bag_as_it_is_here(shelf: Shelf) -> None:
    with zipfile.ZipFile(shelf.proof) as bag:
        (name,) = (item for item in bag.namelist() if item.endswith("/verify.py"))
        assert bag.read(name) == bags.VERIFIER.read_bytes()


_VERIFIER = bags.load_verifier()
