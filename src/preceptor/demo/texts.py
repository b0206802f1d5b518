"""Guidelines and rubrics of the demo projects, as plain data.

A rubric is what a reviewer judges a submission by: the ranking, its strength and the written reason. Its entries have
the fields of a project's rubric criteria, so they can be sent as they are.
"""

# ruff: noqa: E501  (the long lines are sentences that people read; broken up they are hard to edit)

from __future__ import annotations

from typing import TypedDict


class CriterionText(TypedDict):
    """One criterion. `weight` is its share in per cent; `anchors` describes points of the scale by their number."""

    key: str
    title: str
    description: str
    scale_min: int
    scale_max: int
    weight: float
    anchors: dict[str, str]


SHIPPED_TITLE = "Which answer is right?"
SHIPPED_QUESTION = "Which response answers the question better?"
SHIPPED_SUMMARY = (
    "Compare answers to short questions on mathematics, code, dates, units, logic, reading and statistics. "
    "One answer is right; find it, and say how you know."
)

SHIPPED_GUIDELINES = """\
# How to judge these answers

You see a question and two to four responses. **Rank the responses by how well they answer the question**, say how
clear the difference is, and write down what decided it. Most tasks take one to three minutes.

## In this order

1. **Read the question twice.** Small words decide: *inclusive*, *at least*, *only if*, *per cent* or *percentage points*.
2. **Work it out yourself** before you read the responses closely. Paper, a calculator or a calendar are welcome.
   For code, go through the program line by line or run it.
3. **Compare results**, then the steps that lead to them.
4. **Rank, choose the strength, and justify.**

## What counts

| more | less | not at all |
|---|---|---|
| the result is right | the explanation is easy to follow | length |
| every part that was asked is answered | units and formats are those asked for | politeness, confidence, closing remarks |
| each step and each claim holds | the answer shows a check that really checks | the order on the screen |

- A right result with a short reason beats a wrong result with a long one.
- If a question has **several parts**, more parts right is better. One part right beats none.
- "I double-checked this" proves nothing. A check counts when you can repeat it.
- For a **passage**, only what the passage says or implies is right. A plausible answer that it does not support is wrong,
  and "the text does not say" can be the best answer.

## Ties and strength

Give responses the **same rank** only if you find no difference that matters: both right or both wrong in the same
number of parts. A tie is not a way to say "I am not sure"; if you cannot tell, skip the task.

| strength | when |
|---|---|
| 3, much better | one is right, the other wrong in its main result |
| 2, clearly better | one is wrong in a part, or reaches the result by a false step |
| 1, slightly better | both results are right, and one explains or checks better |
| 0, the same | only together with equal ranks |

## The justification

One to three sentences, in your own words: **name the result or step that decided**, and what is wrong with it or how
you verified it.

> *Good:* "Both ends count here, so it is 95 days; the other response only subtracts the dates and gets 94."
>
> *Not enough:* "The first one is better and clearer."

## Flag or skip

Flag a task whose question cannot be answered or whose text is broken. Skip what you cannot judge; skipping is free.
"""

SHIPPED_RUBRIC: tuple[CriterionText, ...] = (
    {
        "key": "verdict",
        "title": "Verdict",
        "description": "Does the ranking agree with what the question asks and with what is right, over all responses?",
        "scale_min": 1,
        "scale_max": 7,
        "weight": 45.0,
        "anchors": {
            "1": "A wrong response is ranked first, and reading the question would have shown it.",
            "3": "The best response is not first, but the mistake is subtle.",
            "5": "The best response is first; the others are in a doubtful order.",
            "7": "Every response stands where a careful expert would put it.",
        },
    },
    {
        "key": "evidence",
        "title": "Evidence in the reason",
        "description": "Does the justification name the result, step, line or sentence that decides, and is what it says true?",
        "scale_min": 1,
        "scale_max": 7,
        "weight": 35.0,
        "anchors": {
            "1": "No reason, or one that would fit any task.",
            "3": "Names a result without saying why it is right or wrong.",
            "5": "Names the deciding point; one detail is vague.",
            "7": "Names the deciding point and how it was verified, so that a reader can repeat it.",
        },
    },
    {
        "key": "strength",
        "title": "Strength and ties",
        "description": "Is the strength chosen by the table in the guidelines, and are ties used only for equal merit?",
        "scale_min": 1,
        "scale_max": 7,
        "weight": 10.0,
        "anchors": {
            "1": "A tie although one response is plainly right.",
            "4": "One step stronger or weaker than the guidelines say.",
            "7": "As the guidelines say.",
        },
    },
    {
        "key": "fairness",
        "title": "Nothing but the answer",
        "description": "Is the judgment free of what does not count: length, tone, order on the screen?",
        "scale_min": 1,
        "scale_max": 7,
        "weight": 10.0,
        "anchors": {
            "1": "The reason given is length, politeness or position.",
            "4": "Style is given as much room as substance.",
            "7": "Only the substance decides; style is used to separate equals at most.",
        },
    },
)

