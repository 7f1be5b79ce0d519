"""Data of the section on deliveries with fixed defaults."""

from lifestage.ingestion.events.section import COUNTS, Delivery, DeliveryData
from support.reporting import AS_OF


def deliveries(*found):
    return DeliveryData(AS_OF, found)


def delivery(number=1, source="web", is_new=True, reasons=None, **counts):
    known = {"n_rows": 10, "n_accepted": 8, "n_duplicate": 1, "n_rejected": 1, **counts}
    rows = {name: known.get(name, 0) for name in COUNTS}
    found = {"missing:event_at": 1} if reasons is None else reasons
    return Delivery(number, source, "events", "2026-11-22 03:15", is_new, rows, found, AS_OF)
