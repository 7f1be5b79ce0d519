# %% [markdown]
# # Five questions to a lifestage project
#
# Run it cell by cell in a notebook that knows the percent format, or as a script:
#
#     LIFESTAGE_CONF=conf/demo/demo.yaml python docs/analysis.py
#
# `lifestage.read` gives Spark frames as the last completed run left them, `.pandas_api()` the same with the interface of
# pandas, computed by Spark. No key is needed to read.

# %%
import pyspark.pandas as ps
from pyspark.sql import functions as F

import lifestage

ps.set_option("compute.default_index_type", "distributed")

# %% [markdown]
# ## 1. Which stages carry the revenue?
#
# Users and net spend of the last 90 days by stage, newest date.

# %%
stages = lifestage.read("user_stages", as_of="latest").select("user_id", "stage")
features = lifestage.read("user_features", as_of="latest")
spend = stages.join(
    features.select("user_id", F.col("net_amount_90d").cast("double").alias("spend")), on="user_id"
)
by_stage = spend.pandas_api().groupby("stage")["spend"].agg(["count", "sum"]).to_pandas()
by_stage["share"] = by_stage["sum"] / by_stage["sum"].sum()
print(by_stage.sort_values("sum", ascending=False).round(2))

# %% [markdown]
# ## 2. Where did users go since the date before?
#
# `lifestage.stage_history` adds the stage before; a pivot has it in the rows, the stage now in the columns.

# %%
moved = (
    lifestage.stage_history(as_of="latest")
    .where("previous_stage IS NOT NULL")
    .select("previous_stage", "stage", "user_id")
)
flow = moved.pandas_api().pivot_table(
    index="previous_stage", columns="stage", values="user_id", aggfunc="count"
)
print(flow.to_pandas().fillna(0).astype(int))

# %% [markdown]
# ## 3. How much money is at risk?
#
# Users of the best tier who are declining, dormant or churned, and what they spent in the period of RFM.

# %%
value = lifestage.read("user_value", as_of="latest").select("user_id", "tier", "monetary_amount")
at_risk = value.where("tier = 'high'").join(
    stages.where("stage IN ('declining', 'dormant', 'churned')"), on="user_id"
)
print(
    at_risk.groupBy("stage")
    .agg(F.count("*").alias("users"), F.sum("monetary_amount").alias("spend"))
    .toPandas()
)

# %% [markdown]
# ## 4. Which segments wait for an offer?
#
# Mean share of coupons and discounts in what a segment buys.

# %%
segments = (
    lifestage.read("user_segments", as_of="latest").where("segment IS NOT NULL").select("user_id", "segment")
)
offers = segments.join(
    features.select("user_id", "coupon_share_365d", "discount_share_365d"), on="user_id"
).pandas_api()
print(offers.groupby("segment")[["coupon_share_365d", "discount_share_365d"]].mean().to_pandas().round(3))

# %% [markdown]
# ## 5. Who came into an audience, and who left?
#
# Movement of every audience against the date before.

# %%
moves = lifestage.audience_moves(as_of="latest").select("audience", "movement", "user_id").pandas_api()
table = moves.pivot_table(index="audience", columns="movement", values="user_id", aggfunc="count")
print(table.to_pandas().fillna(0).astype(int))
