"""Projects of prompt writing that a client starts from. All sample material was written for this purpose."""

from preceptor.tasktypes.base import Row, Template, to_json
from preceptor.tasktypes.prompt.models import PromptConfig
from preceptor.tasktypes.writing.style import Rule

_RUBRIC: tuple[Row, ...] = (
    {
        "key": "brief",
        "title": "Meets the brief",
        "description": "Topic, difficulty and every constraint are kept.",
        "scale_min": 1,
        "scale_max": 5,
        "weight": 2,
        "anchors": {"1": "Another task altogether", "5": "Exactly what was asked for"},
    },
    {
        "key": "clear",
        "title": "Has one meaning",
        "description": "Two careful readers understand the same and would accept the same answers.",
        "scale_min": 1,
        "scale_max": 5,
        "weight": 2,
        "anchors": {"1": "Nobody could grade it", "5": "The right answer is beyond dispute"},
    },
    {
        "key": "new",
        "title": "New",
        "description": "Not a riddle from the web and not a variation of an earlier prompt.",
        "scale_min": 1,
        "scale_max": 5,
        "weight": 1,
        "anchors": {"1": "Found in a minute", "5": "Seen nowhere before"},
    },
)

_HARD_GUIDELINES = """\
# What to write

A prompt at which a good model fails, for a reason that lies in the model and not in the prompt.

1. **It is answerable.** You know the right answer and can show why it is right.
2. **It has one meaning.** The model must not fail because the question is unclear or a trick of words.
3. **It matters.** Somebody in your field could ask it in earnest.
4. **Run it.** Judge every answer by your reference answer; say exactly what is wrong in those that fail.

## Not wanted

Puzzles known from the web, long arithmetic for its own sake, questions about today's news, requests that a model
refuses out of caution.
"""

_TOPIC_GUIDELINES = """\
# What to write

A prompt as somebody with this need would really write it.

1. **Keep to topic and constraints** of the brief.
2. **Vary**: another situation, another person, another form of answer than in your last prompts.
3. **Give what is needed** to answer: figures, texts, code that the question is about.

Write the way people write. Not every prompt is polite, complete or a question.
"""

HARD_PROMPTS = Template(
    key="hard-prompts",
    title="Write hard prompts",
    summary="Experts write prompts at which your models fail, run them, and say what goes wrong.",
    config=to_json(
        PromptConfig(
            instruction="Write a prompt at which the model fails",
            reference="required",
            why_fails="required",
            runs=2,
            fails_min=1,
            words_min=8,
            rules=[Rule(kind="forbidden_phrases", phrases=["ignore previous instructions"], severity="block")],
        )
    ),
    guidelines=_HARD_GUIDELINES,
    rubric=_RUBRIC,
    examples=(
        {
            "topic": "Everyday physics",
            "difficulty": "hard",
            "brief": "A question about **heat or pressure at home** whose obvious answer is wrong.",
            "constraints": ["Can be answered in one paragraph", "No calculation with more than two steps"],
            "examples": ["A helium balloon floats in a car with closed windows. Which way does it move when I brake?"],
            "must_fail": True,
            "fails_because": "Models repeat the common intuition instead of following the forces.",
        },
        {
            "topic": "Reading a contract",
            "difficulty": "hard",
            "brief": "Give a short invented clause and ask what it means for one party.",
            "constraints": ["The clause is in the prompt", "Exactly one reading is right"],
            "must_fail": True,
            "fails_because": "Models overlook an exception to an exception.",
        },
    ),
)

TOPIC_PROMPTS = Template(
    key="topic-prompts",
    title="Prompts for a topic",
    summary="People write many different, realistic prompts about given topics.",
    config=to_json(PromptConfig(words_min=5, tags_min=1, refuse_likeness=0.7)),
    guidelines=_TOPIC_GUIDELINES,
    rubric=_RUBRIC,
    examples=(
        {
            "topic": "Cooking for many",
            "difficulty": "easy",
            "brief": "Somebody has to cook for more people than usual and needs help with one thing.",
            "constraints": ["Says for how many people", "Mentions one thing that makes it difficult"],
            "examples": ["12 people on Saturday, two are vegan, and I have one oven. What can I cook on Friday?"],
        },
        {
            "topic": "Spreadsheets",
            "difficulty": "medium",
            "brief": "A question about a formula or about cleaning up a table.",
            "constraints": ["A few rows of the table are in the prompt"],
        },
    ),
)
