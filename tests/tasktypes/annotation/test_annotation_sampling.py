"""Data that is made up for a config."""

import pytest

from preceptor.tasktypes.annotation import AnnotationConfig, AnnotationPayload, AnnotationType
from preceptor.tasktypes.annotation.reading import plan_of
from preceptor.tasktypes.annotation.sampling import sample_data

KIND = AnnotationType()


@pytest.mark.parametrize("template", [each.key for each in KIND.templates()])
def test_made_up_data_fits_every_template(template: str) -> None:
    config = AnnotationConfig.model_validate(next(each.config for each in KIND.templates() if each.key == template))
    data = sample_data(plan_of(config.label_config))
    assert KIND.fits(AnnotationPayload(data=data), config) == []


def test_a_field_within_other_words_gets_words() -> None:
    plan = plan_of(
        '<View><Header value="About $name:"/><Text name="t" value="$text"/><Rating name="r" toName="t"/></View>'
    )
    assert sample_data(plan)["name"] == "name"


def test_series_have_the_columns_that_the_config_names() -> None:
    config = (
        '<View><TimeSeriesLabels name="l" toName="s"><Label value="Fall"/></TimeSeriesLabels>'
        '<TimeSeries name="s" value="$series" valueType="json" timeColumn="t"><Channel column="x"/></TimeSeries></View>'
    )
    series = sample_data(plan_of(config))["series"]
    assert isinstance(series, dict)
    assert {name: len(column) for name, column in series.items() if isinstance(column, list)} == {"x": 100, "t": 100}
