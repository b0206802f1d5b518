"""Where a project of step marks can start. All material is made up for trying the workspace."""

from preceptor.tasktypes.base import Row, Template, to_json
from preceptor.tasktypes.steps.models import Category, StepsConfig

_SOLUTIONS = """\
# What to judge

Go through the solution step by step. A step is judged **given the steps before it**: if an early mistake runs through,
only the step that makes it is wrong.

- **Correct**: it follows, and it helps.
- **Neutral**: not wrong, but it leads nowhere (it repeats, or restates the task).
- **Wrong**: a false statement, a wrong calculation, or something that does not follow.

You stop at the first wrong step. Say what kind of error it is, and write the step as it should read: others will go on
from your words, so keep to the way of the solution where it can be saved.

## The final answer

Judge it by itself: a right answer after a wrong step is right, and that is worth knowing.

## Difficult cases

Describe here the cases that people will ask about, each with its answer.
"""

_FACTS = """\
# What to judge

Each sentence is held against the sources beside it, and nothing else. What you know yourself decides nothing; it may
tell you where to look.

- **Correct**: a source says so. Quote the place.
- **Unsupported**: no source says so, and none denies it.
- **Wrong**: a source says otherwise. Quote the place, and write the sentence as the sources allow it.
- **Neutral**: the sentence states nothing (a greeting, a question, a passage that leads over).

A sentence with one wrong detail is wrong. Paraphrase is fine; a shift of meaning is not: *may* is not *does*, *some* is
not *most*.

## Difficult cases

Describe here the cases that people will ask about, each with its answer.
"""

REVIEW_RUBRIC: tuple[Row, ...] = (
    {
        "key": "marks",
        "title": "The marks are right",
        "description": "Somebody who checks each step comes to the same marks.",
        "scale_min": 1,
        "scale_max": 5,
        "weight": 3,
        "anchors": {"1": "the decisive step is missed", "5": "every mark holds"},
    },
    {
        "key": "fixes",
        "title": "Corrections and evidence hold",
        "description": "Corrected steps are right and follow from those before; quotes say what they stand for.",
        "scale_min": 1,
        "scale_max": 5,
        "weight": 2,
        "anchors": {"1": "make it worse", "5": "could be printed"},
    },
)

_TRAIN: Row = {
    "prompt": [
        {
            "role": "user",
            "content": "A train covers $120$ km at $80$ km/h and then another $120$ km at $40$ km/h. "
            "What is its average speed?",
        }
    ],
    "response": (
        "Average speed is total distance divided by total time.\n"
        "The total distance is $120 + 120 = 240$ km.\n"
        "The first part takes $120 / 80 = 1.5$ h.\n"
        "The second part takes $120 / 40 = 4$ h.\n"
        "Together this is $1.5 + 4 = 5.5$ h, so the average speed is $240 / 5.5 \\approx 43.6$ km/h."
    ),
    "final_answer": "43.6 km/h",
    "reference": "$240 / (1.5 + 3) = 53\\tfrac{1}{3}$ km/h",
}
_DICE: Row = {
    "prompt": [
        {"role": "user", "content": "Two fair dice are rolled. What is the probability that the sum is at least 10?"}
    ],
    "response": (
        "There are $6 \\cdot 6 = 36$ equally likely outcomes.\n\n"
        "Sums of at least 10 are 10, 11 and 12.\n\n"
        "A sum of 10 comes about in 3 ways: $(4,6)$, $(5,5)$, $(6,4)$.\n\n"
        "A sum of 11 comes about in 2 ways, and a sum of 12 in 1 way.\n\n"
        "That makes $3 + 2 + 1 = 6$ outcomes, so the probability is $6/36 = 1/6$."
    ),
    "final_answer": "1/6",
}
_LIGHTHOUSE: Row = {
    "prompt": [{"role": "user", "content": "Tell me about the lighthouse on Skarholm."}],
    "response": (
        "The lighthouse on Skarholm was built in 1884 and stands 31 metres high. Its lamp burned paraffin until it was "
        "electrified in 1931. The last keeper, J. Brandt, left the island with his family in 1967. Since then the "
        "light has run by itself. On clear nights it can be seen from 19 nautical miles away, which makes it the "
        "brightest of its coast."
    ),
    "cut": "sentences",
    "sources": [
        {
            "id": "pilot",
            "title": "Pilot book, sheet 12",
            "text": (
                "Skarholm. White round tower with gallery, height 31 m, light at 44 m above the sea. Range 19 M in "
                "clear weather. Two white flashes every fifteen seconds. Unmanned."
            ),
        },
        {
            "id": "chronicle",
            "title": "Parish chronicle",
            "text": (
                "In the autumn of 1886 the tower on Skarholm was lit for the first time, after two years of building. "
                "Paraffin was carried up every evening until the cable came in 1931. When keeper Brandt went "
                "ashore for good in May 1967, the light was left to a clockwork and a relay."
            ),
        },
    ],
}

SOLUTION = Template(
    key="solution",
    title="Check a solution step by step",
    summary="Mark steps up to the first wrong one, correct it, judge the final answer. Gives process rewards.",
    config=to_json(StepsConfig(mode="first_wrong", category="required", correction="optional", evidence="none")),
    guidelines=_SOLUTIONS,
    rubric=REVIEW_RUBRIC,
    examples=(_TRAIN, _DICE),
)

FACT_CHECK = Template(
    key="facts",
    title="Fact-check sentence by sentence",
    summary="Hold each sentence against sources, quote the place, correct what is wrong.",
    config=to_json(
        StepsConfig(
            question="Do the sources bear each sentence out?",
            mode="all",
            verdicts=["correct", "neutral", "unsupported", "wrong"],
            categories=[
                Category(key="contradicted", title="Contradicted"),
                Category(key="number", title="Number or date"),
                Category(key="name", title="Name or place"),
                Category(key="overstated", title="Overstated"),
            ],
            category="optional",
            correction="required",
            evidence="every",
            ask_final=False,
            cut_at_first_error=False,
        )
    ),
    guidelines=_FACTS,
    rubric=REVIEW_RUBRIC,
    examples=(_LIGHTHOUSE,),
)

TEMPLATES = (SOLUTION, FACT_CHECK)
