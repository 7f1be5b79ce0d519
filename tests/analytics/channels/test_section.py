from decimal import Decimal

from analytics.channels.section_builders import MIXED, empty_channels
from lifestage.analytics.channels.section import SECTION, ChannelCount, Reach, read_counts, read_reach
from lifestage.analytics.channels.tables import CHANNEL_REACH, CHANNEL_TOTALS
from support.frames import build
from support.reporting import AS_OF, BEFORE, WORDS, render_chapters, texts


def channels(data, least_users=1):
    return render_chapters(SECTION, data, least_users)["channels"]


def test_rows_of_the_date_are_read(spark):
    rows = [
        {"as_of": AS_OF, "channel_mix": "both", "stage": "mature", "n_users": 2, "monetary_amount": "9.00", "period_days": 365},
        {"as_of": AS_OF, "channel_mix": None, "stage": "dormant", "n_users": 1, "monetary_amount": "0.00"},
        {"as_of": BEFORE, "channel_mix": "both", "stage": "mature", "n_users": 7},
    ]  # fmt: skip
    counts = (ChannelCount("both", "mature", 2, Decimal(9)), ChannelCount(None, "dormant", 1, Decimal(0)))
    assert read_counts(build(spark, CHANNEL_TOTALS, rows), AS_OF) == (counts, 365)
    reach = {"as_of": BEFORE, "period_days": 28, "n_visits": 3, "net_amount": "5.00"}
    assert read_reach(build(spark, CHANNEL_REACH, [reach]), AS_OF) is None
    found = read_reach(build(spark, CHANNEL_REACH, [{**reach, "as_of": AS_OF}]), AS_OF)
    assert (found.days, found.n_visits, found.net) == (28, 3, Decimal(5))


def test_each_mix_has_its_users_and_its_stages():
    mixes, stages = channels(empty_channels(counts=MIXED)).figures
    assert texts(mixes) == [
        ["shop only", "2", "20.0%", "€10", "10.0%", "€5.00"],
        ["both", "6", "60.0%", "€90", "90.0%", "€15.00"],
        ["neither", "2", "20.0%", "€0", "0.0%", "€0.00"],
    ]
    assert texts(stages) == [["novice", "0", "0", "2"], ["mature", "2", "6", "0"]]


def test_a_mix_of_the_project_has_its_row():
    kiosk = (*MIXED, ChannelCount("kiosk", "mature", 5, Decimal(1)))
    chapter = channels(empty_channels(counts=kiosk))
    assert [row[0] for row in texts(chapter.figures[0])] == ["shop only", "both", "kiosk", "neither"]


def test_a_mix_of_few_is_withheld_with_another():
    chapter = channels(empty_channels(counts=MIXED), least_users=3)
    shown = {row[0]: row[1] for row in texts(chapter.figures[0])}
    assert shown["shop only"] == shown["neither"] == "–"


def test_a_sentence_says_what_joining_has_changed():
    reach = Reach(28, 6, 2, 4, Decimal(100), Decimal(50), Decimal(80))
    (sentence,) = channels(empty_channels(reach=reach)).notes
    assert "80.0% of revenue and 66.7% of visits" in sentence
    assert "50.0% and 33.3%" in sentence


def test_merged_and_split_users_are_counted_unless_they_are_few():
    data = empty_channels(regrouped={"merged": (3, 2), "split": (1, 2)})
    (sentence,) = channels(data, least_users=2).notes
    assert sentence == f"3 users of {WORDS.day(BEFORE)} are now known to be 2 people."


def test_without_users_a_sentence_says_so():
    assert channels(empty_channels()).notes == ("No user has a stage yet.",)
