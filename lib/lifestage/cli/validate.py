"""validate: check the configuration."""

from lifestage.cli.terminal import DEFAULT_CONF, Conf, check_exists, console
from lifestage.services.validate import validate as check


def validate(conf: Conf = DEFAULT_CONF) -> None:
    """Check every configuration file and the keys, without reading or writing data.

    Example: lifestage validate --conf conf/prod.yaml
    """
    check_exists(conf)
    found = check(conf)
    console.print(f"{conf}: valid", markup=False, soft_wrap=True)
    console.print(
        f"  {found.n_sources} sources, {found.n_reference_tables} reference tables, "
        f"{found.n_stages} stages, {found.n_audiences} audiences"
    )
