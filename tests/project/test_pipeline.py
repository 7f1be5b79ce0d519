from lifestage.project.pipeline import DOMAINS, STEPS, groups, reads_of


def test_steps_that_run_together_write_nothing_that_another_of_them_touches():
    for group in groups():
        for step in group:
            others = [other for other in group if other is not step]
            touched = {table for other in others for table in (*reads_of(other), *other.writes)}
            assert not touched & set(step.writes), step.name


def test_groups_keep_the_order_of_the_map_and_a_step_comes_after_the_writers_of_what_it_reads():
    assert [step for group in groups() for step in group] == [*STEPS.values()]
    for number, group in enumerate(groups()):
        later = {table for other in groups()[number + 1 :] for step in other for table in step.writes}
        read = {table for step in group for table in reads_of(step)}
        # The ledger is read before it grows, and the report of a run is no input of it.
        assert read & later <= {"ingest_ledger"}


def test_steps_that_need_only_the_features_run_together():
    assert ["stages", "value", "segments"] in [[step.name for step in group] for group in groups()]


def test_domains_that_read_a_table_to_explain_a_user_read_the_same_rows():
    reads = [item for domain in DOMAINS if domain.explain for item in domain.explain.reads.items()]
    scopes = dict(reads)
    assert [name for name, scope in reads if scope is not scopes[name]] == []
