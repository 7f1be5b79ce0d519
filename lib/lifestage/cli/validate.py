"""validate: check the configuration."""

from lifestage.cli.terminal import DEFAULT_CONF, Conf, check_exists, console
from lifestage.platform.plurals import count_of
from lifestage.services.validate import validate as check


def validate(conf: Conf = DEFAULT_CONF) -> None:
    """Check every configuration file and the keys, without reading or writing data.

    Example: lifestage validate --conf conf/prod.yaml
    """
    check_exists(conf)
    found = check(conf)
    console.print(f"{conf}: valid", soft_wrap=True)
    console.print(
        f"  {count_of(found.n_sources, 'source')}, {count_of(found.n_reference_tables, 'reference table')}, "
        f"{count_of(found.n_stages, 'stage')}, {count_of(found.n_audiences, 'audience')}"
    )
