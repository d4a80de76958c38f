"""No stable word leaks into a refusal's sentence."""

from __future__ import annotations

from typing import get_args

import pytest

from shared_schema.errors import MessageError
from shared_schema.ids import Mode
from shared_schema.instruments import QuantityFault
from shared_schema.messages import decode_signal
from shared_schema.sessions import SessionState
from windows_side.execution.refusal_words import sentence_of, why_unusable
from windows_side.execution.risk_gate import Refusal


@pytest.mark.parametrize("fault", get_args(QuantityFault))
def test_each_fault_of_a_quantity_has_words(fault: str) -> None:
    """2250 shares are "no whole lots", not "not_a_step"."""
    told = sentence_of(Refusal("bad_quantity", {"shares": 2250, "lot": 100, "fault": fault}))
    assert told.startswith("数量 2250 股不符合交易单位（每手 100）：") and fault not in told


@pytest.mark.parametrize("state", [state.value for state in SessionState])
def test_each_session_has_words(state: str) -> None:
    """Outside the session: which part of the day it is stands there in words."""
    told = sentence_of(Refusal("outside_session", {"state": state}))
    assert told.startswith("当前不在连续竞价时段（") and state not in told


def test_modes_have_words() -> None:
    """A signal of the other mode: both modes in words."""
    live, simulate = get_args(Mode)
    told = sentence_of(Refusal("other_mode", {"mode": live, "ours": simulate}))
    assert live not in told and simulate not in told


@pytest.mark.parametrize("raw", [b"{", b"[]", b'{"signal_id": 5}', '"买"'.encode("gbk")])
def test_a_file_kept_apart_is_told_in_words(raw: bytes) -> None:
    """The line on the quarantine says why, not the stable word."""
    with pytest.raises(MessageError) as unusable:
        decode_signal(raw)
    told = why_unusable(unusable.value)
    assert told.startswith(unusable.value.what) and unusable.value.error_code not in told


def test_a_conflict_copy_is_told_in_words() -> None:
    """So is a copy of the sync tool's, which no decoder saw."""
    assert "冲突副本" in why_unusable(None)
