"""A first user's mistakes are told in sentences of ours, not in a library's English."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from mac_side.mac_dashboard import main as dashboard
from shared_schema.bars_file import Bar, one_day
from shared_schema.errors import DataError, MessageError, SettingsError
from shared_schema.messages import decode_signal
from shared_schema.settings import load_settings
from shared_schema.words import use_language
from windows_side.bridge_producer import main as producer
from windows_side.order_executor import main as executor

SIGNAL = {
    "signal_id": "s-1",
    "code": "159201.SZ",
    "direction": "BUY",
    "price": 1.2,
    "shares": 2200,
    "timestamp": 1_790_000_000.0,
}


@pytest.fixture(autouse=True)
def speaks_chinese() -> Iterator[None]:
    """Chinese again after a test that chose English."""
    use_language("zh")
    yield
    use_language("zh")


@pytest.mark.parametrize("program", [executor, dashboard, producer])
def test_a_wrong_option_is_told_in_chinese(program, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    """No English usage: one sentence that names the option; exit code 2."""
    assert program(["--bad"]) == 2
    told = capsys.readouterr().err
    assert "没有 --bad 这个选项" in told and "usage" not in told


def test_an_option_without_its_value_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """It names the option that lacks a value."""
    assert executor(["--account"]) == 2
    assert "--account 后面要写一个值" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "chinese", "english"),
    [
        ({"shares": -2200}, "收到 -2200：应大于 0", "got -2200: it must be greater than 0"),
        ({"layer_index": -1}, "收到 -1：不能小于 0", "it must be 0 or more"),
        ({"shares": "2200"}, "应为整数", "a whole number"),
        ({"price": "1.2"}, "应为数字", "a number"),
        ({"reason": 5}, "应为文字", "a text"),
        ({"direction": "HOLD"}, "只能是 'BUY' 或 'SELL'", "it must be 'BUY' or 'SELL'"),
        ({"release_client_order_ids": 5}, "应为列表", "a list"),
    ],
)
def test_a_wrong_value_is_told_in_both_languages(
    changes: dict[str, object], chinese: str, english: str
) -> None:
    """What the value must be is said in the language in force; the value stands beside it."""
    raw = orjson.dumps(SIGNAL | changes)
    with pytest.raises(MessageError) as refused:
        decode_signal(raw)
    assert chinese in str(refused.value) and "should be" not in str(refused.value)
    use_language("en")
    with pytest.raises(MessageError) as refused:
        decode_signal(raw)
    assert english in str(refused.value)


def test_a_missing_field_is_named() -> None:
    """A field that is not there is named."""
    with pytest.raises(MessageError, match="缺少字段 shares"):
        decode_signal(orjson.dumps({name: value for name, value in SIGNAL.items() if name != "shares"}))


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ('{"reason": "买"}'.encode("gbk"), "不是 UTF-8 编码（可能是 GBK）"),
        (b"", "文件是空的"),
        (b'{"signal_id": "s-1"', "第 1 行第 20 列：内容没有写完"),
        (b'{"shares": ,}', "第 1 行第 12 列写法不对"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "嵌套超过 64 层"),
    ],
)
def test_a_file_that_is_no_json_is_told_in_chinese(raw: bytes, told: str) -> None:
    """Encoding, emptiness, the place of the mistake: without the parser's English."""
    with pytest.raises(MessageError) as refused:
        decode_signal(raw)
    assert told in str(refused.value) and "valid UTF-8" not in str(refused.value)


@pytest.mark.parametrize("day", ["2026-02-30", "yesterday", "20260105", "2026-01-05T10:00"])
def test_a_day_that_is_none_is_our_error(day: str) -> None:
    """No ValueError passes to the caller."""
    with pytest.raises(DataError, match="这不是一个日期"):
        one_day([Bar(1_790_000_000.0, 1, 1, 1, 1)], day)


@pytest.mark.parametrize(
    ("line", "marks"),
    [
        ("shared_dir = “/mnt/qmt”", "“ ”"),
        ("mode ＝ 'simulate'", "＝"),
        ('strategy.symbols = ["159201.SZ"，"512890.SH"]', "，"),
    ],
)
def test_chinese_marks_of_a_settings_file_are_named(tmp_path: Path, line: str, marks: str) -> None:
    """The full-width marks of the wrong line are shown, with its number."""
    path = tmp_path / "miniqmt.toml"
    path.write_text(f"# “注释”\n{line}\n", encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        load_settings(environment={}, working_folder=tmp_path, config_file=path)
    assert f"里面有全角标点 {marks}，" in str(refused.value)
    assert f"{path}:2" in str(refused.value)


def test_chinese_marks_within_quotes_are_not_blamed(tmp_path: Path) -> None:
    """A line wrong for another reason is not put down to the marks of its texts or comments."""
    path = tmp_path / "miniqmt.toml"
    path.write_text('mode == "“实盘”，"  # ＝\n', encoding="utf-8")
    with pytest.raises(SettingsError, match="它不是 TOML"):
        load_settings(environment={}, working_folder=tmp_path, config_file=path)


def test_a_file_as_runtime_dir_is_one_sentence(tmp_path: Path) -> None:
    """RUNTIME_DIR naming a file is refused with the settings, without an errno."""
    (tmp_path / "taken").write_bytes(b"")
    environment = {"RUNTIME_DIR": str(tmp_path / "taken")}
    with pytest.raises(SettingsError) as refused:
        load_settings(environment=environment, working_folder=tmp_path)
    assert "RUNTIME_DIR 不是文件夹" in str(refused.value) and "Errno" not in str(refused.value)
