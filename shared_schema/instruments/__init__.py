"""What may be traded and how: code, board, lot, tick size, price limits, quantities.

Sources: the exchanges' trading rules (SSE, SZSE 2023 and the 2026 revision, in force
since 2026-07-06; BSE), sections named at each table. What the terminal says of an
instrument always wins over these tables: see ``Override``.
"""

from shared_schema.instruments.codes import (
    Board,
    InstrumentError,
    board_of,
    code_from_file_name,
    exchange_of,
    guess_code,
    parse_code,
)
from shared_schema.instruments.prices import (
    from_ticks,
    is_on_tick,
    is_within_cage,
    is_within_limits,
    price_cage,
    price_limits,
    to_ticks,
)
from shared_schema.instruments.quantities import QuantityFault, is_valid_quantity, quantity_fault
from shared_schema.instruments.rules import Instrument, Override, instrument, with_override

__all__ = [
    "Board",
    "Instrument",
    "InstrumentError",
    "Override",
    "QuantityFault",
    "board_of",
    "code_from_file_name",
    "exchange_of",
    "from_ticks",
    "guess_code",
    "instrument",
    "is_on_tick",
    "is_valid_quantity",
    "is_within_cage",
    "is_within_limits",
    "parse_code",
    "price_cage",
    "price_limits",
    "quantity_fault",
    "to_ticks",
    "with_override",
]
