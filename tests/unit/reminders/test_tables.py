"""Tables for 80 columns: aligned, wrapped between words, and never an id cut."""

from reminders.tables import Column, paragraph, table

COLUMNS = (Column(title="what"), Column(title="amount", right=True), Column(title="for"))


def test_it_aligns_and_wraps_the_last_column_within_80() -> None:
    rows = [("call", "$0.10", "word " * 30), ("text", "$10.00", "x")]
    lines = table(columns=COLUMNS, rows=rows).splitlines()
    assert max(len(line) for line in lines) <= 80
    assert lines[:2] == ["what  amount  for", "----  ------  " + "-" * 66]
    assert lines[2].startswith("call   $0.10  word word")
    assert lines[3].startswith("              word")
    assert lines[-1] == "text  $10.00  x"


def test_it_never_cuts_an_id() -> None:
    sid = "CA" + "0" * 98
    assert sid in table(columns=COLUMNS, rows=[("call", "1", sid)])
    assert sid in paragraph(f"see {sid} there")


def test_it_leaves_no_space_at_the_end_of_a_line() -> None:
    told = table(columns=COLUMNS, rows=[("a", "1", "")])
    assert all(line == line.rstrip() for line in told.splitlines())


def test_a_table_of_one_column_is_one() -> None:
    assert table(columns=[Column(title="id")], rows=[("x",)]) == "id\n--\nx"
