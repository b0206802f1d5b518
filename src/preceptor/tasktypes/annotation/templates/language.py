"""Templates for text: entities, relations, classes, translation, dialogue, surveys."""

from typing import Final

from preceptor.tasktypes.annotation.templates.making import template
from preceptor.tasktypes.base import Template

_ENTITIES: Final = """\
<View>
  <Labels name="entity" toName="text">
    <Label value="Person" background="#b4532a" hotkey="1"/>
    <Label value="Organization" background="#2b6cb0" hotkey="2"/>
    <Label value="Place" background="#2f855a" hotkey="3"/>
    <Label value="Date" background="#805ad5" hotkey="4"/>
  </Labels>
  <Text name="text" value="$text" granularity="word"/>
  <Choices name="nothing" toName="text" choice="multiple">
    <Choice value="There is no entity in this text" hotkey="0"/>
  </Choices>
</View>
"""

_ENTITIES_GUIDE: Final = """\
# Named entities

Mark every name of a person, an organization or a place, and every date.

- Mark the **whole name**, with titles that belong to it (*Dr. Ines Calder*), without the words around it.
- A name counts by **what it means here**: a town that stands for its government is an organization.
- Mark every mention, also the second and third.
- Do not mark pronouns (*she*, *the company*).
- **Dates** are days, months, years and seasons with a year; not *soon* or *on Mondays*.

If a text has no entity, tick that there is none.
"""

_RELATION: Final = """\
<View>
  <Labels name="entity" toName="text">
    <Label value="Person" background="#b4532a"/>
    <Label value="Organization" background="#2b6cb0"/>
    <Label value="Product" background="#2f855a"/>
  </Labels>
  <Relations>
    <Relation value="works for"/>
    <Relation value="founded"/>
    <Relation value="makes"/>
  </Relations>
  <Text name="text" value="$text" granularity="word"/>
</View>
"""

_RELATION_GUIDE: Final = """\
# Relations

1. Mark every person, organization and product.
2. Connect two of them where **the text says so**: start at the one that acts.

- *works for*: person to organization, at the time of the text.
- *founded*: person or organization to organization.
- *makes*: organization to product.

What you know but the text does not say is no relation.
"""

_CLASSES: Final = """\
<View>
  <Text name="text" value="$text"/>
  <Choices name="topic" toName="text" choice="single" required="true" showInline="true">
    <Choice value="Delivery" hotkey="1"/>
    <Choice value="Payment" hotkey="2"/>
    <Choice value="Product" hotkey="3"/>
    <Choice value="Other" hotkey="4"/>
  </Choices>
  <Choices name="tone" toName="text" choice="multiple">
    <Choice value="Angry"/>
    <Choice value="Thankful"/>
    <Choice value="In a hurry"/>
  </Choices>
  <View visibleWhen="choice-selected" whenTagName="topic" whenChoiceValue="Other">
    <TextArea name="other" toName="text" placeholder="What is it about?" maxSubmissions="1" required="true"/>
  </View>
</View>
"""

_CLASSES_GUIDE: Final = """\
# Classify messages

Choose the **one topic** that the sender wants something done about.

- *Delivery*: where it is, when it comes, where it should go.
- *Payment*: prices, invoices, money back.
- *Product*: what it does or fails to do.
- *Other*: say in a few words what it is about.

Tick every tone that a stranger would hear in the words. Leave all empty where the message is neutral.
"""

_TRANSLATION: Final = """\
<View>
  <Header value="Source"/>
  <Text name="source" value="$source" selectionEnabled="false"/>
  <Header value="Translation"/>
  <Text name="target" value="$target" granularity="word"/>
  <Labels name="error" toName="target">
    <Label value="Mistranslation" background="#c53030"/>
    <Label value="Omission" background="#dd6b20"/>
    <Label value="Addition" background="#d69e2e"/>
    <Label value="Grammar" background="#2b6cb0"/>
    <Label value="Terminology" background="#6b46c1"/>
    <Label value="Style" background="#4a5568"/>
  </Labels>
  <Choices name="severity" toName="target" perRegion="true" required="true" choice="single" showInline="true"
      requiredMessage="Say for every error how severe it is.">
    <Choice value="Minor" hint="noticed, but understood"/>
    <Choice value="Major" hint="changes or hides the meaning"/>
    <Choice value="Critical" hint="could do harm"/>
  </Choices>
  <Rating name="quality" toName="target" maxRating="5" required="true"/>
  <TextArea name="correction" toName="target" rows="3" value="$target" editable="true" maxSubmissions="1"/>
</View>
"""

