#!/usr/bin/env python3
"""Check an evidence bag of hotfolder with nothing but Python 3.8 or later.

    python3 -I verify.py                    the unpacked bag in which this file lies
    python3 -I verify.py EVIDENCE.zip       a bag that is not unpacked, or another folder
    python3 -I verify.py --key FINGERPRINT  the signing key must be this one
    python3 -I verify.py --strict           what the bag does not show is a failure, too

One file, because a bag carries it and nothing else.
It writes nothing and asks nobody. Exit code 0: all that was checked holds; 1: it does not.
Whoever can change the bag can change this program with it: take it from a copy of hotfolder
that you trust if that matters, and compare the key's fingerprint with one that the
organisation gave you on another way. Rules: RFC 8493 (bag), RFC 9162 (tree), RFC 8032
(signature), OCFL 1.1 (inventory).
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import html
import io
import json
import os
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

CHUNK = 1 << 20
FULL = 0xFFFFFFFF
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError, OSError)


class Wrong(Exception):
    """Something is not what it has to be."""


def need(condition: object, words: str) -> None:
    if not condition:
        raise Wrong(words)


# -- where the files are ---------------------------------------------------------------
class Folder:
    """An unpacked bag."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.sizes: dict[str, int] = {}
        for place, folders, files in os.walk(path):
            for name in folders + files:
                full = os.path.join(place, name)
                inside = os.path.relpath(full, path).replace(os.sep, "/")
                need(not os.path.islink(full), f"{inside!r} is a link")
                if name in files:
                    need(os.path.isfile(full), f"{inside!r} is no plain file")
                    self.sizes[inside] = os.path.getsize(full)
        need("bagit.txt" in self.sizes, "this is no bag: there is no bagit.txt")

    def chunks(self, name: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        with open(os.path.join(self.path, *name.split("/")), "rb") as stream:
            yield from _read(stream, offset, self.sizes[name] if length is None else length)


class Archive:
    """A bag in a ZIP: one folder, everything stored. The ZIP must be, byte for byte, the
    only one that these files make."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.sizes: dict[str, int] = {}
        self.places: dict[str, int] = {}
        directory, place, base = b"", 0, ""
        while self._at(place, 4) == b"PK\3\4":
            head = self._at(place, 30)
            need(len(head) == 30, "the ZIP ends in the middle of a file's header")
            crc, size = struct.unpack("<I4xI", head[14:26])
            length, extra = struct.unpack("<HH", head[26:30])
            name = self._at(place + 30, length)
            if size == FULL:
                size = struct.unpack("<Q", self._at(place + 34 + length, 8))[0]
            local, entry = headers(name, size, crc, place)
            need(
                self._at(place, 30 + length + extra) == local,
                f"the ZIP's header of {name!r} is not as it was written",
            )
            text = name.decode("ascii")
            parts = text.split("/")
            base = base or parts[0]
            plain = all(part not in ("", ".", "..") for part in parts) and "\\" not in text
            need(plain and len(parts) > 1 and parts[0] == base, f"{text!r} lies outside the bag")
            inside = "/".join(parts[1:])
            need(inside not in self.sizes, f"{inside!r} is in the ZIP twice")
            self.sizes[inside], self.places[inside] = size, place + len(local)
            found = 0
            for data in self.chunks(inside):
                found = zlib.crc32(data, found)
            need(found == crc, f"the ZIP's checksum of {inside!r} is wrong")
            directory += entry
            place += len(local) + size
        tail = directory + ending(len(self.sizes), len(directory), place)
        need(self._at(place, len(tail) + 1) == tail, "the ZIP's directory is not as it was written")
        need("bagit.txt" in self.sizes, "this is no bag: there is no bagit.txt")

    def _at(self, offset: int, length: int) -> bytes:
        self.stream.seek(offset)
        return self.stream.read(length)

    def chunks(self, name: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        size = self.sizes[name] - offset if length is None else length
        yield from _read(self.stream, self.places[name] + offset, size)


def _read(stream: BinaryIO, offset: int, length: int) -> Iterator[bytes]:
    while length > 0:
        stream.seek(offset)
        data = stream.read(min(CHUNK, length))
        need(data, "a file ends too early")
        yield data
        offset, length = offset + len(data), length - len(data)


def headers(name: bytes, size: int, crc: int, place: int) -> tuple[bytes, bytes]:
    """The two headers of a file in a ZIP, as hotfolder writes them."""
    big, far = size >= FULL, place >= FULL
    extra = struct.pack("<HHQQ", 1, 16, size, size) if big else b""
    short = min(size, FULL)
    version = 45 if big else 20
    common = struct.pack("<4H3IH", 0, 0, 0, 33, crc, short, short, len(name))
    local = b"PK\3\4" + struct.pack("<H", version) + common + struct.pack("<H", len(extra))
    values = ([size, size] if big else []) + ([place] if far else [])
    more = struct.pack(f"<HH{len(values)}Q", 1, 8 * len(values), *values) if values else b""
    version = 45 if values else 20
    entry = b"PK\1\2" + struct.pack("<HH", 3 << 8 | version, version) + common
    entry += struct.pack("<4H2I", len(more), 0, 0, 0, 0o100644 << 16, min(place, FULL))
    return local + name + extra, entry + name + more


def ending(count: int, size: int, place: int) -> bytes:
    """What ends a ZIP."""
    large = b""
    if count >= 0xFFFF or size >= FULL or place >= FULL:
        values = (44, 3 << 8 | 45, 45, 0, 0, count, count, size, place)
        large = b"PK\6\6" + struct.pack("<Q2H2I4Q", *values)
        large += b"PK\6\7" + struct.pack("<IQI", 0, place + size, 1)
    short = (0, 0, min(count, 0xFFFF), min(count, 0xFFFF), min(size, FULL), min(place, FULL), 0)
    return large + b"PK\5\6" + struct.pack("<4H2IH", *short)


# -- arithmetic ------------------------------------------------------------------------
def dump(value: object) -> str:
    """JSON in the one way that hotfolder writes it."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    need(len({key for key, _ in pairs}) == len(pairs), "a name stands twice in a JSON object")
    return dict(pairs)


def digest_of(*parts: str) -> str:
    """SHA-256 over texts, each with its length before it."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\0" + entry).digest()


def root_of(leaf: bytes, index: int, size: int, path: list[str]) -> str:
    """The root that an inclusion proof leads to: RFC 9162, section 2.1.3.2."""
    need(0 <= index < size, "a proof is for a place outside its tree")
    first, last, found = index, size - 1, leaf
    for step in path:
        other = bytes.fromhex(step)
        need(last > 0 and len(other) == 32, "a proof has steps that lead nowhere")
        if first & 1 or first == last:
            found = hashlib.sha256(b"\1" + other + found).digest()
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\1" + found + other).digest()
        first, last = first >> 1, last >> 1
    need(last == 0, "a proof ends before the root")
    return found.hex()


# Ed25519: RFC 8032, sections 5.1 and 6. Points are (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(one: tuple[int, ...], two: tuple[int, ...]) -> tuple[int, ...]:
    a = (one[1] - one[0]) * (two[1] - two[0]) % P
    b = (one[1] + one[0]) * (two[1] + two[0]) % P
    c = 2 * one[3] * two[3] * D % P
    d = 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number: int, point: tuple[int, ...]) -> tuple[int, ...]:
    found: tuple[int, ...] = (0, 1, 1, 0)
    while number:
        if number & 1:
            found = add(found, point)
        point, number = add(point, point), number >> 1
    return found


def decode(data: bytes) -> tuple[int, ...]:
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    need(y < P, "a point of the signature is out of range")
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    need((x * x - square) % P == 0 and (x or not sign), "a point of the signature is on no curve")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature of the message is one by the key."""
    if len(key) != 32 or len(signature) != 64:
        return False
    number = int.from_bytes(signature[32:], "little")
    text = hashlib.sha512(signature[:32] + key + message).digest()
    left = times(number, BASE)
    right = add(decode(signature[:32]), times(int.from_bytes(text, "little") % L, decode(key)))
    same = not (left[0] * right[2] - right[0] * left[2]) % P
    return number < L and same and not (left[1] * right[2] - right[1] * left[2]) % P


# -- what is checked -------------------------------------------------------------------
class Bag:
    """A bag that is checked, a sentence for each thing that holds."""

    def __init__(self, files: Any, key: str | None) -> None:
        self.files, self.wanted_key = files, key
        self.digests: dict[str, tuple[str, str]] = {}
        self.gaps: set[str] = set()
        self.keys: set[str] = set()

    def bytes_of(self, name: str) -> bytes:
        need(name in self.files.sizes, f"{name} is missing")
        return b"".join(self.files.chunks(name))

    def json_of(self, name: str) -> Any:
        return json.loads(self.bytes_of(name).decode(), object_pairs_hook=once)

    def sha256(self, name: str) -> str:
        need(name in self.digests, f"{name} is missing")
        return self.digests[name][0]

    def check_files(self) -> str:
        for name in sorted(self.files.sizes):
            hashes = hashlib.sha256(), hashlib.sha512()
            for data in self.files.chunks(name):
                for item in hashes:
                    item.update(data)
            self.digests[name] = hashes[0].hexdigest(), hashes[1].hexdigest()
        wrong = []
        for kind in ("manifest", "tagmanifest"):
            for place, algorithm in enumerate(("sha256", "sha512")):
                listed = self._listed(f"{kind}-{algorithm}.txt")
                mine = {
                    name: digests[place]
                    for name, digests in self.digests.items()
                    if name.startswith("data/") == (kind == "manifest")
                    and not name.startswith("tagmanifest-")
                }
                wrong += [f"{name} is missing" for name in listed if name not in mine]
                wrong += [f"{name} was added" for name in mine if name not in listed]
                wrong += [
                    f"{name} is not what {kind}-{algorithm}.txt says"
                    for name, digest in mine.items()
                    if listed.get(name, digest) != digest
                ]
        need(not wrong, "; ".join(sorted(set(wrong))))
        first = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
        need(self.bytes_of("bagit.txt") == first, "bagit.txt is of another kind")
        payload = [size for name, size in self.files.sizes.items() if name.startswith("data/")]
        oxum = f"\nPayload-Oxum: {sum(payload)}.{len(payload)}\n".encode()
        need(oxum in self.bytes_of("bag-info.txt"), "bag-info.txt counts other files")
        return (
            f"All {len(self.digests)} files have the SHA-256 and SHA-512 that the manifests name;"
            " none is missing, none was added."
        )

    def _listed(self, name: str) -> dict[str, str]:
        listed: dict[str, str] = {}
        lines = self.bytes_of(name).decode("ascii").split("\n")
        need(lines.pop() == "", f"{name} does not end with a line")
        for line in lines:
            digest, _, path = line.partition("  ")
            need(path not in listed, f"{name} names a file twice")
            listed[path] = digest
        need(list(listed) == sorted(listed), f"{name} is not in order")
        return listed

    def check_document(self) -> str:
        claim = self.claim = self.json_of("data/evidence.json")
        need(claim["format"] == "hotfolder-evidence/1", "evidence.json is of another kind")
        need(claim["form"] in ("document", "spool", "proof"), "evidence.json names no known form")
        line = self.bytes_of("data/metadata/document.json")
        document = self.document = json.loads(line.decode(), object_pairs_hook=once)
        need((dump(document) + "\n").encode() == line, "document.json is not canonical")
        place, spool = document["range"], claim["spool"]
        known = digest_of(document["source"], document["business_key"], place["sha256"])
        need(
            "hf-" + known == document["identity"] == claim["identity"],
            "the document's identity does not follow from its source, key and SHA-256",
        )
        if place.get("by_pages"):
            self.gaps.add("pages")
            pages = str(place["first_page"]), str(place["pages"])
            need(
                digest_of("pages", spool["sha256"], *pages) == place["sha256"],
                "the digest of the pages does not follow from the spool and their numbers",
            )
            return f"The identity {document['identity']} follows from the spool and the pages."
        exact = claim["document"]["file"]
        need(
            self.sha256(exact) == place["sha256"] and self.files.sizes[exact] == place["length"],
            "the document's bytes are not those that its metadata name",
        )
        return (
            f"The document has the SHA-256 {place['sha256']}, as its metadata say, and its"
            f" identity {document['identity']} follows from that."
        )

    def check_store(self) -> str:
        claim, place = self.claim, self.document["range"]
        spool = claim["spool"]
        inventory = self.json_of("data/store/inventory.json")
        known = {path: digest for digest, paths in inventory["manifest"].items() for path in paths}
        known = {path[len("v1/content/") :]: digest for path, digest in known.items()}
        need(inventory["id"] == "urn:hotfolder:spool:" + spool["id"], "the inventory is another's")
        metadata = self.json_of("data/store/metadata.json")
        contents = [
            path
            for path in known
            if path not in ("metadata.json", "documents.jsonl") and not path.startswith("sidecars/")
        ]
        need(
            self.sha256("data/store/metadata.json") == known["metadata.json"]
            and metadata["spool_id"] == spool["id"]
            and [known[path] for path in contents] == [metadata["sha256"]] == [spool["sha256"]]
            and metadata["size"] == spool["size"],
            "inventory and metadata of the spool do not agree",
        )
        for item in claim["sidecars"]:
            need(
                self.sha256(item["file"]) == known[item["path"]] and "sidecars/" in item["path"],
                f"{item['file']} is not the sidecar of which the inventory speaks",
            )
        if claim["form"] != "proof":
            whole = spool["file"]
            need(self.sha256(whole) == spool["sha256"], "the spool is not the one that was stored")
            need(self.files.sizes[whole] == spool["size"], "the spool has another size")
            if not place.get("by_pages"):
                digest = hashlib.sha256()
                need(min(place["offset"], place["length"]) >= 0, "the range is none")
                end = place["offset"] + place["length"]
                need(end <= spool["size"], "the range ends after the spool")
                for data in self.files.chunks(whole, place["offset"], place["length"]):
                    digest.update(data)
                need(digest.hexdigest() == place["sha256"], "the range of the spool is another")
        found = self.listed = self._listed_in(metadata, known)
        inside = "The document is that range of the spool, which is here. " if found else ""
        where = "spool's metadata" if found else "spool's inventory"
        return f"{inside}The {where}, sidecars and inventory agree (spool {spool['id']})."

    def _listed_in(self, metadata: dict[str, Any], known: dict[str, str]) -> bool:
        """Whether what the inventory covers names the document, if it is here."""
        line = self.bytes_of("data/metadata/document.json")
        if metadata["format"] == "hotfolder-spool/1":
            lines = [(dump(item) + "\n").encode() for item in metadata["documents"]]
            need(lines.count(line) == 1, "the spool's metadata do not name the document")
            return True
        if self.claim["form"] == "proof":
            return False
        name = "data/store/documents.jsonl"
        need(self.sha256(name) == known["documents.jsonl"], "documents.jsonl is another")
        count, rest = 0, b""
        for data in self.files.chunks(name):
            *lines, rest = (rest + data).split(b"\n")
            count += lines.count(line[:-1])
        need(count == 1, "documents.jsonl does not name the document once")
        return True

    def check_audit(self) -> str:
        self.rows: list[dict[str, Any]] = self.json_of("data/custody/audit.json")["rows"]
        subjects = {self.claim["identity"], self.claim["spool"]["id"], self.claim["unit"]}
        before: dict[str, Any] | None = None
        for row in self.rows:
            fields = [row[name] for name in ("number", "at", "actor", "action", "subject")]
            row["entry"] = dump([*fields, row["details"], row["previous"]]).encode()
            need(
                hashlib.sha256(row["entry"]).hexdigest() == row["digest"],
                f"audit row {row['number']} is not what its digest says",
            )
            need(row["subject"] in subjects, f"audit row {row['number']} is about something else")
            if before is not None:
                need(before["number"] < row["number"], "audit rows are not in order")
                if before["number"] + 1 == row["number"]:
                    need(row["previous"] == before["digest"], "two audit rows are not linked")
            before = row
        if not self.rows:
            self.gaps.add("audit")
        return f"Each of the {len(self.rows)} audit rows has the digest that is in the chain."

    def check_signatures(self) -> str:
        heads = self.json_of("data/custody/heads.json")["heads"]
        keys = set()
        for signed in heads:
            head, raw = signed["head"], base64.b64decode(signed["public_key"], validate=True)
            need(head["format"] == "hotfolder-tree-head/1", "a tree head is of another kind")
            need(hashlib.sha256(raw).hexdigest() == signed["key"], "a head names another key")
            signature = base64.b64decode(signed["signature"], validate=True)
            need(is_signed(raw, dump(head).encode(), signature), "a tree head's signature is wrong")
            pem = base64.b64encode(bytes.fromhex("302a300506032b6570032100") + raw)
            text = b"-----BEGIN PUBLIC KEY-----\n" + pem + b"\n-----END PUBLIC KEY-----\n"
            need(
                self.bytes_of(f"data/custody/key-{signed['key'][:16]}.pem") == text,
                "a public key is not the one of its head",
            )
            keys.add(signed["key"])
        need(len({signed["head"]["log"] for signed in heads}) <= 1, "heads of several logs")
        self.keys = keys
        if self.wanted_key is not None:
            wanted = self.wanted_key.replace(":", "").lower()
            need(keys == {wanted}, "it was signed with another key than the one that you named")
        count = sum(self._prove(row, heads) for row in self.rows)
        if count < len(self.rows):
            self.gaps.add("signature")
        dates = sorted(signed["head"]["at"] for signed in heads)
        when = f", the first on {dates[0]}" if dates else ""
        return f"Audit rows in a tree whose head is signed{when}: {count} (heads: {len(heads)})."

    def _prove(self, row: dict[str, Any], heads: list[dict[str, Any]]) -> bool:
        for proof in row["proofs"]:
            head = heads[proof["head"]]["head"]
            root = root_of(
                leaf_hash(row["entry"]), row["number"] - 1, head["tree_size"], proof["path"]
            )
            need(root == head["root"], f"audit row {row['number']} is not in the signed tree")
        return bool(row["proofs"])

    def check_anchor(self) -> str:
        """From the audit row about storing the spool down to the document."""
        spool, words = self.claim["spool"], "The audit row about storing the spool names it"
        stored = [
            (row, json.loads(row["details"], object_pairs_hook=once))
            for row in self.rows
            if row["action"] == "spool.stored" and row["subject"] == spool["id"]
        ]
        details = stored[0][1] if stored else {}
        if not stored:
            self.gaps.add("spool-row")
            words = "No audit row is about storing the spool"
        else:
            need(details["sha256"] == spool["sha256"], "the audit row names another spool")
        if "inventory_sha256" in details:
            digest = self.sha256("data/store/inventory.json")
            need(details["inventory_sha256"] == digest, "the audit row names another inventory")
            words += " and its inventory"
        elif stored:
            self.gaps.add("inventory")
        if not self.listed:
            words += self._check_proof(details)
        return words + "."

    def _check_proof(self, details: dict[str, Any]) -> str:
        if "documents_root" not in details:
            self.gaps.add("documents-root")
            return ""
        proof = self.json_of("data/proof/document.json")
        line = self.bytes_of("data/metadata/document.json")
        root = root_of(leaf_hash(line), proof["index"], proof["size"], proof["path"])
        need(root == details["documents_root"], "the document is not in the tree of its spool")
        # A spool that has a record of its own is listed with its documents, as the last.
        more = proof["size"] - details["documents"]
        need(more in (0, 1), "the tree of the spool has another size")
        return (
            f" and, by a proof, this document as number {proof['index'] + 1} of the"
            f" {proof['size']} that were in it"
        )

    def check_records(self) -> str:
        told, place = self.claim["archivesspace"], self.document["range"]
        if not told["found"]:
            self.gaps.add("archivesspace")
            return "ArchivesSpace was not asked, or has no record: nothing to compare."
        record = self.json_of("data/archivesspace/records.json")["digital_object"]
        known = self.json_of("data/archivesspace/differences.json")["differences"]
        listed = {item["field"] for item in known}
        need(record["digital_object_id"] == self.claim["identity"], "the record is of another")
        there = [item.get("checksum") for item in record.get("file_versions", [])]
        fixity = self.claim["spool"]["sha256"] if place.get("by_pages") else place["sha256"]
        need(
            fixity in there or "checksum" in listed,
            "the record has another checksum, and the bag does not say so",
        )
        need(told["differences"] == len(known), "the differences are counted wrongly")
        return f"The record in ArchivesSpace is this document's; differences listed: {len(known)}."

    def check_readable(self) -> str:
        steps = self.json_of("data/custody/history.json")["steps"]
        text = self.bytes_of("data/custody/history.csv").decode()
        table = list(csv.reader(io.StringIO(text, newline="")))
        names = ["at", "kind", "subject", "from", "to", "reason"]
        mine = [[cell(step[name]) for name in names] for step in steps]
        need(table == [names, *mine], "history.csv and history.json differ")
        summary = html.unescape(self.bytes_of("data/summary.html").decode())
        for words in (self.claim["identity"], self.document["range"]["sha256"], *self.keys):
            need(words in summary, "the summary is about another document or key")
        said = {item["code"] for item in self.claim["gaps"]}
        need(
            said == self.gaps,
            "the bag shows less, or more, than it says: " + ", ".join(sorted(said ^ self.gaps)),
        )
        return f"History ({len(steps)} steps) and summary agree with the rest."


def cell(value: str | None) -> str:
    """A text as it stands in a table: never a formula."""
    text = value or ""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def run(path: str, key: str | None, strict: bool) -> int:
    """Check the bag at ``path``; prints what holds and what does not."""
    try:
        if os.path.isdir(path):
            return check(Bag(Folder(path), key), strict)
        with open(path, "rb") as stream:
            return check(Bag(Archive(stream), key), strict)
    except (Wrong, struct.error, *UNREADABLE) as error:
        print(f"FAILED     The bag cannot be read: {error}")
        return 1


def check(bag: Bag, strict: bool) -> int:
    """Check everything, also after something was found to be wrong."""
    problems = 0
    checks: list[tuple[str, Callable[[], str]]] = [
        ("files", bag.check_files),
        ("document", bag.check_document),
        ("store", bag.check_store),
        ("audit", bag.check_audit),
        ("signatures", bag.check_signatures),
        ("anchor", bag.check_anchor),
        ("records", bag.check_records),
        ("readable", bag.check_readable),
    ]
    for name, one in checks:
        try:
            print("ok        ", one())
        except Wrong as error:
            problems += 1
            print(f"FAILED     ({name}) {error}")
        except (RecursionError, *UNREADABLE) as error:
            problems += 1
            print(f"FAILED     ({name}) cannot be checked: {type(error).__name__}: {error}")
    if not problems:
        for item in bag.claim["gaps"]:
            print("NOT SHOWN ", item["words"])
        for fingerprint in sorted(bag.keys):
            known = (
                "the one that you named"
                if bag.wanted_key
                else "compare it with what you were given"
            )
            print(f"key        {fingerprint} ({known})")
        problems = len(bag.gaps) if strict else 0
    print("The bag holds." if not problems else "THE BAG DOES NOT HOLD.")
    return 1 if problems else 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Check an evidence bag of hotfolder.")
    parser.add_argument("bag", nargs="?", default=os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--key", help="the fingerprint (SHA-256) that the signing key must have")
    parser.add_argument("--strict", action="store_true", help="what is not shown is a failure")
    given = parser.parse_args()
    return run(given.bag, given.key, given.strict)


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(main())
