"""Odd and hostile tables: what may lie in a file that somebody else made, by name.

`FILES` makes the bytes; the tests send each through the command line. Most are a sound table of 60 rows with one thing
changed.
"""

import gzip
import io
import json
import pickle
import random
import struct
import sys
from datetime import time

import polars as pl
import pyarrow as pa
import pyarrow.parquet

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

DRAW = random.Random(0)
ROWS = [f"{DRAW.gauss(i % 3, 1):.3f},{'uvw'[DRAW.randrange(3)]},{'abc'[i % 3]}" for i in range(60)]
ESCAPE, CLEAR, BELL, BACKWARDS = "\x1b[31m", "\x1b[2J\x1b[H", "\x1b]0;gone\x07", "\u202e"


def table(rows=None, header="x,c,y"):
    return (header + "\n" + "\n".join(ROWS if rows is None else rows) + "\n").encode()


def with_row(row, at=30):
    return table([*ROWS[:at], row, *ROWS[at + 1 :]])


def with_x(cell):
    return table([f"{cell(i)},{row.split(',', 1)[1]}" for i, row in enumerate(ROWS)])


def with_c(cell):
    parts = [row.split(",") for row in ROWS]
    return table([f"{x},{cell(i)},{y}" for i, (x, _, y) in enumerate(parts)])


def with_y(cell):
    return table([f"{row.rsplit(',', 1)[0]},{cell(i)}" for i, row in enumerate(ROWS)])


def parquet(frame):
    out = io.BytesIO()
    frame.write_parquet(out)
    return out.getvalue()


def arrow(frame):
    out = io.BytesIO()
    frame.write_ipc(out)
    return out.getvalue()


def with_zone(name):
    """A Parquet file whose column of moments has a zone of any name."""
    moments = pa.array([10**9 + i * 300_000 for i in range(60)], pa.timestamp("s", name))
    out = io.BytesIO()
    pyarrow.parquet.write_table(FRAME.to_arrow().append_column("extra", moments), out)
    return out.getvalue()


GOOD = table()
FRAME = pl.read_csv(io.BytesIO(GOOD))
TEXT = GOOD.decode()
LINES = FRAME.write_ndjson().encode()
NOISE = random.Random(1).randbytes(4000)

