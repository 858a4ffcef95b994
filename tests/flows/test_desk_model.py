"""The model of the archivists' desk that other tests rely on keeps what the port
promises."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hotfolder.core.ports import Archive, Desk
from tests.conformance.amending_suite import AmendingSuite
from tests.conformance.desk_suite import DeskSuite
from tests.support.archivist import Archivist, ModelArchivist
from tests.support.desk_model import ModelDesk
from tests.support.server_model import ModelServer


class ModelWorld:
    def __init__(self) -> None:
        self.server = ModelServer()
        self.archivist: Archivist = ModelArchivist(self.server)

    def connect(self) -> Desk:
        return ModelDesk(self.server)

    def deliver(self) -> Archive:
        return ModelDesk(self.server)

    def now(self) -> int:
        return self.server.now

    def advance(self, seconds: int) -> None:
        self.server.now += seconds

    def meanwhile(self, action: Callable[[], None]) -> None:
        self.server.meanwhile.extend((lambda: None, action))  # before the look, before the POST


class TestModelDesk(DeskSuite, AmendingSuite):
    @pytest.fixture
    def world(self) -> ModelWorld:
        return ModelWorld()
