"""Projects of demonstrations that a client starts from. All sample material was written for this purpose."""

from preceptor.tasktypes.base import Row, Template, to_json
from preceptor.tasktypes.demonstration.models import DemonstrationConfig
from preceptor.tasktypes.writing.style import Rule

_RULES = [
    Rule(
        kind="forbidden_phrases",
        severity="block",
        phrases=["Certainly", "Sure", "Great question", "As an AI"],
        place="start",
        message="Begin with the answer itself, without a greeting or a compliment.",
    ),
    Rule(
        kind="forbidden_phrases",
        phrases=["I hope this helps", "let me know if you have any questions"],
        place="end",
        message="End where the answer ends.",
    ),
    Rule(kind="sentence_words_max", limit=45),
    Rule(kind="paragraph_words_max", limit=150),
]

_RUBRIC: tuple[Row, ...] = (
    {
        "key": "correct",
        "title": "Correct",
        "description": "Every statement is true, and what is uncertain is called so.",
        "scale_min": 1,
        "scale_max": 5,
        "weight": 3,
        "anchors": {"1": "A reader would be misled", "5": "An expert would sign it"},
    },
    {
        "key": "complete",
        "title": "Does what was asked",
        "description": "All of the request is answered, in the form that was asked for, and nothing else.",
        "scale_min": 1,
        "scale_max": 5,
        "weight": 2,
        "anchors": {"1": "Misses the point", "5": "Nothing to add and nothing to take away"},
    },
    {
        "key": "clear",
        "title": "Clear",
        "description": "Easy to follow for the person who asked.",
        "scale_min": 1,
        "scale_max": 5,
        "weight": 1,
        "anchors": {"1": "Has to be read twice", "5": "Reads by itself"},
    },
)

_ANSWER_GUIDELINES = """\
# What to write

Write the answer that you would be proud to give: correct, complete, and as short as that allows.

1. **Read the whole prompt.** Note what is asked, for whom, and in which form.
2. **Answer first, explain after.** The first sentence already helps.
3. **Be right.** Check figures, names and code. Say what you are not sure of.
4. **Give sources** where a statement could be doubted, with the words that support it.
5. **Use Markdown only where it helps**: code in fences with the language, steps as a list, formulas between dollars.

## What to leave out

Greetings, compliments, repetition of the question, and offers to say more.

## Own words

Write it yourself. A text that a model wrote teaches a model nothing.
"""

_CONVERSATION_GUIDELINES = """\
# What to write

A whole conversation between a user and an assistant, as it could really happen. You write both sides.

1. **The user** has a reason to ask and says it the way people do: short, sometimes unclear, sometimes wrong.
2. **The assistant** answers what is meant, asks back where it must, and remembers what was said.
3. **Something happens**: later turns build on earlier ones, correct them or go deeper.
4. **It ends well**: the user has what they came for.

Every turn of the assistant is judged like a single answer: correct, to the point, clear.
"""

_EDIT_GUIDELINES = """\
# What to do

Turn the draft into an answer that you would sign. Change what is wrong or missing, and leave what is good.

1. **Facts first**: correct what is false, take out what nobody can know.
2. **Then the request**: add what was asked and is missing, remove what was not asked.
3. **Then the words**: shorten, straighten, bring into order.

Do not rewrite for taste. Each change should make the answer better for a reason that you could name. A draft that is
right already may stay as it is.
"""

WRITE_ANSWER = Template(
    key="ideal-answer",
    title="Write the ideal answer",
    summary="Experts answer prompts as the model should: for supervised fine-tuning.",
    config=to_json(DemonstrationConfig(mode="answer", words_min=20, rules=_RULES)),
    guidelines=_ANSWER_GUIDELINES,
    rubric=_RUBRIC,
    examples=(
        {
            "prompt": [
                {
                    "role": "user",
                    "content": "Why does bread go stale faster in the fridge than on the counter? I always thought "
                    "cold keeps food fresh.",
                }
            ]
        },
        {
            "prompt": [
                {"role": "system", "content": "You help pupils of about 14 years. Explain one idea at a time."},
                {"role": "user", "content": "What is $\\sqrt{2}$ good for if you cannot even write it down?"},
            ]
        },
        {
            "prompt": [
                {
                    "role": "user",
                    "content": "This should give the median but fails for lists of even length:\n\n```python\n"
                    "def median(xs):\n    return sorted(xs)[len(xs) / 2]\n```\n\nWhat is wrong and how do I fix it?",
                }
            ]
        },
    ),
)

WRITE_CONVERSATION = Template(
    key="conversation",
    title="Write a conversation",
    summary="Experts write both sides of a conversation from a brief.",
    config=to_json(
        DemonstrationConfig(mode="conversation", turns_min=4, turns_max=12, allow_system=True, rules=_RULES)
    ),
    guidelines=_CONVERSATION_GUIDELINES,
    rubric=_RUBRIC,
    examples=(
        {
            "brief": "A tenant finds mould behind a wardrobe in November and asks what to do. They are worried about "
            "health and about who pays. They mention only in the third turn that the window was replaced last year."
        },
        {
            "brief": "Somebody learns the cello at 45 and is frustrated after six months. The assistant finds out what "
            "the trouble is before it advises.\n\n- at least one question by the assistant\n- no flattery"
        },
    ),
)

CORRECT_DRAFT = Template(
    key="correct-draft",
    title="Correct a model's draft",
    summary="Experts correct drafts with tracked changes: SFT rows and preference pairs in one.",
    config=to_json(DemonstrationConfig(mode="edit", rules=_RULES[:1])),
    guidelines=_EDIT_GUIDELINES,
    rubric=_RUBRIC,
    examples=(
        {
            "prompt": [{"role": "user", "content": "How long does it take light to get from the Sun to the Earth?"}],
            "draft": "Great question! Light takes about 8 seconds to travel from the Sun to the Earth, because light "
            "moves at roughly 300,000 kilometres per second and the distance is 150 million kilometres. I hope this "
            "helps!",
        },
        {
            "prompt": [{"role": "user", "content": "In one sentence: what does a catalyst do?"}],
            "draft": "A catalyst speeds up a chemical reaction by raising its activation energy. It is consumed in the "
            "process. Examples are enzymes and platinum.",
        },
    ),
)
