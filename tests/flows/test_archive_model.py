"""The model of the server that other tests rely on keeps what the port promises."""

from __future__ import annotations

import pytest

from tests.conformance.archive_suite import ArchiveSuite, Connect
from tests.support.archive_model import ModelArchive
from tests.support.server_model import ModelServer


class TestModelByImports(ArchiveSuite):
    @pytest.fixture
    def connect(self) -> Connect:
        server = ModelServer()
        return lambda: ModelArchive(server)


class TestModelBySinglePosts(ArchiveSuite):
    @pytest.fixture
    def connect(self) -> Connect:
        server = ModelServer()
        return lambda: ModelArchive(server, least_privilege=True)