SOUND = {
    "as_it_is": GOOD,
    "without_a_last_newline": GOOD[:-1],
    "windows_line_ends": GOOD.replace(b"\n", b"\r\n"),
    "old_mac_line_ends": GOOD.replace(b"\n", b"\r"),
    "line_ends_doubled_by_ftp": GOOD.replace(b"\n", b"\r\r\n"),
    "blank_lines_everywhere": GOOD.replace(b"\n", b"\n\n"),
    "semicolons": GOOD.replace(b",", b";"),
    "semicolons_and_decimal_commas": GOOD.replace(b",", b";").replace(b".", b","),
    "tabs": GOOD.replace(b",", b"\t"),
    "tabs_and_decimal_commas": GOOD.replace(b",", b"\t").replace(b".", b","),
    "bars": GOOD.replace(b",", b"|"),
    "a_line_that_says_the_separator": b"sep=;\n" + GOOD.replace(b",", b";"),
    "spaces_around_cells": GOOD.replace(b",", b" , "),
    "everything_in_quotes": "\n".join(",".join(f'"{c}"' for c in line.split(",")) for line in TEXT.split()).encode(),
    "a_byte_order_mark": b"\xef\xbb\xbf" + GOOD,
    "utf_16": TEXT.encode("utf-16"),
    "utf_16_big_end_first": b"\xfe\xff" + TEXT.encode("utf-16-be"),
    "utf_16_without_a_mark": TEXT.encode("utf-16-le"),
    "utf_32": TEXT.encode("utf-32"),
    "latin_1": TEXT.replace("u", "ü").encode("latin-1"),
    "windows_1252": TEXT.replace("u", "“€”").encode("cp1252"),
    "gzip": gzip.compress(GOOD),
    "gzip_in_two_members": gzip.compress(GOOD[:100]) + gzip.compress(GOOD[100:]),
    "zstd": zstd.compress(GOOD),
    "parquet": parquet(FRAME),
    "parquet_in_gzip": gzip.compress(parquet(FRAME)),
    "arrow": arrow(FRAME),
    "json_lines": LINES,
    "json_lines_with_blank_lines": LINES.replace(b"\n", b"\n\n"),
    "json_lines_in_utf_16": LINES.decode().encode("utf-16"),
    "parquet_with_lists": parquet(FRAME.with_columns(extra=pl.lit([1, 2]))),
    "parquet_with_bytes": parquet(FRAME.with_columns(extra=pl.lit(b"\0\1"))),
    "parquet_with_durations": parquet(FRAME.with_columns(extra=pl.duration(days=3))),
    "parquet_with_a_column_of_nulls": parquet(FRAME.with_columns(extra=pl.lit(None))),
    "parquet_with_categories": parquet(FRAME.with_columns(pl.col("c").cast(pl.Categorical))),
    "parquet_with_times_of_day": parquet(
        FRAME.with_columns(extra=pl.Series([time(i % 24, i % 60) for i in range(60)]))
    ),
    "parquet_with_a_zone_by_its_offset": with_zone("+05:30"),
    "parquet_with_a_zone_that_is_none": with_zone("Mars/Olympus"),
    "parquet_with_dates_beyond_all_calendars": parquet(
        FRAME.with_columns(extra=pl.Series([*range(2**31 - 60, 2**31)], dtype=pl.Int32).cast(pl.Date))
    ),
    "parquet_with_moments_beyond_all_calendars": parquet(
        FRAME.with_columns(extra=pl.Series([*range(2**62, 2**62 + 60)], dtype=pl.Int64).cast(pl.Datetime("ms")))
    ),
    "parquet_with_moments_before_the_first_year": parquet(
        FRAME.with_columns(extra=pl.Series([*range(-(2**56), 60 - 2**56)], dtype=pl.Int64).cast(pl.Datetime("us")))
    ),
    "parquet_with_float32": parquet(FRAME.with_columns(pl.col("x").cast(pl.Float32))),
    "parquet_with_decimals": parquet(FRAME.with_columns(pl.col("x").cast(pl.Decimal(10, 3)))),
    "json_lines_with_objects": LINES.replace(b'"c":', b'"o":{"a":[1]},"c":'),
    "json_lines_that_lack_a_key": LINES.replace(b'"x":', b'"z":', 5),
    "quotes_within_quotes": TEXT.replace("u", '"say ""u"""').encode(),
    "a_quote_inside_a_cell": TEXT.replace("u", 'u"x').encode(),
    "newlines_within_quotes": TEXT.replace("u", '"u\nu"').encode(),
    "terminal_escapes_in_names": table(header=f"x{ESCAPE},c{BELL},y"),
    "terminal_escapes_in_cells": TEXT.replace("u", CLEAR).encode(),
    "terminal_escapes_in_classes": TEXT.replace(",a\n", f",{ESCAPE}a\n").encode(),
    "letters_that_turn_the_line_around": TEXT.replace("u", BACKWARDS + "evil").encode(),
    "html_in_names": table(header="<b>x</b>,<img src=x onerror=alert(1)>,y"),
    "html_in_cells": TEXT.replace("u", "<script>alert(1)</script>").encode(),
    "formulas_in_cells": TEXT.replace("u", "=HYPERLINK(0)").encode(),
    "formulas_in_classes": TEXT.replace(",a\n", ",=cmd|' /C calc'!A0\n").encode(),
    "emoji_and_accents": TEXT.replace("u", "é🐧日本").encode(),
    "names_of_python": table(header="__class__,None,y"),
    "names_of_options": table(header="--ignore,-h,y"),
    "a_name_of_many_letters": table(header="x" * 5000 + ",c,y"),
    "a_thousand_columns": table(
        [",".join(f"{DRAW.random():.2f}" for _ in range(1000)) + f",{'ab'[i % 2]}" for i in range(30)],
        ",".join(f"x{i}" for i in range(1000)) + ",y",
    ),
    "a_thousand_categories": table([f"{i % 7},cat{i % 1000:04},{'ab'[i // 7 % 2]}" for i in range(2000)]),
    "points_where_commas_are_decimal": table([f"1.{i:03};{i},5;{'ab'[i % 2]}" for i in range(40)], "x;z;y"),
    "apostrophes_between_thousands": with_x(lambda i: f"{i + 1}'234"),
    "blanks_between_thousands": with_x(lambda i: f"{i + 1}\u00a0234"),
    "dates": with_x(lambda i: f"2024-{i % 12 + 1:02}-{i % 28 + 1:02}"),
    "dates_with_the_day_first": with_x(lambda i: f"{i % 28 + 1:02}.{i % 12 + 1:02}.2024"),
    "moments_with_zones": with_x(lambda i: f"2024-03-{i % 28 + 1:02}T{i % 24:02}:15:00+02:00"),
    "booleans": with_x(lambda i: ["yes", "No", "YES"][i % 3]),
    "codes_with_leading_zeros": with_x(lambda i: f"{i % 5:05}"),
    "a_column_that_counts_the_rows": with_x(lambda i: i),
    "a_column_of_identifiers": with_c(lambda i: f"{i * 7919 % 1000:x}-{i}"),
    "free_text": with_c(lambda i: f'"the {i}th remark, and more"'),
    "a_column_that_never_changes": with_x(lambda i: 7),
    "a_column_without_a_value": with_x(lambda i: ""),
    "most_cells_missing": with_x(lambda i: i if i % 10 == 0 else "NA"),
    "missing_in_many_words": with_x(lambda i: ["NA", "", "n/a", "null", "NaN", i][i % 6]),
    "missing_categories": with_c(lambda i: ["", "u", "v"][i % 3]),
    "numbers_of_thirty_digits": with_x(lambda i: 10**29 + i),
    "numbers_too_small_to_divide_by": with_x(lambda i: f"{i}e-320"),
    "numbers_with_plus_signs": with_x(lambda i: f"+{i % 9}"),
    "numbers_from_other_scripts": with_x(lambda i: "١٢٣"[i % 3]),
    "two_rows": table(ROWS[:2]),
    "classes_of_numbers": with_y(lambda i: i % 3),
    "classes_that_look_the_same": with_y(lambda i: ["yes", "Yes", "a", "a\u200b"][i % 4]),
    "classes_of_fractions": with_y(lambda i: i % 3 / 2),
    "classes_of_booleans": with_y(lambda i: ["true", "false"][i % 2]),
    "classes_with_newlines": with_y(lambda i: ['"a\nb"', "c"][i % 2]),
    "a_class_of_one_row": with_y(lambda i: "z" if i == 59 else "ab"[i % 2]),
    "classes_missing_here_and_there": with_y(lambda i: ["", "a", "b"][i % 3]),
    "a_column_that_tells_the_class": with_c(lambda i: f"{'abc'[i % 3]}!"),
}
"""Trained on without a fault."""

