"""Short passages written for the demo, with questions, sound answers and answers that the passage does not support.

People, places and events are invented. Each `quote` stands word for word in its passage.
"""

# ruff: noqa: E501  (the long lines are sentences that people read; broken up they are hard to edit)

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """A question on a passage. Of the two answers only `sound` is supported; `quote` is the evidence."""

    ask: str
    sound: str
    unsupported: str
    quote: str
    why: str
    difficulty: float


@dataclass(frozen=True)
class Passage:
    """A text to be read, and what is asked about it."""

    title: str
    text: str
    questions: tuple[Question, ...]


PASSAGES = (
    Passage(
        "The lighthouse at Corrin Head",
        "The first light on Corrin Head was an open coal fire, lit in 1741 and paid for by a toll on herring boats. It burned so much coal "
        "that in bad winters the keeper let it go out before dawn. The stone tower followed in 1803, after the wreck of the *Margaret* two years "
        "earlier, in which nineteen of the twenty-six people on board were lost. Its oil lamps used a tenth of the money that the fire had "
        "consumed. The tower was switched to electricity in 1938 and has had no resident keeper since 1981, although volunteers still open it to "
        "visitors on the first Sunday of each month.",
        (
            Question(
                "How many people survived the wreck of the *Margaret*?",
                "The passage gives the number on board and the number lost, so the survivors are the difference: 26 − 19. **Seven** people survived.",
                "According to the passage the ship went down before the stone tower was built. Of the people on board, **nineteen** survived.",
                "nineteen of the twenty-six people on board were lost",
                "Nineteen were lost, so seven of the twenty-six survived.",
                0.3,
            ),
            Question(
                "In which year was the *Margaret* wrecked?",
                "The tower was built in 1803, and the wreck happened “two years earlier”. That puts it in **1801**, before the tower stood.",
                "The passage links the wreck with the stone tower that was put up because of it, and dates this event to the year **1803**.",
                "The stone tower followed in 1803, after the wreck of the *Margaret* two years earlier",
                "1803 is the year of the tower; the wreck came two years before.",
                0.35,
            ),
            Question(
                "Why, according to the passage, did the coal fire sometimes go out before dawn?",
                "It took a great deal of coal, and in bad winters the keeper let it go out early. The reason given is **its use of coal**.",
                "Open fires are hard to keep burning on an exposed headland in winter storms. The reason given is **strong wind and rain**.",
                "It burned so much coal that in bad winters the keeper let it go out before dawn.",
                "The passage speaks of the amount of coal. Wind and rain are plausible but not mentioned.",
                0.4,
            ),
        ),
    ),
    Passage(
        "Bees on the museum roof",
        "In spring 2019 the city museum placed four hives on its roof. The first summer brought 31 kilograms of honey, more than the staff had "
        "hoped for. In the second winter two colonies died; the beekeeper, Ms Adeyemi, suspects mites, but the samples sent to the laboratory "
        "were lost in the post, so the cause was never established. Since then the museum has kept only three hives, because a fourth would need "
        "a second staircase for safety reasons. Honey is sold in the museum shop. The income covers the cost of the hives but not Ms Adeyemi's "
        "hours, which the Friends of the Museum pay for.",
        (
            Question(
                "What killed the two colonies?",
                "Ms Adeyemi suspects mites, but the samples were lost before they could be tested. What killed the colonies is **not known**.",
                "The passage describes how two colonies died in the second winter after the hives were set up. They were killed by **mites**.",
                "the cause was never established",
                "Mites are only suspected; the passage says that the cause was never established.",
                0.5,
            ),
            Question(
                "Does the sale of honey pay for everything connected with the bees?",
                "**No.** It pays for the hives themselves. The beekeeper's hours are not covered by it and are paid for by the Friends of the Museum.",
                "**Yes.** The honey is sold in the museum shop, and the passage says that this income covers the cost, so that the museum has no other expense.",
                "The income covers the cost of the hives but not Ms Adeyemi's hours",
                "The working hours are paid for by the Friends of the Museum.",
                0.35,
            ),
            Question(
                "Why does the museum not keep four hives today?",
                "It is a question of safety rather than of honey: a fourth hive would require **a second staircase**, as the passage explains.",
                "After the losses of the second winter the museum reduced the number. It does not keep four today because of **the risk of disease**.",
                "because a fourth would need a second staircase for safety reasons",
                "The reason stated is the missing staircase, not disease.",
                0.45,
            ),
        ),
    ),
    Passage(
        "A change in the bus timetable",
        "From 1 September, bus 14 will run every twelve minutes on weekdays between 7:00 and 19:00, instead of every fifteen. Outside these hours "
        "and at weekends nothing changes. The stop at Mill Lane will be served only by buses towards the station, since the road works make it "
        "unsafe to stop on the other side; passengers coming from the station should get off at Chapel Square, four minutes' walk away. The works "
        "are expected to take until the end of November. A return of the second stop has been requested by the residents, and the company says "
        "that it will decide in October.",
        (
            Question(
                "How many more buses an hour will there be at 10:00 on a Tuesday, in each direction?",
                "Every fifteen minutes is 4 an hour, every twelve minutes is 5 an hour. Tuesday at 10:00 falls in the new times, so there is **one more**.",
                "The gap between buses goes down from fifteen to twelve minutes, by three minutes. Tuesday at 10:00 is affected, so there are **three more**.",
                "bus 14 will run every twelve minutes on weekdays between 7:00 and 19:00, instead of every fifteen",
                "60 / 15 = 4 and 60 / 12 = 5, one more an hour.",
                0.45,
            ),
            Question(
                "Will bus 14 run more often on Saturday afternoons?",
                "**No.** The shorter interval applies to weekdays from 7:00 to 19:00, and at weekends the timetable remains as it is at present.",
                "**Yes.** From 1 September the bus runs every twelve minutes between 7:00 and 19:00, and Saturday afternoons fall within these hours.",
                "Outside these hours and at weekends nothing changes.",
                "The change is limited to weekdays.",
                0.3,
            ),
            Question(
                "Has the company agreed to reopen the second stop at Mill Lane?",
                "**Not yet.** Residents have asked for it, and the company has only said when it will decide, namely in October.",
                "**It has.** Residents asked for the second stop, and the company says that it will be reopened in October of the year.",
                "the company says that it will decide in October",
                "A decision is announced for October; its outcome is open.",
                0.45,
            ),
        ),
    ),
    Passage(
        "The reading trial",
        "Two hundred and forty pupils took part in a trial of a new reading programme. Half of them, chosen by lot, used it for twelve weeks; the others "
        "had lessons as usual. At the end the pupils of the programme read 9 words a minute faster on average than the others, who had improved too. "
        "Understanding, measured by questions on a text, did not differ between the groups. Teachers liked the programme, but eleven of the fifteen "
        "asked said that it took more time to prepare than they had expected. Whether the gain in speed lasts is to be tested after the summer.",
        (
            Question(
                "Did the programme improve understanding, compared with the usual lessons?",
                "The trial measured understanding with questions on a text and found no difference between the groups. So: **no effect was found**.",
                "Pupils of the programme read faster at the end, and faster readers take in more of a text. So: **yes, understanding improved**.",
                "Understanding, measured by questions on a text, did not differ between the groups.",
                "Speed improved; understanding did not differ.",
                0.4,
            ),
            Question(
                "How many pupils used the programme?",
                "There were 240 pupils, of whom half were chosen by lot to use it for twelve weeks. That makes **120** pupils in the programme.",
                "The passage says that the pupils took part in a trial of a new programme lasting twelve weeks. The number who used it is **240**.",
                "Half of them, chosen by lot, used it for twelve weeks",
                "240 took part; half of them, 120, used the programme.",
                0.25,
            ),
            Question(
                "Did the pupils with the usual lessons read no faster at the end than at the start?",
                "They did read faster: the passage says that they “had improved too”, only by less. The statement is therefore **wrong**.",
                "Those who had lessons as usual served as the comparison and stayed where they were. The statement is therefore **right**.",
                "than the others, who had improved too",
                "Both groups improved; the programme group by 9 words a minute more.",
                0.5,
            ),
        ),
    ),
    Passage(
        "Repairing the organ",
        "The organ of St Brannoc's was built by two brothers, Elias and Jonah Trewin. Elias made the pipes in his workshop at Polgarth and Jonah the case, "
        "which he carved on the spot during the winter of 1866. When the bellows failed in 1952 the parish bought an electric blower instead of mending "
        "them. The present restoration, begun in March, will bring the bellows back to use. Of the 1,148 pipes, 1,096 are original; the rest were "
        "replaced after a burst water main. The work is to cost £86,000, three quarters of which has been promised by a trust on the condition that "
        "the parish raises the remainder by Christmas.",
        (
            Question(
                "How much must the parish raise itself?",
                "A trust has promised three quarters of £86,000. The remaining quarter, which the parish must raise by Christmas, is **£21,500**.",
                "The work costs £86,000 and a trust has promised three quarters on a condition. The sum which the parish must raise is **£64,500**.",
                "three quarters of which has been promised by a trust on the condition that the parish raises the remainder by Christmas",
                "A quarter of £86,000 is £21,500; £64,500 is the trust's share.",
                0.4,
            ),
            Question(
                "Who carved the case, and where?",
                "The case is the work of **Jonah, in the church**: the passage says that he carved it “on the spot” in the winter of 1866.",
                "The case is the work of **Elias, at Polgarth**: the passage says that the workshop of the builders of the organ was there.",
                "Jonah the case, which he carved on the spot during the winter of 1866",
                "Elias made the pipes at Polgarth; Jonah carved the case on the spot.",
                0.35,
            ),
            Question(
                "How many pipes are not original?",
                "There are 1,148 pipes and 1,096 of them are original. The others were replaced after a burst water main: **52** pipes.",
                "The passage mentions that pipes were replaced after a burst water main. Taking the numbers together it was **152** pipes.",
                "Of the 1,148 pipes, 1,096 are original",
                "1,148 − 1,096 = 52.",
                0.25,
            ),
        ),
    ),
    Passage(
        "Foxes and the allotments",
        "For two years the allotment holders at Sandy Bank have kept a diary of fox sightings. There were 62 in the first year and 93 in the second. Mr Haldane, "
        "who keeps the diary, warns against reading too much into this: in the first year 14 people reported, in the second 31. A camera set up in May "
        "of the second year recorded a vixen with three cubs. Whether there are now more foxes than before nobody can say. What has changed is where they "
        "are seen: nearly all sightings of the second year come from the eastern half, where the compost bins stand.",
        (
            Question(
                "Has the number of foxes at Sandy Bank grown?",
                "Sightings rose, but so did the number of people reporting, and the passage says that nobody can tell. The answer is **unknown**.",
                "Sightings rose from 62 to 93, which is an increase of one half within a single year. The answer is **yes, by about 50%**.",
                "Whether there are now more foxes than before nobody can say.",
                "More people reported in the second year, so sightings alone do not show more foxes.",
                0.5,
            ),
            Question(
                "How many sightings were there per person reporting in the second year?",
                "In the second year 31 people reported 93 sightings. Dividing the one by the other gives **3** for each of them, on average.",
                "In the second year there were 93 sightings, and 14 people reported them. Dividing gives **about 6.6** for each, on average.",
                "in the first year 14 people reported, in the second 31",
                "93 / 31 = 3. The figure 14 belongs to the first year.",
                0.4,
            ),
            Question(
                "Does the passage say why foxes are seen in the eastern half?",
                "It mentions that the compost bins stand there and leaves it at that. A reason for the change is **not stated** in so many words.",
                "It explains that the foxes moved to the eastern half to feed on what they find in the bins. The reason is **stated: the food**.",
                "where the compost bins stand",
                "The passage names the place of the bins but claims no cause.",
                0.7,
            ),
        ),
    ),
    Passage(
        "Rules of the tool library",
        "Members may borrow up to three tools at a time for seven days. A loan can be extended once by another seven days, unless somebody else has reserved the "
        "tool. Electric tools are lent only to members who have taken the safety course; hand tools to everyone. Whoever returns a tool late pays €2 "
        "for each day begun, but never more than €20 for one tool. Damage through normal wear is free of charge. A member who has returned tools late three "
        "times in a year may borrow only one tool at a time for the following six months.",
        (
            Question(
                "Noor returns one drill thirteen days late. What does she pay?",
                "At €2 a day thirteen days would be €26. The fee for one tool is limited, however, so that Noor pays **€20** for the drill.",
                "The fee for a tool that comes back late is €2 for each day begun. For thirteen days it adds up, so that Noor pays **€26**.",
                "but never more than €20 for one tool",
                "The fee is capped at €20 for one tool.",
                0.4,
            ),
            Question(
                "What is the longest time for which a tool can be borrowed without being late?",
                "Seven days, plus one extension by seven days if nobody has reserved the tool. At the longest that makes **14 days** in all.",
                "Seven days, and the loan can be extended by seven days as long as nobody else wants it. It may add up to **21 days or more**.",
                "A loan can be extended once by another seven days",
                "One extension is allowed: 7 + 7 = 14 days.",
                0.35,
            ),
            Question(
                "May a member without the safety course borrow a hand saw and an electric sander?",
                "**Only the saw.** Hand tools are lent to everyone, while electric tools require the safety course, which this member has not taken.",
                "**Both of them.** Members may borrow up to three tools at a time for seven days, and two tools stay within the limit that is set.",
                "Electric tools are lent only to members who have taken the safety course; hand tools to everyone.",
                "The sander requires the course; the hand saw does not.",
                0.25,
            ),
        ),
    ),
    Passage(
        "The map in the attic",
        "When the Varga family cleared their attic they found a hand-drawn map of the valley, signed “T. Varga” and dated 1834. The paper, however, bears a watermark that "
        "the mill at Kesten did not use before 1850. The archivist Dr Solberg therefore takes the map for a later copy of an older drawing, since the course "
        "of the river it shows is the one from before the flood of 1841. Her colleague Mr Brandt thinks that the date was added to make the map look "
        "older. Both agree that the signature matches the one in the church register.",
        (
            Question(
                "What evidence speaks against the date of 1834 being the year in which this sheet was drawn?",
                "The sheet itself does: its paper carries a mark that was not in use before 1850. The evidence is **the watermark of the paper**.",
                "The signature does: it cannot be from the year given, as the archivists found out. The evidence is **the forged signature**.",
                "bears a watermark that the mill at Kesten did not use before 1850",
                "The watermark is later than 1834. The signature is said to match the church register.",
                0.45,
            ),
            Question(
                "On what point do Dr Solberg and Mr Brandt agree?",
                "Their views of the date differ. What they share is that the **signature matches** the one found in the church register.",
                "They are colleagues and come to one view. What they share is that the **map is a copy** of some older drawing.",
                "Both agree that the signature matches the one in the church register.",
                "Only the signature is agreed on; the copy is Dr Solberg's view.",
                0.45,
            ),
            Question(
                "Why does Dr Solberg think that an older drawing existed?",
                "Because the map shows **the old course of the river**, as it was before the flood of 1841, although the paper is of a later make.",
                "Because the map shows **the date 1834**, and the archivist sees no reason why the family should have put a wrong date on the sheet.",
                "the course of the river it shows is the one from before the flood of 1841",
                "Her argument is the course of the river.",
                0.55,
            ),
        ),
    ),
    Passage(
        "Cold water, warm hands",
        "In an experiment, volunteers held one hand in water of 10 °C for three minutes. Those who had been told to expect pain gave up earlier than those who had been told to "
        "expect “a fresh feeling”, although the skin of both groups cooled at the same rate. The researchers stress that all 48 volunteers were healthy students "
        "between 19 and 26, and that the effect was clear in women but too small to be certain in men. They do not recommend any treatment on this basis. "
        "A second experiment with patients of a pain clinic is planned.",
        (
            Question(
                "Do the results show that the effect holds for older patients?",
                "**No.** All volunteers were healthy students between 19 and 26, and the experiment with patients has yet to be carried out.",
                "**Yes.** What was found is how expectation acts on the feeling of pain, and this works in the same way in people of every age.",
                "all 48 volunteers were healthy students between 19 and 26",
                "Only healthy young students were studied.",
                0.45,
            ),
            Question(
                "Did the skin of those who expected pain cool faster?",
                "**No.** They gave up earlier, but not because of the temperature: the passage says that the skin of both groups cooled alike.",
                "**Yes.** They gave up earlier than the others, and the passage traces this back to the rate at which their skin became cold.",
                "although the skin of both groups cooled at the same rate",
                "Both groups cooled at the same rate.",
                0.3,
            ),
            Question(
                "What does the passage say about the effect in men?",
                "In women it was clear, while in men it was **too small to be certain**. This leaves open whether there is an effect in men.",
                "In women it was clear, while in men it was **shown to be absent**. This tells us that expectation does not matter to men.",
                "the effect was clear in women but too small to be certain in men",
                "“Too small to be certain” does not mean that there is none.",
                0.65,
            ),
        ),
    ),
    Passage(
        "Minutes of the housing co-operative",
        "Present were 23 of 40 members; a quorum needs more than half. The painting of the stairwell was approved by 15 votes to 6, with 2 abstentions. The motion to forbid "
        "bicycles in the courtyard received 14 votes for and 9 against; since changes to the house rules need two thirds of the members present, it was not "
        "carried. Ms Oduya was elected treasurer without opposition. The roof will be discussed in April, when the second estimate should have arrived; the first "
        "one, of €48,000, was thought too high by most who spoke.",
        (
            Question(
                "Why was the motion on bicycles not carried, although more voted for it than against?",
                "A change to the house rules needs two thirds of those present. Two thirds of 23 is more than 15, and 14 votes were **too few**.",
                "A vote counts only when a quorum is reached. With 23 of 40 members the meeting was too small, so the vote was **not valid**.",
                "since changes to the house rules need two thirds of the members present, it was not carried",
                "Two thirds of 23 are at least 16 votes; there was a quorum, as 23 is more than 20.",
                0.5,
            ),
            Question(
                "Did every member present vote for or against the painting of the stairwell?",
                "**No.** The 15 and 6 votes make 21 out of 23 people, and the minutes record that two of the members present abstained.",
                "**Yes.** There were 15 votes for the painting and 6 against it, so the members present had all taken part in the decision.",
                "approved by 15 votes to 6, with 2 abstentions",
                "15 + 6 = 21, and 2 abstained.",
                0.25,
            ),
            Question(
                "What did the meeting decide about the roof?",
                "It took **no decision**. The first estimate was thought too high by most who spoke, and the roof is to be discussed in April.",
                "It decided to **reject the estimate** of €48,000. A cheaper one has been found and is to be accepted at the meeting in April.",
                "The roof will be discussed in April, when the second estimate should have arrived",
                "The roof was put off to April; no vote was taken.",
                0.45,
            ),
        ),
    ),
    Passage(
        "A letter from the island",
        "Dear Ruth, the ferry did not sail on Thursday because of the swell, so the flour came only on Saturday and for two days nobody on the island had fresh bread. "
        "Do not believe what the paper wrote: there was no panic, people baked with oat meal and shared what they had. Magnus says that in his "
        "father's time the boat stayed away for three weeks. I doubt it, but it makes a good story. The school has eleven children now, two more than last year, and if "
        "the Petersens come in August, as they have promised, there will be fourteen. Your brother, Olav",
        (
            Question(
                "How many children do the Petersens seem to have who would go to the school?",
                "The school has eleven children now and would have fourteen with the Petersens. The difference shows that it is **three**.",
                "The school has eleven children now, and the letter says that this is more than before. The difference shows that it is **two**.",
                "there will be fourteen",
                "14 − 11 = 3; the two are the growth since last year.",
                0.4,
            ),
            Question(
                "Does Olav believe that the boat once stayed away for three weeks?",
                "He repeats what Magnus says but adds that he doubts it, and treats it as a good story. The answer is **rather not**.",
                "He tells Ruth what happened in the time of his father, when the boat stayed away so long. The answer is **yes, he does**.",
                "I doubt it, but it makes a good story.",
                "Olav doubts the story, which is Magnus's.",
                0.35,
            ),
            Question(
                "What did people do for bread while there was no flour?",
                "They managed without flour from the ferry: they **baked with oat meal** and shared what they had, as Olav writes to his sister.",
                "There was no panic among them: they **bought bread on the mainland** and shared what they had, as Olav writes to his sister.",
                "people baked with oat meal and shared what they had",
                "They baked with oat meal; the ferry was not running.",
                0.25,
            ),
        ),
    ),
    Passage(
        "The bridge that hums",
        "On windy evenings the footbridge at Aldern gives off a hum that can be heard half a kilometre away. Engineers traced it to the railing, whose hollow bars open on one side; wind "
        "between 18 and 25 km/h makes the air in them vibrate. Below this the bars are silent, and above it the noise of the wind covers the tone. A "
        "trial with plugs in a third of the bars made the hum quieter but did not remove it. To plug all 2,400 bars would take a week and cost about "
        "€9,000. Some residents have signed a petition against the plugs: they have come to like the sound.",
        (
            Question(
                "Would one expect to hear the hum clearly at a wind of 40 km/h?",
                "**No.** The tone is caused by wind between 18 and 25 km/h, and when it blows harder the noise of the wind covers the tone.",
                "**Yes.** The hum arises when wind makes the air in the bars vibrate, and the harder it blows, the louder the tone becomes.",
                "above it the noise of the wind covers the tone",
                "Above 25 km/h the tone is covered by the noise of the wind.",
                0.35,
            ),
            Question(
                "How many bars were plugged in the trial?",
                "There are 2,400 bars in all, and a third of them were given plugs for the trial. That is a number of **800** bars.",
                "To plug the bars takes a week and costs about €9,000. The number of bars plugged in the trial is given as **2,400**.",
                "A trial with plugs in a third of the bars made the hum quieter but did not remove it.",
                "A third of 2,400 is 800.",
                0.3,
            ),
            Question(
                "Do all residents want the hum to be removed?",
                "**No.** Some of them have signed a petition against the plugs because they like the sound. How many they are is not said.",
                "**Yes.** The hum can be heard half a kilometre away, and the residents have signed a petition so that it will be stopped.",
                "Some residents have signed a petition against the plugs: they have come to like the sound.",
                "The petition is against the plugs, that is, for the hum.",
                0.35,
            ),
        ),
    ),
)