DEBATE_TITLE = "Which argument is more convincing?"
DEBATE_QUESTION = "Which argument is more convincing?"
DEBATE_SUMMARY = (
    "Compare two arguments from online debates that take the same side of the same question, and say which of them "
    "would convince an open-minded reader more, and why."
)

DEBATE_GUIDELINES = """\
# How to judge these arguments

You see the question of a debate, the side taken, and two arguments **for the same side**. Decide **which argument would
convince an open-minded reader more**. Your own opinion on the question does not matter, and nobody asks for it.

## In this order

1. **Read both to the end.** They were written by people in online debates, with slips, slang and strong words.
2. **Ask of each:** What is the claim? What reason is given? Does the reason support the claim? Is there evidence,
   such as an example, a number, an experience?
3. **Choose** the more convincing one, or *equally convincing*.
4. **Write why**, with something that is really in the text.

## What makes an argument convincing

| strengthens | weakens |
|---|---|
| a reason that bears on the question | leaves the question, or answers another one |
| facts, figures, examples, named sources | mere claims, "everybody knows", made-up figures |
| meets an objection | attacks persons instead of reasons |
| is clear and in order | repeats itself, contradicts itself, cannot be understood |
| speaks to the reader with respect | insults, jokes or shouts instead of arguing |

- **Length is not strength.** Longer arguments often hold more reasons. Then it is the reasons that count.
- **Spelling** matters only where it makes the text hard to follow.
- **Agreeing is not being convinced.** A weak argument for your own view is still weak.
- You need not check facts. Judge whether the argument gives a reader grounds to believe them.

## Equally convincing

Use it when you would hesitate to bet on either: both weak in the same way, both strong by different means. Do not use it
to save time.

## The reason

One or two sentences about **these two** arguments.

> *Good:* "A names what banning bottles would do to jobs and gives a figure; B only says that it is a bad idea."
>
> *Not enough:* "B is more convincing."

## Take care

Debates touch on faith, politics and private life, and some arguments are offensive. Skip whatever you would rather not
read; skipping is free and nobody asks why. Flag texts that are not arguments at all.
"""

DEBATE_RUBRIC: tuple[CriterionText, ...] = (
    {
        "key": "grounds",
        "title": "Grounds in the texts",
        "description": "Does the reason refer to what the two arguments really say?",
        "scale_min": 1,
        "scale_max": 7,
        "weight": 40.0,
        "anchors": {
            "1": "No reason, or one about texts other than these.",
            "3": "A general remark that fits one of them.",
            "5": "Refers to the content of one argument.",
            "7": "Compares both on a point that is found in them.",
        },
    },
    {
        "key": "criterion",
        "title": "Convincing, not agreeable",
        "description": "Is it the force of the argument that is judged, and not the judge's own opinion?",
        "scale_min": 1,
        "scale_max": 7,
        "weight": 30.0,
        "anchors": {
            "1": "The reason states the judge's own view of the question.",
            "4": "Opinion and argument are mixed.",
            "7": "Only relevance, support, clarity and tone of the arguments are used.",
        },
    },
    {
        "key": "choice",
        "title": "Choice follows from the reason",
        "description": "Does the choice, a tie included, agree with the reason that is given for it?",
        "scale_min": 1,
        "scale_max": 7,
        "weight": 30.0,
        "anchors": {
            "1": "The reason speaks for the other choice.",
            "4": "The reason would fit either choice.",
            "7": "A reader of the reason alone would expect this choice.",
        },
    },
)
