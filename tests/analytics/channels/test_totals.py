from datetime import timedelta

from lifestage.analytics.channels.tables import CHANNEL_TOTALS
from lifestage.analytics.channels.totals import build_totals
from lifestage.analytics.stages.tables import USER_STAGES
from lifestage.analytics.value.tables import USER_VALUE
from lifestage.platform.config.yaml_files import packaged_yaml
from lifestage.platform.storage.contracts import conform
from lifestage.users.catalogue.model import Catalogue
from lifestage.users.features.tables import user_features
from support.frames import assert_rows, build, shuffled
from support.reporting import AS_OF

USER_FEATURES = user_features(Catalogue.model_validate(packaged_yaml("users/catalogue/defaults.yaml")))
LATER = AS_OF + timedelta(days=1)


def test_users_are_counted_by_mix_and_stage(spark):
    people = [
        ("a", AS_OF, "both", "mature", "9.00"),
        ("b", AS_OF, "both", "mature", None),
        ("c", AS_OF, None, "dormant", "1.00"),
        ("a", LATER, "both", "mature", "8.00"),
    ]
    keys = [{"user_id": user, "as_of": day} for user, day, *_ in people]
    mixes = [{**key, "channel_mix_90d": mix} for key, (_, _, mix, _, _) in zip(keys, people, strict=True)]
    stages = [{**key, "stage": stage} for key, (*_, stage, _) in zip(keys, people, strict=True)]
    value = [
        {**key, "monetary_amount": amount, "rfm_period_days": 365}
        for key, (*_, amount) in zip(keys, people, strict=True)
    ]
    totals = build_totals(
        shuffled(build(spark, USER_FEATURES, mixes)),
        build(spark, USER_STAGES, stages),
        build(spark, USER_VALUE, value),
    )
    assert_rows(
        conform(totals, CHANNEL_TOTALS),
        [
            (AS_OF, "both", "mature", 2, "9.00", 365),
            (AS_OF, None, "dormant", 1, "1.00", 365),
            (LATER, "both", "mature", 1, "8.00", 365),
        ],
    )
