"""Files in a landing folder, read as the steps read them."""

from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lifestage.ingestion.sources.casting import cast_columns
from lifestage.ingestion.sources.deliveries import Delivery, FoundFile, find_files, number_deliveries
from lifestage.ingestion.sources.layout import FileLayout
from lifestage.ingestion.sources.opening import open_deliveries
from lifestage.ingestion.sources.readers import check_headers, read_raw
from lifestage.ingestion.sources.reasons import split_reasons

ZONE = "America/New_York"


def layout(**changes: object) -> FileLayout:
    """Build the layout of a source, by default CSV with two columns."""
    return FileLayout.model_validate(
        {"path": "till/*", "format": "csv", "columns": {"name": "string", "n": "int"}, **changes}
    )


@dataclass(frozen=True)
class Landing:
    """A landing folder with the files of one source, `till`."""

    spark: SparkSession
    folder: Path

    def put(self, name: str, content: str | bytes) -> Path:
        file = self.folder / "till" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def find(self, file_layout: FileLayout) -> list[FoundFile]:
        return find_files(self.spark, "till", file_layout, str(self.folder))

    def deliveries(self, file_layout: FileLayout) -> list[Delivery]:
        found = number_deliveries(self.spark, self.find(file_layout), set(), {}, 0)
        return open_deliveries(found, {"till": file_layout})

    def rows(self, file_layout: FileLayout) -> DataFrame:
        """Return raw rows after the header check, without header lines."""
        deliveries = self.deliveries(file_layout)
        # Persist first, as the steps do.
        rows = read_raw(self.spark, file_layout, deliveries).persist()
        check_headers(rows, {"till": file_layout}, deliveries)
        return rows.where("NOT is_header")

    def values(self, file_layout: FileLayout) -> DataFrame:
        """Return the declared columns with their types."""
        return cast_columns(self.rows(file_layout), file_layout, ZONE).select(*file_layout.columns)

    def reasons(self, file_layout: FileLayout) -> DataFrame:
        """Return the reasons of each row."""
        return self.texts_and_reasons(file_layout).select("reasons")

    def texts_and_reasons(self, file_layout: FileLayout) -> DataFrame:
        """Return the quoted text that begins each line, and the reasons of its row."""
        text = F.regexp_extract("_raw", '^"(.*?)"', 1)
        rows = cast_columns(self.rows(file_layout), file_layout, ZONE)
        return rows.select(text.alias("text"), split_reasons(F.col("_faults")).alias("reasons"))
