"""Every fault for every request that writes; reads meet a few. The whole is
``python -m tests.sweeps.network``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tests.sweeps.network import FAULTS, deliver_through, learn_requests


@cache
def writes(*, least_privilege: bool) -> tuple[int, ...]:
    requests = learn_requests(least_privilege=least_privilege)
    return tuple(
        number
        for number, request in enumerate(requests, 1)
        if request.startswith("POST /repositories")
    )


@pytest.mark.sweep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("least_privilege", [False, True], ids=["import", "single"])
def test_each_write_meets_the_fault(name: str, least_privilege: bool, tmp_path: Path) -> None:
    numbers = writes(least_privilege=least_privilege)
    assert numbers
    # The last three: the unit itself, or its documents, archival object and event.
    for number in numbers[-3:]:
        place = tmp_path / str(number)
        place.mkdir()
        assert deliver_through(place, name, number, least_privilege=least_privilege)


@pytest.mark.sweep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["refused", "session expired", "500 before", "reset before"])
def test_the_first_requests_meet_the_fault(name: str, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        place = tmp_path / str(number)
        place.mkdir()
        assert deliver_through(place, name, number, least_privilege=False)
