"""Where a rating project can start. All material is made up for trying the workspace."""

from pydantic import JsonValue

from preceptor.tasktypes.base import Row, Template, to_json
from preceptor.tasktypes.rating.models import Criterion, RatingConfig

_QUOTING = """
## Quotes

A score is worth more with the words that it rests on. Mark them in the response and attach them to the criterion; one
good quote is better than five.
"""

_LIKERT = f"""\
# What to judge

Read the prompt, then every response to its end. Score one criterion after the other, each by itself: a response that
is clear is not therefore correct.

## How to use the points

- The words under the points say what they mean. Between two of them, choose the lower.
- Compare with the words, not with the other response: both may get the same.
- “Not applicable” is for criteria that this prompt cannot raise, never for “I do not know”.
{_QUOTING}
## Difficult cases

Describe here the cases that people will ask about, each with its answer.
"""

_CHECKS = f"""\
# What to judge

Each criterion is a statement about the response. It is met or it is not; nearly met is not met.

1. Read the statement, then look for the place in the response that shows it.
2. **Yes** needs a quote: the words that meet the statement. For a penalty, the words that are the fault.
3. **No** needs none. Say in the comment where you looked, if somebody might disagree.
{_QUOTING}
## Difficult cases

Describe here the cases that people will ask about, each with its answer.
"""

_GRADES = """\
# How to grade

The reference answer is held back until you have graded, so that you judge what is there before you see what could be.
When it opens, look again at what you may have missed, and change a grade only for a reason that you can name.

- **90 and more**: you would hand it in under your own name.
- **70 to 89**: right, with gaps that a reader can live with.
- **40 to 69**: partly right; somebody has to work on it.
- **Below 40**: misleads, or does not answer the question.

## Difficult cases

Describe here the cases that people will ask about, each with its answer.
"""

REVIEW_RUBRIC: tuple[Row, ...] = (
    {
        "key": "scores",
        "title": "The scores follow from the texts",
        "description": "Somebody who reads the responses with the anchors at hand comes to the same scores.",
        "scale_min": 1,
        "scale_max": 5,
        "weight": 3,
        "anchors": {"1": "contradict the texts", "3": "off by a point here and there", "5": "plain to see"},
    },
    {
        "key": "evidence",
        "title": "Quotes and comments support the scores",
        "description": "Each quote is about its criterion, and the comment says what it shows.",
        "scale_min": 1,
        "scale_max": 5,
        "weight": 1,
        "anchors": {"1": "beside the point", "5": "settle the matter"},
    },
)


def _asked(text: str) -> list[JsonValue]:
    return [{"role": "user", "content": text}]


def _said(name: str, text: str) -> Row:
    return {"id": name, "messages": [{"role": "assistant", "content": text}]}


_TIDES = (
    "Why are there two high tides a day and not one? The Moon passes overhead only once a day.",
    "The Moon pulls the near side of the Earth more strongly than its centre, and the centre more strongly than the "
    "far side. Seen from the Earth, water is therefore stretched **towards and away from** the Moon: there are two "
    "bulges, and the Earth turns through both of them in about 24 h 50 min.\n\nThe Sun does the same at a little less "
    "than half the strength. When both line up, at full and new moon, tides are highest.",
    "Great question! The Moon attracts the water, which makes the first high tide. The second one happens because the "
    "water that was pulled flows back to the other side of the Earth, like in a bathtub. It takes roughly twelve hours "
    "for it to get there, so we see two high tides a day.",
)
_BREAD = (
    "My sourdough is dense. I use 500 g flour, 300 g water, 100 g starter, 10 g salt; it rises 2 hours at 19 °C before "
    "baking. What should I change first?",
    "Time first. At 19 °C a dough with 20 % starter needs about 8 to 10 hours before it is ready, not 2. Wait until it "
    "has grown by half and jiggles when you move the bowl; change nothing else until you have seen what this does.",
    "You should use more yeast and bake it hotter. Also try another flour, more water, another oven, and knead longer.",
)

