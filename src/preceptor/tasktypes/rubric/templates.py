"""Where a rubric project can start. All material is made up for trying the workspace."""

from pydantic import JsonValue

from preceptor.tasktypes.base import Row, Template, to_json
from preceptor.tasktypes.rubric.models import RubricConfig

_AUTHOR = """\
# What makes a good criterion

Write down by what you would know a good answer to this prompt. Others, and models, will judge answers by your words
alone: they cannot ask you what you meant.

1. **Self-contained.** It names the fact, the number, the step. Never “see above”, never another criterion.
2. **Checkable.** Two careful people with the answer before them say the same: met or not met.
3. **One thing.** If half of it can be met, make two criteria of it.
4. **Weighted.** Points say how much it matters. What must not be missing gets most; a fault that does harm is a
   penalty with points below zero.

| Instead of | Write |
|---|---|
| Explains the causes well | Names the drop of pressure as the cause of the fog |
| Is accurate and complete | States that the dose is 500 mg (and, as another criterion: … every eight hours) |
| Gives appropriate advice | Advises to see a doctor the same day |

## Reason or source

Say why it counts, or what it rests on, so that somebody from your field can check you.
"""

_VALIDATE = """\
# What to judge

Somebody from your field wrote these criteria. Judge each as if you had to grade fifty answers by it tomorrow.

- **Self-contained**: it can be read without the others.
- **Checkable**: you could say of any answer whether it is met.
- **Correct**: what it demands is right, by the state of your field.
- **Important**: a reader would miss it, or be harmed, if it were not met.

Then decide: **keep** it as it is, **mend** it (write how it should read), or **drop** it (say why). At the end, write
down what is missing: as a criterion, not as a wish.
"""

REVIEW_RUBRIC: tuple[Row, ...] = (
    {
        "key": "use",
        "title": "Somebody could grade by it",
        "description": "Two people who take the criteria to the same answer come to the same result.",
        "scale_min": 1,
        "scale_max": 5,
        "weight": 2,
        "anchors": {"1": "left to taste", "5": "no room for doubt"},
    },
    {
        "key": "sense",
        "title": "It weighs what counts",
        "description": "What matters most has most points, and nothing that matters is missing.",
        "scale_min": 1,
        "scale_max": 5,
        "weight": 2,
        "anchors": {"1": "beside the point", "5": "as an expert would weigh it"},
    },
)


def _asked(text: str) -> list[JsonValue]:
    return [{"role": "user", "content": text}]


_PIPE = (
    "It is minus 8 °C outside, I was away for two days with the heating off, and no water comes from the kitchen tap. "
    "What do I do?"
)
_PIPE_ANSWER = (
    "Close the main valve first, then open the kitchen tap. Warm the pipe slowly with a hair dryer, from the tap "
    "towards the wall, and never with a flame. Look for cracks before you open the valve again."
)
_SOIL = "How do I find out whether my clay soil drains well enough for a pear tree?"

AUTHOR = Template(
    key="author",
    title="Write a rubric for each prompt",
    summary="Experts write weighted, checkable criteria. The release feeds rating projects and automatic graders.",
    config=to_json(RubricConfig(rationale="optional", criteria_min=3)),
    guidelines=_AUTHOR,
    rubric=REVIEW_RUBRIC,
    examples=(
        {
            "prompt": _asked(_PIPE),
            "responses": [{"id": "r1", "messages": [{"role": "assistant", "content": _PIPE_ANSWER}]}],
        },
        {
            "prompt": _asked(_SOIL),
            "draft": [
                {
                    "id": "c1",
                    "statement": "Tells how to dig a test hole and time how fast water drains from it",
                    "kind": "must",
                    "points": 5,
                },
                {"id": "c2", "statement": "Gives good advice about drainage", "kind": "should", "points": 2},
            ],
        },
    ),
)

VALIDATE = Template(
    key="validate",
    title="Validate rubrics",
    summary="Others judge each criterion, mend or drop it, and say what is missing. Agreement per question.",
    config=to_json(RubricConfig(mode="validate", question="Would you grade by these criteria?")),
    guidelines=_VALIDATE,
    rubric=REVIEW_RUBRIC,
    examples=(
        {
            "prompt": _asked(_PIPE),
            "responses": [{"id": "r1", "messages": [{"role": "assistant", "content": _PIPE_ANSWER}]}],
            "draft": [
                {
                    "id": "c1",
                    "statement": "Tells the reader to close the main water valve before warming the pipe",
                    "kind": "must",
                    "points": 8,
                    "rationale": "A cracked pipe floods the room as soon as the ice melts.",
                },
                {
                    "id": "c2",
                    "statement": "Advises against an open flame",
                    "kind": "must",
                    "points": 6,
                    "rationale": "",
                },
                {"id": "c3", "statement": "Is friendly and well written", "kind": "should", "points": 2},
                {
                    "id": "c4",
                    "statement": "Recommends pouring boiling water into the tap",
                    "kind": "penalty",
                    "points": -5,
                },
            ],
        },
    ),
)

TEMPLATES = (AUTHOR, VALIDATE)
