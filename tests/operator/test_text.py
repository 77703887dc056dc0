"""Lines for a terminal and for spreadsheets, whatever is in the rows."""

from bot.operator.text import as_csv, cut, dollars, lasting, printable, table, width_of


def test_nothing_moves_the_cursor() -> None:
    """No control character, direction mark or half of a pair comes through, and a text stays one line."""
    assert printable("a\x1b[31mb\nc\u202ed\ud800") == "a\ufffd[31mb c\ufffdd\ufffd"


def test_table_fits() -> None:
    """Columns are as wide as what is in them, letters of double width included; the last is cut to the terminal."""
    rows: list[dict[str, str | None]] = [
        {"a": "x", "b": "\u6ce8\u6587", "c": "word " * 20},
        {"a": "long one", "b": "y", "c": None},
    ]
    lines = table(rows, {"a": "first", "b": "second", "c": "third"}, 40)
    assert lines[0] == "first     second  third"
    assert lines[1].startswith("x         \u6ce8\u6587    word word")
    assert lines[1].endswith("\u2026")
    assert all(width_of(line) <= 40 for line in lines)
    assert lines[2] == "long one  y"


def test_cut() -> None:
    """A text that fits stays, and of one that does not the end is marked as missing."""
    assert cut("abc", 3) == "abc"
    assert cut("abcd", 3) == "ab\u2026"


def test_formulas() -> None:
    """What a spreadsheet would run is text in a CSV file; numbers stay numbers."""
    written = as_csv([{"a": "=1+1", "b": "-2+3", "c": -2, "d": " @x", "e": "fine, really"}])
    assert written == "a,b,c,d,e\n'=1+1,'-2+3,-2,' @x,\"fine, really\""


def test_durations_and_sums() -> None:
    """A duration is told in its two largest units, and a cost is never shown as nothing."""
    told = [lasting(s) for s in (0.004, 2.04, 61, 3600 * 25 + 5, None)]
    assert told == ["4 ms", "2.0 s", "1 min 1 s", "1 d 1 h", ""]
    assert [dollars(a) for a in (None, 0.00001, 0.0123, 12.5)] == ["", "under $0.0001", "$0.0123", "$12.50"]
