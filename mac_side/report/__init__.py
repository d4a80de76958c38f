"""The report of a run: its numbers as tables, its pictures, and one page of HTML that opens offline."""
