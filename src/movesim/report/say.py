"""How numbers are written: one place, so that a number looks the same in the page, the workbook and the terminal."""

from __future__ import annotations

from collections.abc import Sequence

MINUS = "\u2212"
POUND = "\u00a3"


def rounded(value: float, digits: int = 1) -> float:
    """Return the number as it will be printed, so that later sums use what the reader sees; never minus zero."""
    return round(float(value), digits) + 0.0


def plain(value: float, digits: int = 1) -> str:
    """Return a number with a true minus sign and thousands commas: 1,234.5 or −0.3."""
    return f"{rounded(value, digits):,.{digits}f}".replace("-", MINUS)


def signed(value: float, digits: int = 1) -> str:
    """Return a change with its sign, +0.8 or −4.2; no sign when it rounds to zero."""
    number = rounded(value, digits)
    return f"{number:+,.{digits}f}".replace("-", MINUS) if number else f"{0:.{digits}f}"


def span(low: float, high: float, digits: int = 1, sign: bool = True) -> str:
    """Return a range in words: −5.0 to −3.2."""
    write = signed if sign else plain
    return f"{write(low, digits)} to {write(high, digits)}"


def per_cent(value: float, digits: int = 1) -> str:
    """Return a share given in per cent, 26.1%; the two ends are never rounded up to certainty."""
    number = rounded(value, digits)
    if number >= 100 > value:
        return f"over {100 - 10**-digits:.{digits}f}%"
    return f"{plain(number, digits)}%"


def chance(probability: float, pairs: int) -> str:
    """Return a probability in words: "43 in 100", "over 99 in 100", or counted runs when there are under 100 of them.

    >>> chance(1.0, 24), chance(0.996, 200)
    ('24 of 24 runs', 'over 99 in 100')
    """
    if pairs < 100:
        return f"{round(probability * pairs)} of {pairs} runs"
    if probability > 0.99:
        return "over 99 in 100"
    if probability < 0.01:
        return "under 1 in 100"
    return f"{round(100 * probability)} in 100"


def share_of_runs(probability: float) -> str:
    """Return a short share for a narrow column: 43%, over 99%, under 1%, "0" and "all" for never and always in these runs."""
    if probability in (0, 1):
        return "all" if probability else "0"
    if probability > 0.99:
        return "over 99%"
    return "under 1%" if probability < 0.01 else f"{round(100 * probability)}%"


def round_people(value: float, like: float | None = None) -> int:
    """Return a count of residents at the precision that a simulation can carry: three figures, never finer than 10.

    like: the largest count it stands beside, so that counts which are added up are rounded alike.
    """
    size = max(abs(value), abs(like or 0))
    step = 10 if size < 10_000 else 100 if size < 100_000 else 1_000
    return int(round(value / step) * step)


def people(value: float, sign: bool = False) -> str:
    """Return a count of residents, rounded: 12,400 or +12,400."""
    return whole(round_people(value), sign)


def whole(number: int, sign: bool = False) -> str:
    """Return a whole number that is already rounded, with thousands commas and a true minus sign."""
    return (f"{number:+,d}" if sign and number else f"{number:,d}").replace("-", MINUS)


def pounds(value: float) -> str:
    """Return money as it is said: £4.07, £640, £12,300, £2.0 million."""
    sign, size = (MINUS if value < 0 else ""), abs(float(value))
    if size >= 999_500:
        return f"{sign}{POUND}{size / 1e6:,.1f} million"
    if size >= 10_000:
        return f"{sign}{POUND}{round(size, -2):,.0f}"
    if size >= 100:
        return f"{sign}{POUND}{size:,.0f}"
    return f"{sign}{POUND}{size:.2f}"


def listed(items: Sequence[str], last: str = "and") -> str:
    """Return "A, B and C"."""
    words = [str(item) for item in items]
    return "".join(words) if len(words) < 2 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def count(number: int, one: str, many: str | None = None) -> str:
    """Return "1 run", "24 runs"."""
    return f"{number:,d} {one if number == 1 else many or one + 's'}"


def ascii_minus(text: str) -> str:
    """Return the text for a terminal: ASCII minus, and no character that an old code page lacks except the pound sign."""
    for mark, plainer in ((MINUS, "-"), ("\u2013", "-"), ("\u2019", "'"), ("\u201c", '"'), ("\u201d", '"'), ("\u2026", "...")):
        text = text.replace(mark, plainer)
    return text
