"""Which reader reads an export."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from hotfolder.core.errors import OperatorFault
from hotfolder.core.legacy import LegacySource, MigrationProfile, Seen, SourceKind
from hotfolder.files.legacytree import LegacyTree
from hotfolder.files.scratch import Scratch
from hotfolder.legacy.cmod import CmodSource
from hotfolder.legacy.folder import FolderSource
from hotfolder.legacy.manifest import ManifestSource
from hotfolder.legacy.sip import SipSource


@contextmanager
def open_source(
    profile: MigrationProfile, scratch_path: bytes, seen: Seen
) -> Iterator[LegacySource]:
    """The export of a migration, open for reading until the block ends. ``scratch_path`` is
    where a folder is made for what is needed for a moment; nobody else uses it. Raises
    ``OperatorFault`` if there is no export."""
    path = os.fsencode(profile.path)
    is_file = os.path.isfile(path)
    if not os.path.exists(path) or (profile.kind is SourceKind.CSV) != is_file:
        wanted = "a file" if profile.kind is SourceKind.CSV else "a folder"
        raise OperatorFault(
            f"there is no export at {profile.path}: {wanted} is wanted",
            hint=f"mount it, or correct path in [migrations.{profile.name}]",
            code="migration.path",
        )
    tree = LegacyTree(os.path.dirname(path) if is_file else path)
    try:
        with Scratch(scratch_path) as scratch:
            match profile.kind:
                case SourceKind.FOLDER:
                    yield FolderSource(profile, tree, scratch)
                case SourceKind.CMOD:
                    yield CmodSource(profile, tree, scratch)
                case SourceKind.CSV:
                    yield ManifestSource(profile, tree, os.path.basename(path), scratch, seen)
                case SourceKind.SIP:
                    yield SipSource(profile, tree, scratch)
    finally:
        tree.close()
