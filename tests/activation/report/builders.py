"""A whole page with fixed defaults, so that a test states only what matters to it."""

from activation.audiences.section_builders import empty_audiences, full_audiences
from activation.publish.section_builders import empty_making, full_making
from analytics.channels.section_builders import empty_channels
from analytics.segments.section_builders import empty_segments, full_segments
from analytics.stages.section_builders import empty_stages, full_stages
from analytics.value.section_builders import empty_value, full_value
from ingestion.events.section_builders import deliveries, delivery
from lifestage.activation.report.content import Header, SectionData, compose_page
from lifestage.project.pipeline import sections_of
from support.reporting import AS_OF, NOW, WORDS
from users.identity.section_builders import empty_identity, full_identity

SECTIONS = {section.key: section for section in sections_of()}
HEADER = Header("Shop", AS_OF, "run-1", NOW, "0.1.0")


def empty_page(words=WORDS, header=HEADER, least_users=1, **data):
    """A page of a first run without data; `data` replaces that of sections."""
    empty = {
        "lifecycle": empty_stages(),
        "value": empty_value(),
        "segments": empty_segments(),
        "audiences": empty_audiences(),
        "channels": empty_channels(before=None, period=0),
        "identity": empty_identity(),
        "data": deliveries(),
        "made": empty_making(),
    }
    return page({**empty, **data}, words, header, least_users)


def full_page(words=WORDS, header=HEADER, least_users=1, **data):
    """A page with something in every section; `data` replaces that of sections."""
    full = {
        "lifecycle": full_stages(),
        "value": full_value(),
        "segments": full_segments(),
        "audiences": full_audiences(),
        "channels": empty_channels(),
        "identity": full_identity(),
        "data": deliveries(delivery()),
        "made": full_making(),
    }
    return page({**full, **data}, words, header, least_users)


def page(data, words, header, least_users):
    ordered = sorted(SECTIONS.values(), key=lambda section: section.place)
    return compose_page(
        [SectionData(section, data[section.key]) for section in ordered], header, least_users, words
    )
