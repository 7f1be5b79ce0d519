# %% [markdown]
# # Five questions of an analyst
#
# Run it cell by cell in a notebook that knows the percent format, or as a script:
#
#     LIFESTAGE_CONF=conf/demo/demo.yaml python docs/analysis.py
#
# `lifestage.read` returns tables as Spark frames, as the last completed run left them. It needs no key. Spark counts the
# answer to each question, and only the answer, one row per group, becomes a pandas frame.

# %%
from datetime import timedelta

import pandas as pd
from pyspark.sql import functions as F

import lifestage
from lifestage.users.resolution import add_user, resolve_current_users


def show(question: str, answer: pd.DataFrame) -> None:
    """Print a question and its answer. Columns named share or change are in percent, all others are whole numbers."""
    parts = ("share", "change")
    forms = {name: ("{:.1%}" if name.endswith(parts) else "{:,.0f}").format for name in answer}
    labelled = answer.rename_axis(index=None, columns=answer.index.name)
    print(f"\n{question}\n\n{labelled.to_string(formatters=forms)}")


features = lifestage.read("user_features", as_of="latest")
stages = lifestage.read("user_stages", as_of="latest").select("user_id", "stage")
today = features.agg(F.max("as_of")).first()[0]

# %% [markdown]
# ## 1. Which stages carry the revenue?

# %%
by_stage = (
    stages.join(features, on="user_id")
    .groupBy("stage")
    .agg(F.count("*").alias("users"), F.sum("net_amount_90d").cast("double").alias("spend"))
    .toPandas()
    .set_index("stage")
    .sort_values("spend", ascending=False)
)
by_stage["user_share"] = by_stage["users"] / by_stage["users"].sum()
by_stage["spend_share"] = by_stage["spend"] / by_stage["spend"].sum()
by_stage["spend_a_user"] = by_stage["spend"] / by_stage["users"]
show(f"1. Which stages carry the revenue? Net spend of the 90 days to {today}", by_stage)

# %% [markdown]
# ## 2. Where did customers go within a month?
#
# Rows are the stages then, columns the stages now, both in the order of revenue. Users who stayed are on the diagonal.

# %%
dates = [row["as_of"] for row in lifestage.read("user_stages").select("as_of").distinct().collect()]
before = max(day for day in dates if day <= today - timedelta(days=28))
then = lifestage.read("user_stages", as_of=before).select("user_id", F.col("stage").alias("then"))
moved = then.join(stages, on="user_id").groupBy("then", "stage").count().toPandas()
flow = moved.pivot(index="then", columns="stage", values="count")
order = by_stage.index.union(flow.index, sort=False)
flow = flow.reindex(index=order, columns=order).fillna(0).rename_axis("from/to")
show(f"2. Where did customers go? Users by stage on {before} and on {today}", flow)

# %% [markdown]
# ## 3. Which audience is worth a campaign?
#
# Entries and exits compare the newest date with the previous one.

# %%
moves = lifestage.audience_moves(as_of="latest").join(features, on="user_id")
has_left = F.col("movement") == "left"
audiences = (
    moves.groupBy("audience")
    .agg(
        F.count_if(~has_left).alias("users"),
        F.count_if(F.col("movement") == "entered").alias("entered"),
        F.count_if(has_left).alias("left"),
        F.sum(F.when(has_left, 0).otherwise(F.col("net_amount_365d"))).cast("double").alias("spend"),
    )
    .toPandas()
    .set_index("audience")
    .sort_values("spend", ascending=False)
)
audiences["spend_a_user"] = audiences["spend"] / audiences["users"].clip(lower=1)
show(f"3. Which audience is worth a campaign? Net spend of the 365 days to {today}", audiences)

# %% [markdown]
# ## 4. Which segments buy with discounts?
#
# The share is discounts and coupons, divided by what the purchases of a segment would have cost without them. `.pandas_api()`
# gives a frame the interface of pandas, and Spark does the work.

# %%
means = {
    "net_amount_365d": "spend_a_user",
    "occasions_365d": "occasions_a_user",
    "discount_share_365d": "discount_share",
    "coupon_share_365d": "coupon_share",
}
segments = lifestage.read("user_segments", as_of="latest").where("segment IS NOT NULL")
named = [F.col(feature).cast("double").alias(name) for feature, name in means.items()]
by_segment = segments.join(features, on="user_id").select("segment", *named).pandas_api().groupby("segment")
offers = by_segment.mean().to_pandas().sort_values("discount_share", ascending=False)
offers.insert(0, "users", by_segment.size().to_pandas())
show(f"4. Which segments buy with discounts? Means of the 365 days up to {today}", offers)

# %% [markdown]
# ## 5. Which departments do declining customers leave?
#
# The answer compares the last 90 days with the 90 days before. It also shows all other customers, because a change of season
# is no reason to act.

# %%
age = F.datediff(F.lit(today), F.col("event_date"))
spend = {
    name: F.when(age.between(first, first + 89), F.col("net_amount"))
    for name, first in (("now", 0), ("before", 90))
}
# A subject that is not in the map is a user of its own.
users = resolve_current_users(lifestage.read("identity_map"))
days = add_user(lifestage.read("category_days"), users).join(stages, on="user_id")
spent = (
    days.where("category IS NOT NULL")
    .groupBy("category", F.expr("IF(stage = 'declining', 'declining', 'others')").alias("group"))
    .agg(*[F.sum(column).cast("double").alias(name) for name, column in spend.items()])
    .toPandas()
    .pivot(index="category", columns="group", values=["before", "now"])
    .fillna(0)
)
left = pd.DataFrame({name: spent[name, "declining"] for name in ("before", "now")})
left["lost"] = left["before"] - left["now"]
for group in ("declining", "others"):
    left[f"{group}_change"] = spent["now", group] / spent["before", group] - 1
show(f"5. Which departments do declining customers leave? 90 days to {today}", left.nlargest(10, "lost"))
