"""One HTML page with everything in it: pictures inside, no script, no link to anywhere."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

from mac_side.report.tables import Kind, Shown, Table
from shared_schema.words import pair

_STYLE = """
body{font:15px/1.55 -apple-system,"Segoe UI","PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;
color:#1c2833;background:#f4f6f7;margin:0}
main{max-width:1120px;margin:0 auto;padding:24px 20px 60px}
h1{font-size:24px;margin:8px 0 2px}h2{font-size:18px;margin:34px 0 8px;border-bottom:1px solid #d5d8dc}
small,.en{color:#7b8a97;font-weight:normal;font-size:.82em}
.tiles{display:flex;flex-wrap:wrap;gap:10px;margin:16px 0}
.tile{background:#fff;border:1px solid #e5e8e8;border-radius:8px;padding:8px 12px;flex:1 1 118px}
.tile .en{display:block}p{margin:4px 0}
.tile b{display:block;font-size:19px;font-variant-numeric:tabular-nums;white-space:nowrap}
.good b{color:#b03a2e}.bad b{color:#1e8449}
.warn{background:#fef5e7;border-left:4px solid #d68910;padding:8px 14px;margin:6px 0}
img{max-width:100%;background:#fff;border:1px solid #e5e8e8;border-radius:8px}
.scroll{overflow:auto;border:1px solid #e5e8e8;border-radius:8px;background:#fff}.long{max-height:460px}
table{border-collapse:collapse;width:100%;background:#fff}
th,td{padding:4px 12px;border-bottom:1px solid #eef0f1;text-align:left;white-space:nowrap}
th{position:sticky;top:0;background:#eaeded;font-weight:600;line-height:1.25}th .en{display:block}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.w{white-space:normal;min-width:270px}
td.minus{color:#1e8449}.two{display:flex;flex-wrap:wrap;gap:16px;align-items:flex-start}.two>*{flex:1 1 400px}
footer{color:#7b8a97;margin-top:40px;font-size:13px}
@media print{.long{max-height:none;overflow:visible}}
"""


_WRAPPED = 48
"""Longer texts in a table may take several lines."""
_ROWS_IN_FULL = 20
"""Longer tables scroll in a frame of their own."""


class Tile(NamedTuple):
    """A figure to see first: key of its word, its text, and whether it is good (None: neither)."""

    key: str
    text: str
    good: bool | None = None


class Part(NamedTuple):
    """One part of the page: key of its title, sentences below it, pictures, tables, pictures beside these."""

    key: str
    pictures: Sequence[bytes] = ()
    tables: Sequence[Table] = ()
    sentences: Sequence[str] = ()
    beside: Sequence[bytes] = ()


def page(
    title: str, subtitle: str, tiles: Sequence[Tile], warnings: Sequence[str], parts: Sequence[Part]
) -> str:
    """The whole page."""
    body = [f"<h1>{escape(title)}</h1><div class=en>{escape(subtitle)}</div>", '<div class="tiles">']
    for tile in tiles:
        mood = "" if tile.good is None else " good" if tile.good else " bad"
        body.append(f'<div class="tile{mood}">{_word(tile.key)}<b>{escape(tile.text)}</b></div>')
    body.append("</div>")
    body += [f'<div class="warn">{escape(text)}</div>' for text in warnings]
    for part in parts:
        body.append(f"<h2>{_word(part.key)}</h2>")
        body += [f"<p>{escape(text)}</p>" for text in part.sentences]
        body += [_image(picture) for picture in part.pictures]
        beside = [_table(table) for table in part.tables] + [_image(picture) for picture in part.beside]
        body.append(f'<div class="two">{"".join(beside)}</div>' if len(beside) > 1 else "".join(beside))
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>"
        + "\n".join(body)
        + "</main></body></html>\n"
    )


def _word(key: str) -> str:
    chinese, english = pair(f"report.{key}")
    return f"{escape(chinese)} <span class=en>{escape(english)}</span>"


def _image(picture: bytes) -> str:
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(picture).decode()}">'


def _table(table: Table) -> str:
    head = "".join(
        f"<th{'' if kind == 'text' else ' class=n'}>{_word(key)}</th>" for key, kind in table.columns
    )
    rows = [
        "<tr>"
        + "".join(_cell(value, kind) for value, (_, kind) in zip(row, table.columns, strict=True))
        + "</tr>"
        for row in table.rows
    ]
    long = " long" if len(rows) > _ROWS_IN_FULL else ""
    return f'<div class="scroll{long}"><table><tr>{head}</tr>{"".join(rows)}</table></div>'


def _cell(value: Any, kind: Kind) -> str:
    if isinstance(value, Shown):
        value, kind = value
        return f'<td class="n{_minus(value)}">{written(value, kind)}</td>'
    if kind == "text":
        wide = " class=w" if len(str(value)) > _WRAPPED else ""
        return f"<td{wide}>{_word(value) if _is_word(value) else escape(str(value))}</td>"
    return f'<td class="n{_minus(value)}">{written(value, kind)}</td>'


def _minus(value: Any) -> str:
    return " minus" if isinstance(value, float) and value < 0 else ""


def _is_word(value: Any) -> bool:
    if not isinstance(value, str) or not value:
        return False
    try:
        pair(f"report.{value}")
    except (KeyError, ValueError):
        return False
    return True


def written(value: Any, kind: Kind) -> str:
    """A number as people read it: yuan with two places, fractions as percentages, counts in thousands."""
    if kind == "yuan":
        return f"{value:,.2f}"
    if kind == "percent":
        return f"{value:.2%}"
    return f"{value:,.0f}" if kind == "count" else escape(str(value))
