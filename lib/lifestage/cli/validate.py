"""validate: check the configuration."""

from contextlib import nullcontext
from typing import Annotated

import typer

from lifestage.cli.terminal import DEFAULT_CONF, Conf, check_exists, console, show_status
from lifestage.platform.plurals import count_of
from lifestage.services.validate import validate as check


def validate(
    conf: Conf = DEFAULT_CONF,
    deep: Annotated[
        bool, typer.Option("--deep", help="Also try every SQL expression with Spark, on odd values.")
    ] = False,
) -> None:
    """Check every configuration file and the keys, without reading or writing data.

    With --deep, Spark evaluates every SQL expression on rows of odd values, such as empty texts, zeros and days that do
    not exist, and names those that would fail a run. A run does so itself when the configuration is new.

    Example: lifestage validate --conf conf/prod.yaml
    """
    check_exists(conf)
    with show_status("trying every expression with Spark") if deep else nullcontext():
        found = check(conf, deep)
    console.print(f"{conf}: valid", soft_wrap=True)
    console.print(
        f"  {count_of(found.n_sources, 'source')}, {count_of(found.n_reference_tables, 'reference table')}, "
        f"{count_of(found.n_stages, 'stage')}, {count_of(found.n_audiences, 'audience')}"
    )
    for remark in found.without_files:
        console.print(f"  {remark}", soft_wrap=True)
