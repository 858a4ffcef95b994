"""Who may do what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.core.duties import Duty, RolesProfile

ROLES = RolesProfile(
    general={Duty.HOLD: ("anna", "@legal"), Duty.APPROVE: ("anna",)},
    units={"CLAIMS": {Duty.HOLD: ("ben",)}},
)


@pytest.mark.parametrize(
    ("duty", "unit", "actor", "groups", "allowed"),
    [
        (Duty.HOLD, "RETAIL", "anna", (), True),
        (Duty.HOLD, "RETAIL", "ben", (), False),
        (Duty.HOLD, "RETAIL", "eve", ("legal",), True),
        (Duty.HOLD, "RETAIL", "legal", (), False),
        (Duty.HOLD, "RETAIL", "eve", ("anna",), False),
        (Duty.HOLD, "CLAIMS", "ben", (), True),
        (Duty.HOLD, "CLAIMS", "anna", ("legal",), False),
        (Duty.APPROVE, "CLAIMS", "anna", (), True),
        (Duty.APPROVE, "CLAIMS", "ben", (), False),
        (Duty.RELEASE, "CLAIMS", "eve", (), True),
        # In every unit: nobody is in both lists.
        (Duty.HOLD, None, "anna", ("legal",), False),
        (Duty.HOLD, None, "ben", (), False),
        (Duty.APPROVE, None, "anna", (), True),
        (Duty.RELEASE, None, "eve", (), True),
    ],
)
def test_lists(
    duty: Duty, unit: str | None, actor: str, groups: tuple[str, ...], allowed: bool
) -> None:
    assert ROLES.allows(duty, unit, actor, groups) is allowed


@given(st.sampled_from(Duty), st.sampled_from((None, "RETAIL")), st.text(max_size=5))
def test_without_lists_everybody_may(duty: Duty, unit: str | None, actor: str) -> None:
    assert RolesProfile().allows(duty, unit, actor, ())