_TRANSLATION_GUIDE: Final = """\
# Translation review

Compare sentence by sentence. Mark each error **in the translation**, as short as it can be, and say how severe it is
(after the MQM typology: accuracy, fluency, terminology, style).

- *Mistranslation*: another meaning than the source.
- *Omission*: mark the word after the gap.
- *Addition*: something the source does not say.
- *Grammar*: also spelling and punctuation.

Rate the whole from 1 (useless) to 5 (nothing to change), then correct the text.
"""

_DIALOGUE: Final = """\
<View>
  <Paragraphs name="dialogue" value="$dialogue" layout="dialogue" nameKey="speaker" textKey="text"/>
  <ParagraphLabels name="act" toName="dialogue" choice="single">
    <Label value="Question" background="#2b6cb0"/>
    <Label value="Promise" background="#2f855a"/>
    <Label value="Apology" background="#b7791f"/>
    <Label value="Wrong statement" background="#c53030"/>
  </ParagraphLabels>
  <Choices name="solved" toName="dialogue" choice="single-radio" required="true" showInline="true">
    <Choice value="Solved"/>
    <Choice value="Partly"/>
    <Choice value="Not solved"/>
  </Choices>
  <Rating name="politeness" toName="dialogue" maxRating="5"/>
  <TextArea name="summary" toName="dialogue" rows="2" maxSubmissions="1" placeholder="What happened, in one sentence"/>
</View>
"""

_DIALOGUE_GUIDE: Final = """\
# Dialogue review

Read to the end first.

- Mark what each *Question*, *Promise*, *Apology* and *Wrong statement* says, in the words of the speaker.
- **Solved** means the customer has what they came for, or knows when.
- Politeness is how the agent speaks, not whether the news is good.
"""

_CHAT: Final = """\
<View>
  <Chat name="chat" value="$messages"/>
  <Choices name="reply" toName="chat" perItem="true" choice="single" showInline="true">
    <Choice value="Good"/>
    <Choice value="Weak"/>
    <Choice value="Wrong"/>
    <Choice value="Not a reply"/>
  </Choices>
  <Rating name="overall" toName="chat" maxRating="5" required="true"/>
  <TextArea name="reason" toName="chat" rows="2" maxSubmissions="1" required="true"
      placeholder="What decided it? Name the turn."/>
</View>
"""

_CHAT_GUIDE: Final = """\
# Review a conversation with an assistant

Judge each reply of the assistant, then the whole.

- *Good*: correct and helpful as it stands.
- *Weak*: nothing wrong, but incomplete or hard to use.
- *Wrong*: at least one statement is false or against what was asked.

A conversation with a wrong reply cannot get more than 3 points.
"""

_SURVEY: Final = """\
<View>
  <Header value="$title" size="3"/>
  <Text name="text" value="$text" selectionEnabled="false"/>
  <Header value="How easy was it to read?"/>
  <Rating name="ease" toName="text" maxRating="5" required="true"/>
  <Header value="Who is it for?"/>
  <Choices name="audience" toName="text" choice="multiple" required="true">
    <Choice value="Children"/>
    <Choice value="Everybody"/>
    <Choice value="Experts"/>
  </Choices>
  <Header value="Minutes you needed"/>
  <Number name="minutes" toName="text" min="0" max="60" step="1"/>
  <Header value="When did you last read about this?"/>
  <DateTime name="last" toName="text" only="date"/>
  <Header value="Where does it belong?"/>
  <Taxonomy name="shelf" toName="text">
    <Choice value="Nature"><Choice value="Animals"/><Choice value="Plants"/></Choice>
    <Choice value="Technology"><Choice value="Tools"/><Choice value="Transport"/></Choice>
  </Taxonomy>
  <Header value="Anything else?"/>
  <TextArea name="remarks" toName="text" rows="3" maxSubmissions="1"/>
</View>
"""

_SURVEY_GUIDE: Final = """\
# Reader survey

Read the text once, at your own pace, and answer for yourself: there are no right answers.

- **Easy to read** is about the words and sentences, not about the subject.
- Tick everybody who would gain from reading it.
- Leave out what you do not remember; a guess is worth less than nothing.
"""

