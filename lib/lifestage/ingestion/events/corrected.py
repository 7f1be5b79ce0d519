"""Rejected rows whose corrected version has arrived: they wait for nothing."""

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.events.config import IngestConfig
from lifestage.ingestion.events.mapping import build_event_id
from lifestage.ingestion.events.replay import decrypt_text, parse_source
from lifestage.ingestion.sources.casting import cast_columns
from lifestage.ingestion.sources.quarantine import decrypt_raw
from lifestage.platform.run import Secrets
from lifestage.platform.runtime.frames import checkpoint
from lifestage.platform.security.pseudonyms import add_key_pads

ROW = ["source", "delivery_no", "raw"]


def drop_corrected(waiting: DataFrame, events: DataFrame, config: IngestConfig, keys: Secrets) -> DataFrame:
    """Drop the waiting rows whose key a later delivery brought as an event; columns as they come.

    An event that was there before the row was rejected does not count: such a row is itself a correction that waits. Rows
    of keyless sources, of reference tables and of sources that are no longer configured stay, and so do rows whose key
    cannot be parsed.

    Args:
        waiting: Rejected rows that wait, with the name and header of their files (see `add_origins`); few.
        events: Rows of events. One pass over two columns of the sources with waiting rows, without a shuffle.
        config: Sources and their keys.
        keys: The quarantine key decrypts the rows; the pseudonym key hashes keys that are identifiers.

    Raises:
        ConfigError: if the quarantine key is not the one that the rows were encrypted with.
    """
    found = {row["source"] for row in waiting.select("source").distinct().collect()}
    keyed = sorted(name for name in found & config.sources.keys() if config.sources[name].key)
    if not keyed:
        return waiting
    rows = waiting.where(F.col("source").isin(keyed))
    # On the driver, so that a wrong key is a ConfigError and not a failed Spark task.
    for row in rows.select("raw").limit(1).collect():
        decrypt_text(row["raw"], keys.quarantine_key)
    plain = checkpoint(decrypt_raw(rows, keys.quarantine_key))
    wanted = reduce(DataFrame.unionByName, [_parse_keys(plain, name, config, keys) for name in keyed])
    later = events.where(F.col("source").isin(keyed)).select(
        "source", "event_id", F.col("delivery_no").alias("_event_delivery")
    )
    arrived = later.join(F.broadcast(wanted), on=["source", "event_id"], how="inner")
    arrived = arrived.where("_event_delivery > delivery_no").select(*ROW).distinct()
    corrected = plain.withColumn("raw", F.col("raw").cast("string")).join(arrived, on=ROW, how="left_semi")
    row_key = ["rejected_id", "delivery_no"]
    return waiting.join(corrected.select(*row_key), on=row_key, how="left_anti").select(*waiting.columns)


def _parse_keys(plain: DataFrame, name: str, config: IngestConfig, keys: Secrets) -> DataFrame:
    """Return the event_id that each row of one source would have, where its key can be parsed."""
    source = config.sources[name]
    texts = plain.select("source", "delivery_no", "raw", "file_name", "header")
    rows = cast_columns(parse_source(texts, name, source), source, source.time_zone or config.time_zone)
    return (
        add_key_pads(rows, keys.pseudonym_key)
        .select(
            F.lit(name).alias("source"),
            F.col("_delivery_no").alias("delivery_no"),
            F.col("_raw").alias("raw"),
            build_event_id(source).alias("event_id"),
        )
        .where("event_id IS NOT NULL")
        .distinct()
    )
