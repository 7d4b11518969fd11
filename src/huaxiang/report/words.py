"""Figures, days and foreign text as a reader wants to see them. Everything here is pure."""

from __future__ import annotations

import math
import unicodedata
from datetime import date
from decimal import Decimal

Number = int | float | Decimal

NONE = "–"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "CNY": "¥", "JPY": "¥"}
_HIDDEN = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"}


def visible(text: str) -> str:
    """Spell out characters that cannot be seen or that reorder a line (controls, bidi marks ...) as `[U+202E]`."""
    if text.isprintable():
        return text
    return "".join(_spelled(character) for character in text)


def _spelled(character: str) -> str:
    if character in "\n\t":
        return " "
    return f"[U+{ord(character):04X}]" if unicodedata.category(character) in _HIDDEN else character


def count(value: Number | None) -> str:
    """`1,339,855`."""
    return NONE if value is None else f"{value:,.0f}"


def number(value: Number | None, decimals: int = 1) -> str:
    """`1,234.5`; a value that is no number is a dash."""
    if value is None or not math.isfinite(value):
        return NONE
    shown = f"{value:,.{decimals}f}"
    return shown.lstrip("-") if not any(digit in shown for digit in "123456789") else shown


def percent(share: Number | None, decimals: int = 1) -> str:
    """A share of 1 as `12.3 %`; a share too small for the decimals as `< 0.1 %`, never as a false zero."""
    if share is None or not math.isfinite(share):
        return NONE
    if 0 < share < Decimal("0.5") / 10 ** (decimals + 2):
        return f"< {10**-decimals:.{decimals}f} %"
    return f"{number(100 * share, decimals)} %"


def money(amount: Number | None, currency: str, decimals: int = 2) -> str:
    """`$4,150,291.26`; an unknown currency keeps its code, a home without one shows the bare figure."""
    if amount is None or not math.isfinite(amount):
        return NONE
    shown = number(-amount if amount < 0 else amount, decimals)
    sign = "−" if amount < 0 and shown.strip("0.,") else ""
    if currency in _SYMBOLS:
        return f"{sign}{_SYMBOLS[currency]}{shown}"
    return f"{sign}{shown} {currency}".rstrip()


def day(value: date | None) -> str:
    """`30 November 2017`."""
    return NONE if value is None else f"{value.day} {value:%B %Y}"


def weekday(value: date) -> str:
    """`Thursday 30 November 2017`."""
    return f"{WEEKDAYS[value.weekday()]} {day(value)}"


def seconds(value: Number | None) -> str:
    """`8.4 s` or `2 min 05 s`."""
    if value is None:
        return NONE
    if value < 60:
        return f"{value:.1f} s"
    return f"{int(value) // 60} min {int(value) % 60:02d} s"


def plural(amount: int, one: str, many: str | None = None) -> str:
    """`1 order`, `1,200 orders`."""
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"


def listed(words: list[str]) -> str:
    """`a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def plain(name: str) -> str:
    """A name as words: `order_lines` -> `order lines`, `products.category` -> `category of products`."""
    table, dot, column = name.partition(".")
    return (f"{column} of {table}" if dot else name).replace("_", " ")