REFUSED = {
    "an_empty_file": (b"", "is empty"),
    "a_mark_and_nothing": (b"\xff\xfe", "is empty"),
    "blank_lines": (b"\n \n\r\n", "is empty"),
    "a_header": (b"x,c,y\n", "has a header but no rows"),
    "a_header_without_a_newline": (b"x,c,y", "has a header but no rows"),
    "a_single_row": (table(ROWS[:1]), "in every row"),
    "a_row_too_short": (with_row("1,u"), "Row 31 of t.csv (line 32) has 2 cells, expected 3"),
    "a_row_too_long": (with_row("1,u,a,b"), "Row 31 of t.csv (line 32) has 4 cells, expected 3"),
    "a_comment_before_the_header": (b"# made by hand\n" + GOOD, "has 3 cells, expected 1"),
    "a_quote_left_open": (with_row('1,"u,a'), "Is a quote opened there and not closed?"),
    "letters_after_a_quote": (with_row('1,"u"x,a'), "Row 31 of t.csv (from line 32) can't be read"),
    "a_quote_left_open_in_the_header": (table(header='x,"c,y'), "The header of t.csv"),
    "a_nul_byte": (with_row("1,\0,a"), "holds NUL bytes in line 32"),
    "nul_bytes_alone": (bytes(1000), "holds NUL bytes in line 1"),
    "noise": (NOISE, "t.csv"),
    "noise_without_nul_bytes": (NOISE.replace(b"\0", b"\1"), "t.csv"),
    "latin_1_among_utf_8": (
        TEXT.replace("u", "ü").encode() + "1,ü,a\n".encode("latin-1"),
        "line 62, is not UTF-8 text, though other lines are",
    ),
    "half_a_letter_of_utf_16": (TEXT.encode("utf-16")[:-1], "is not UTF-16 text throughout"),
    "two_columns_of_one_name": (table(header="x,x,y"), "columns of the same name in its header: 'x'"),
    "a_column_without_a_name": (table(header="x,,y"), "columns without a name in its header: number 2"),
    "a_name_of_blanks": (table(header="x,  ,y"), "columns without a name in its header: number 2"),
    "a_cell_of_a_megabyte": (with_row(f"1,{'u' * 2**20},a"), "field larger than field limit"),
    "a_name_of_a_megabyte": (table(header="x" * 2**20 + ",c,y"), "field larger than field limit"),
    "cells_separated_by_blanks": (GOOD.replace(b",", b" "), "It was read as one column"),
    "numbers_with_units": (with_x(lambda i: f"{i * 1.7:.1f} kg"), "holds numbers with a unit, such as '0.0 kg'"),
    "prices": (with_x(lambda i: f"€{i * 1.7:.2f}"), "holds numbers with a unit, such as '€0.00'"),
    "percentages": (with_x(lambda i: f"{i * 1.7:.1f}%"), "holds numbers with a unit, such as '0.0%'"),
    "commas_between_thousands": (with_x(lambda i: f'"{i},234"'), "expected numbers with a decimal point"),
    "minus_signs_of_typesetters": (with_x(lambda i: f"\u2212{i}.5"), "holds formatted numbers, such as"),
    "losses_in_brackets": (with_x(lambda i: f"({i}.5)" if i % 2 else i), "holds formatted numbers, such as"),
    "words_among_numbers": (with_x(lambda i: "unknown" if i == 40 else i / 7), "Row 41 of t.csv (line 42): column 'x'"),
    "numbers_and_words_mixed": (with_x(lambda i: i if i % 2 else f"word {i}"), "and texts such as 'word 0'"),
    "an_infinite_number": (with_row("inf,u,a"), "Row 31 of t.csv (line 32): column 'x' is inf"),
    "minus_infinity": (with_row("-Infinity,u,a"), "column 'x' is -inf"),
    "a_number_of_308_digits": (with_row("1e308,u,a"), "column 'x' is 1e+308"),
    "a_number_beyond_all_floats": (with_row("-1e999,u,a"), "column 'x' is -inf"),
    "a_date_that_is_none": (
        with_x(lambda i: "2024-02-31" if i == 9 else f"2024-03-{i % 28 + 1:02}"),
        "Row 10 of t.csv (line 11): column 'x' is '2024-02-31', expected a date",
    ),
    "a_class_beyond_all_floats": (with_y(lambda i: ["1e400", "1", "2"][i % 3]), "'y' is inf, expected the name of a"),
    "parquet_with_an_infinite_class": (
        parquet(FRAME.with_columns(y=pl.Series([1.5, 2.5, float("inf")] * 20))),
        "Row 3 of t.csv: 'y' is inf, expected the name of a class",
    ),
    "parquet_with_classes_beyond_all_calendars": (
        parquet(FRAME.with_columns(y=pl.Series([2**31 - 1, 2**31 - 2] * 30, dtype=pl.Int32).cast(pl.Date))),
        "Column 'y' of t.csv holds dates beyond the years 1 to 9999",
    ),
    "one_class": (with_y(lambda i: "a"), "expected at least two different classes"),
    "no_class": (with_y(lambda i: ""), "no row has a value in the target column 'y'"),
    "as_many_classes_as_rows": (with_y(lambda i: f"k{i}"), "60 different values in 60 rows"),
    "measurements_for_classes": (with_y(lambda i: i * 1.1), "60 different values in 60 rows"),
    "a_class_of_two_thousand_letters": (with_y(lambda i: "a" * 2000 if i == 3 else "b"), "text of 2000 characters"),
    "no_such_target": (table(header="x,c,Y"), "has no column 'y'. Did you mean 'Y'?"),
    "the_target_alone": (b"y\n" + b"a\nb\n" * 20, "has no column to learn 'y' from"),
    "nothing_to_learn_from": (
        table([f"7,u,{'ab'[i % 2]}" for i in range(30)]),
        "x is left out: it is 7 in every row. c is left out: it is 'u' in every row.",
    ),
    "gzip_cut_off": (gzip.compress(GOOD)[:-9], "is packed by gzip and ends in the middle"),
    "gzip_of_noise": (b"\x1f\x8b" + NOISE[:50], "is packed by gzip and is damaged"),
    "gzip_of_nothing": (gzip.compress(b""), "is empty"),
    "gzip_twice": (gzip.compress(gzip.compress(GOOD)), "holds NUL bytes"),
    "gzip_of_an_endless_line": (gzip.compress(b"x,y\n" + b"0" * 100_000_000), "line 2, is longer than 64 MB"),
    "zstd_cut_off": (zstd.compress(GOOD)[:-5], "is packed by zstd and ends in the middle"),
    "zstd_of_noise": (b"\x28\xb5\x2f\xfd" + NOISE[:50], "is packed by zstd and is damaged"),
    "parquet_cut_off": (parquet(FRAME)[:-20], "is not a complete Parquet file"),
    "parquet_of_four_letters": (b"PAR1", "is not a complete Parquet file"),
    "parquet_of_noise": (b"PAR1" + NOISE + b"PAR1", "is not a complete Parquet file"),
    "parquet_whose_footer_is_huge": (
        parquet(FRAME)[:-8] + struct.pack("<I", 2**31 - 1) + b"PAR1",
        "is not a complete Parquet file",
    ),
    "parquet_without_rows": (parquet(FRAME[:0]), "has 3 columns and 0 rows"),
    "parquet_of_lists_alone": (parquet(FRAME.select(l=pl.lit([1]), y="y")), "l is left out: it holds values of type"),
    "arrow_cut_off": (arrow(FRAME)[:-30], "is not a complete Arrow file"),
    "arrow_of_noise": (b"ARROW1\0\0" + NOISE, "is not a complete Arrow file"),
    "json_lines_cut_off": (LINES[:-20], "t.csv (line 60) is not JSON"),
    "json_lines_with_a_key_twice": (b'{"x":1,"x":2,"y":"a"}\n', "t.csv (line 1) has the key 'x' twice"),
    "json_lines_with_a_key_of_nothing": (b'{"":1,"y":"a"}\n', "t.csv (line 1) has a key without a name"),
    "json_lines_with_half_a_letter": (
        LINES.replace(b'"y":"b"', b'"y":"\\ud800"'),
        "t.csv (line 2) holds half a character (a lone surrogate",
    ),
    "json_lines_of_nothing": (b"{}\n" * 9, "has no column 'y'. It has none at all."),
    "json_lines_of_lists_alone": (b'{"x":[1],"y":"a"}\n{"x":2,"y":"b"}\n', "x is left out: it holds lists or objects."),
    "a_list_of_objects": (json.dumps([{"x": 1, "y": "a"}]).encode(), "is a list, expected an object on each line"),
    "a_list_of_objects_in_lines": (json.dumps([{"x": 1, "y": "a"}], indent=1).encode(), "is not JSON"),
    "json_nested_without_end": (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", "too deep"),
    "a_zip_archive": (b"PK\x03\x04" + NOISE, "is a zip archive, or a spreadsheet. Save the sheet as CSV"),
    "an_old_spreadsheet": (b"\xd0\xcf\x11\xe0" + NOISE, "is a spreadsheet or document of an old Office"),
    "a_pickle": (pickle.dumps(ROWS), "is a pickle, which can run any code"),
    "a_database": (b"SQLite format 3\0" + NOISE, "is an SQLite database"),
    "a_picture": (b"\x89PNG\r\n\x1a\n" + NOISE, "is a picture"),
    "bzip2": (b"BZh91AY" + NOISE, "is packed by bzip2 and is damaged"),
    "xz": (b"\xfd7zXZ\0" + NOISE, "is packed by xz"),
    "a_web_page": (b"\n<!DOCTYPE html>\n<html><body>404, not found</body></html>\n", "is a web page (HTML)"),
    "feather_of_version_1": (b"FEA1" + NOISE, "is a Feather file of version 1"),
    "orc": (b"ORC" + NOISE, "is an ORC file"),
    "avro": (b"Obj\x01" + NOISE, "is an Avro file"),
    "hdf5": (b"\x89HDF\r\n" + NOISE, "is an HDF5 file"),
}
"""Refused, and words of the message."""
