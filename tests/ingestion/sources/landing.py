"""Files on a landing folder, read as a source would read them."""

from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lifestage.ingestion.sources.deliveries import Delivery, FoundFile, find_files, new_deliveries
from lifestage.ingestion.sources.layout import FileLayout
from lifestage.ingestion.sources.readers import check_headers, listed_reasons, read_raw, typed

ZONE = "America/New_York"


def layout(**changes: object) -> FileLayout:
    """A CSV of two columns unless said otherwise."""
    return FileLayout.model_validate(
        {"path": "till/*", "format": "csv", "columns": {"name": "string", "n": "int"}, **changes}
    )


@dataclass(frozen=True)
class Landing:
    """A folder with the files of one source named `till`."""

    spark: SparkSession
    folder: Path

    def put(self, name: str, content: str | bytes) -> Path:
        file = self.folder / "till" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def found(self, described: FileLayout) -> list[FoundFile]:
        return find_files(self.spark, "till", described, str(self.folder))

    def deliveries(self, described: FileLayout) -> list[Delivery]:
        return new_deliveries(self.spark, self.found(described), set(), {}, 0)

    def rows(self, described: FileLayout) -> DataFrame:
        """Raw rows whose headers have been checked, header lines left out."""
        deliveries = self.deliveries(described)
        # As the steps do: kept whole before anything looks at them.
        rows = read_raw(self.spark, described, deliveries).persist()
        check_headers(rows, {"till": described}, deliveries)
        return rows.where("NOT is_header")

    def values(self, described: FileLayout) -> DataFrame:
        """The declared columns with their types."""
        return typed(self.rows(described), described, ZONE).select(*described.columns)

    def reasons(self, described: FileLayout) -> DataFrame:
        """What is wrong with each row."""
        return self.judged(described).select("reasons")

    def judged(self, described: FileLayout) -> DataFrame:
        """The quoted text that begins each line, and what is wrong with the row."""
        text = F.regexp_extract("_raw", '^"(.*?)"', 1)
        rows = typed(self.rows(described), described, ZONE)
        return rows.select(text.alias("text"), listed_reasons(F.col("_faults")).alias("reasons"))