LIKERT = Template(
    key="rubric",
    title="Rate responses against a rubric",
    summary="Points from 1 to 5 on weighted criteria, with quotes. Gives scores, preference pairs and single labels.",
    config=to_json(RatingConfig()),
    guidelines=_LIKERT,
    rubric=REVIEW_RUBRIC,
    examples=(
        {"prompt": _asked(_TIDES[0]), "responses": [_said("r1", _TIDES[1]), _said("r2", _TIDES[2])]},
        {"prompt": _asked(_BREAD[0]), "responses": [_said("r1", _BREAD[2]), _said("r2", _BREAD[1])]},
    ),
)

CHECKS = Template(
    key="checks",
    title="Yes/no checks with evidence",
    summary="Statements that a response meets or not, each yes with a quote. Tasks may bring criteria of their own.",
    config=to_json(
        RatingConfig(
            question="Which statements does each response meet?",
            per_task=True,
            criteria=[
                Criterion(
                    key="answers",
                    title="Answers the question that was asked",
                    kind="check",
                    weight=3,
                    evidence="required_if_yes",
                ),
                Criterion(
                    key="reason",
                    title="Gives at least one reason that could be checked",
                    kind="check",
                    weight=2,
                    evidence="required_if_yes",
                    allow_na=True,
                ),
                Criterion(
                    key="invented",
                    title="States something that is false",
                    description="A fact, a number, a name or a source that does not hold.",
                    kind="check",
                    weight=-4,
                    evidence="required_if_yes",
                    anchors={"0": "nothing false found", "1": "at least one false statement"},
                ),
            ],
        )
    ),
    guidelines=_CHECKS,
    rubric=REVIEW_RUBRIC,
    examples=(
        {"prompt": _asked(_BREAD[0]), "responses": [_said("r1", _BREAD[1]), _said("r2", _BREAD[2])]},
        {
            "prompt": _asked(_TIDES[0]),
            "responses": [_said("r1", _TIDES[2]), _said("r2", _TIDES[1])],
            "criteria": [
                {
                    "key": "difference",
                    "title": "Says that the Moon's pull differs between the near and the far side",
                    "kind": "check",
                    "weight": 5,
                    "evidence": "required_if_yes",
                },
                {
                    "key": "turning",
                    "title": "Says that the Earth turns through both bulges",
                    "kind": "check",
                    "weight": 3,
                    "evidence": "required_if_yes",
                },
                {
                    "key": "sloshing",
                    "title": "Explains the second tide by water that flows back",
                    "kind": "check",
                    "weight": -5,
                    "evidence": "required_if_yes",
                },
            ],
        },
    ),
)

GRADES = Template(
    key="grades",
    title="Grade 1–100 against a reference",
    summary="A number per criterion, and a reference answer that opens once all is graded.",
    config=to_json(
        RatingConfig(
            question="What grade does each response deserve?",
            reference="after",
            criteria=[
                Criterion(
                    key="content",
                    title="Content",
                    description="Right and complete, measured by what an expert would answer.",
                    kind="scale",
                    weight=3,
                    anchors={"1": "misleads", "40": "partly right", "70": "right with gaps", "90": "yours to sign"},
                ),
                Criterion(
                    key="form",
                    title="Form",
                    description="Ordered, to the point, in the tone that fits.",
                    kind="scale",
                    weight=1,
                    evidence="none",
                ),
            ],
        )
    ),
    guidelines=_GRADES,
    rubric=REVIEW_RUBRIC,
    examples=(
        {
            "prompt": _asked(_TIDES[0]),
            "responses": [_said("r1", _TIDES[2])],
            "reference": _TIDES[1],
        },
        {
            "prompt": _asked(_BREAD[0]),
            "responses": [_said("r1", _BREAD[2]), _said("r2", _BREAD[1])],
            "reference": "Longer fermentation: at 19 °C it needs 8 to 10 hours. Judge by volume, not by the clock.",
        },
    ),
)

TEMPLATES = (LIKERT, CHECKS, GRADES)
