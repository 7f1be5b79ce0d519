"""The picture in the README shows the report of today."""

from activation.report.picture import DIGEST, digest_of_picture, digest_of_shop


def test_the_picture_shows_what_the_report_looks_like():
    recorded = dict(line.split() for line in DIGEST.read_text(encoding="utf-8").splitlines())
    assert recorded["picture"] == digest_of_picture(), (
        "docs/report.png was not drawn: run scripts/docs --picture"
    )
    is_current = recorded["page"] == digest_of_shop()
    assert is_current, "docs/report.png shows an earlier report: run scripts/docs --picture"
