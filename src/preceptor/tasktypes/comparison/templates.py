"""What a comparison project can start from."""

from typing import Final

from preceptor.tasktypes.base import Row, Template, to_json
from preceptor.tasktypes.comparison.models import ComparisonConfig, Dimension

GUIDELINES = """\
# What to judge

Read the prompt, then every response to its end. Judge what is written, not what you would have liked to read.

## What counts, most important first

1. **Correct**: nothing stated is false, nothing needed is missing.
2. **Helpful**: it does what was asked, in the form that was asked for.
3. **Clear**: easy to follow, as long as it has to be and no longer.

## How sure to be

- *Much better*: no sensible reader would choose the other one.
- *Better*: most would choose this one, for a reason you can name.
- *Slightly better*: it decides between two close responses.
- *Same*: you looked for a difference and found none that counts.

## Your reason

Say what decided it, with the place in the response that shows it. Length alone is no reason.

## Difficult cases

Describe here the cases that people will ask about, each with its answer.
"""

_PAIR_EXAMPLES: Final[tuple[Row, ...]] = (
    {
        "prompt": [{"role": "user", "content": "Why do leaves turn red in autumn? Two sentences."}],
        "responses": [
            {
                "id": "r1",
                "messages": [
                    {
                        "role": "assistant",
                        "content": "As days shorten, trees stop making chlorophyll, so its green fades. Some species "
                        "then make red anthocyanins in the leaf, probably as protection against light and cold.",
                    }
                ],
            },
            {
                "id": "r2",
                "messages": [
                    {
                        "role": "assistant",
                        "content": "Leaves turn red because the tree gets cold. The red colour keeps the leaf warm "
                        "until spring.",
                    }
                ],
            },
        ],
    },
    {
        "prompt": [{"role": "user", "content": "Write a polite note that declines a wedding invitation."}],
        "responses": [
            {"id": "r1", "messages": [{"role": "assistant", "content": "Sorry, can't make it. Have fun!"}]},
            {
                "id": "r2",
                "messages": [
                    {
                        "role": "assistant",
                        "content": "Thank you so much for inviting us. We are away that weekend and sadly cannot be "
                        "there, but we will be thinking of you both and raise a glass from afar.",
                    }
                ],
            },
        ],
    },
)

_DIMENSIONS: Final = [
    Dimension(key="correct", title="Correct", help="Nothing stated is false, nothing needed is missing."),
    Dimension(key="helpful", title="Helpful", help="It does what was asked, in the form that was asked for."),
    Dimension(key="clear", title="Clear", help="Easy to follow, as long as it has to be and no longer."),
]

TEMPLATES: Final = (
    Template(
        key="which-is-better",
        title="Which response is better?",
        summary="Two or more responses to a prompt: which is better, how clearly, and why. For reward models and DPO.",
        config=to_json(ComparisonConfig()),
        guidelines=GUIDELINES,
        examples=_PAIR_EXAMPLES,
    ),
    Template(
        key="ranked-and-rated",
        title="Rank and rate on several dimensions",
        summary="The same, with each response also rated 1 to 7 for correctness, help and clarity.",
        config=to_json(ComparisonConfig(dimensions=_DIMENSIONS)),
        guidelines=GUIDELINES,
        examples=_PAIR_EXAMPLES,
    ),
)