_RANKING: Final = """\
<View>
  <Header value="Question"/>
  <Text name="question" value="$question" selectionEnabled="false"/>
  <List name="results" value="$results" title="Search results"/>
  <Ranker name="relevance" toName="results">
    <Bucket name="answers" title="Answers the question"/>
    <Bucket name="helps" title="Helps"/>
    <Bucket name="off" title="Beside the point" default="true"/>
  </Ranker>
</View>
"""

_RANKING_GUIDE: Final = """\
# Search results

Put every result into a bucket, and the best of a bucket on top.

- *Answers the question*: a reader needs nothing else.
- *Helps*: part of the answer, or leads to it.
- *Beside the point*: everything else.
"""

LANGUAGE: Final[tuple[Template, ...]] = (
    template(
        "classification",
        "Text classification",
        "One topic, any number of tones, and a free word where none fits.",
        _CLASSES,
        _CLASSES_GUIDE,
        (
            {"text": "My parcel has been in Lyon since Tuesday. When will it arrive?"},
            {"text": "You charged me twice for one lamp. Please send the money back today!"},
            {"text": "Thank you, the new hinge fits and the door closes again."},
        ),
    ),
    template(
        "named-entities",
        "Named entities",
        "Mark people, organizations, places and dates in text.",
        _ENTITIES,
        _ENTITIES_GUIDE,
        (
            {"text": "Ines Calder opened the second Harbour Mills bakery in Porto on 3 March 2021."},
            {"text": "In spring 2019 the Meadow Institute moved from Graz to Linz; Tomas Vale stayed."},
        ),
    ),
    template(
        "relations",
        "Relations",
        "Mark people, organizations and products, and connect them.",
        _RELATION,
        _RELATION_GUIDE,
        (
            {"text": "Mara Lindt left Copperline, where she had designed the K2 kettle, to found Brightwater."},
            {"text": "Brightwater now employs Tomas Vale and sells a filter called Rill."},
        ),
    ),
    template(
        "translation",
        "Translation review (MQM)",
        "Mark errors with type and severity, rate and correct a translation.",
        _TRANSLATION,
        _TRANSLATION_GUIDE,
        (
            {
                "source": "Der Zug hält heute nicht in Kassel, weil das Gleis gesperrt ist.",
                "target": "The train does not stop in Kassel because the track is locked.",
            },
            {
                "source": "Bitte rühren Sie die Suppe um, bevor Sie sie servieren.",
                "target": "Please stir the soup before serving it.",
            },
        ),
    ),
    template(
        "dialogue",
        "Dialogue review",
        "Mark what speakers do, and judge how a conversation went.",
        _DIALOGUE,
        _DIALOGUE_GUIDE,
        (
            {
                "dialogue": [
                    {"speaker": "Customer", "text": "The washing machine stops after two minutes. What can I do?"},
                    {"speaker": "Agent", "text": "I am sorry to hear that. Is the water tap open?"},
                    {"speaker": "Customer", "text": "It is. The display says E3."},
                    {"speaker": "Agent", "text": "E3 means the filter is full. I will send you the steps by mail."},
                ]
            },
        ),
    ),
    template(
        "chat-review",
        "Assistant conversation review",
        "Judge every reply of an assistant, then the whole conversation.",
        _CHAT,
        _CHAT_GUIDE,
        (
            {
                "messages": [
                    {"role": "user", "content": "How many moons does Mars have?"},
                    {"role": "assistant", "content": "Mars has two moons, **Phobos** and **Deimos**."},
                    {"role": "user", "content": "Which one is larger?"},
                    {"role": "assistant", "content": "Deimos is the larger one."},
                ]
            },
        ),
    ),
    template(
        "search-ranking",
        "Search result ranking",
        "Sort results into buckets, the best on top.",
        _RANKING,
        _RANKING_GUIDE,
        (
            {
                "question": "How long do hard-boiled eggs keep?",
                "results": [
                    {"id": "a", "title": "Storing eggs", "body": "Boiled eggs keep about a week in the fridge."},
                    {"id": "b", "title": "Boiling eggs", "body": "Ten minutes in boiling water make a firm yolk."},
                    {"id": "c", "title": "Egg colours", "body": "Brown hens usually lay brown eggs."},
                ],
            },
        ),
    ),
    template(
        "survey",
        "Survey",
        "Ratings, choices, numbers, dates and free text about a piece of reading.",
        _SURVEY,
        _SURVEY_GUIDE,
        (
            {
                "title": "Why swifts never land",
                "text": "A young swift that leaves its nest may stay in the air for ten months. It eats, drinks and "
                "even sleeps while flying, a few seconds at a time.",
            },
        ),
    ),
)
