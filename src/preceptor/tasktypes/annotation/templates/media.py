"""Templates for sound, video and measurements."""

from math import sin
from typing import Final

from preceptor.tasktypes.annotation.templates.making import shipped, template
from preceptor.tasktypes.base import Row, Template

_TRANSCRIPTION: Final = """\
<View>
  <Audio name="audio" value="$audio"/>
  <Labels name="speaker" toName="audio">
    <Label value="Speaker 1" background="#2b6cb0" hotkey="1"/>
    <Label value="Speaker 2" background="#b4532a" hotkey="2"/>
    <Label value="Noise" background="#718096" hotkey="3"/>
  </Labels>
  <TextArea name="transcript" toName="audio" perRegion="true" rows="2" editable="true" maxSubmissions="1"
      displayMode="region-list" placeholder="What is said?"/>
  <Choices name="quality" toName="audio" choice="single" showInline="true" required="true">
    <Choice value="Clear"/>
    <Choice value="Hard to hear"/>
    <Choice value="Unusable"/>
  </Choices>
</View>
"""

_TRANSCRIPTION_GUIDE: Final = """\
# Transcription with speakers

1. Mark each stretch in which **one person speaks** without a pause longer than a second.
2. Write what is said, word by word, with punctuation; *um* and repeated words too.
3. Write `[inaudible]` where it cannot be heard three times in a row.

*Noise* is anything loud that is no speech; it needs no text.
"""

_SPEECH: Final = """\
<View>
  <Header value="$prompt"/>
  <Pairwise name="better" toName="a,b"/>
  <View style="display: flex; gap: 1em">
    <View style="flex: 1"><Header value="Left" size="5"/><Audio name="a" value="$audio_a"/></View>
    <View style="flex: 1"><Header value="Right" size="5"/><Audio name="b" value="$audio_b"/></View>
  </View>
  <Choices name="because" toName="a" choice="multiple" showInline="true">
    <Choice value="Sounds more natural"/>
    <Choice value="Easier to understand"/>
    <Choice value="Fits the text better"/>
  </Choices>
</View>
"""

_SPEECH_GUIDE: Final = """\
# Which voice is better?

Listen to both to the end, with headphones, before you choose. Judge how the sentence is **spoken**: pauses, stress,
feeling. Loudness alone decides nothing, and neither does the voice itself.

Where both are equally good, take the one that you would rather listen to for an hour.
"""

_EMOTION: Final = """\
<View>
  <Audio name="audio" value="$audio"/>
  <Labels name="emotion" toName="audio">
    <Label value="Joy" background="#d69e2e" hotkey="1"/>
    <Label value="Anger" background="#c53030" hotkey="2"/>
    <Label value="Sadness" background="#2b6cb0" hotkey="3"/>
    <Label value="Fear" background="#6b46c1" hotkey="4"/>
  </Labels>
  <Rating name="strength" toName="audio" perRegion="true" maxRating="5" required="true"/>
</View>
"""

_EMOTION_GUIDE: Final = """\
# Emotions over time

Mark every stretch in which you **hear** a feeling in the voice, whatever the words say, and rate how strong it is.
Stretches of different feelings may overlap. What is neutral stays unmarked.
"""

_TIMELINE: Final = """\
<View>
  <Video name="video" value="$video" frameRate="25" timelineHeight="120"/>
  <TimelineLabels name="action" toName="video">
    <Label value="Walks" background="#2f855a"/>
    <Label value="Sits" background="#2b6cb0"/>
    <Label value="Picks up" background="#b7791f"/>
  </TimelineLabels>
  <Choices name="usable" toName="video" choice="single" showInline="true" required="true">
    <Choice value="Usable"/>
    <Choice value="Too dark"/>
    <Choice value="Nobody in it"/>
  </Choices>
</View>
"""

_TIMELINE_GUIDE: Final = """\
# Actions in video

Mark each action from the first frame in which it begins to the last frame before it is over.

- Two actions at once get two marks.
- An action that is interrupted for less than a second is one action.
- Say that a video is too dark only where you cannot tell what somebody does.
"""

_TRACKING: Final = """\
<View>
  <Video name="video" value="$video" frameRate="25"/>
  <VideoRectangle name="box" toName="video"/>
  <Labels name="thing" toName="video">
    <Label value="Person" background="#b4532a"/>
    <Label value="Vehicle" background="#2b6cb0"/>
  </Labels>
</View>
"""

_TRACKING_GUIDE: Final = """\
# Follow things through a video

Draw a box where the thing first appears, go on until the box no longer fits, and mend it there: the frames between are
filled in. End the box in the last frame in which the thing is seen.
"""

_SERIES: Final = """\
<View>
  <TimeSeries name="series" value="$series" valueType="json" timeColumn="time" overviewChannels="load">
    <Channel column="load" legend="Load" units="kW" strokeColor="#2b6cb0"/>
    <Channel column="temperature" legend="Temperature" units="C" strokeColor="#c53030"/>
  </TimeSeries>
  <TimeSeriesLabels name="event" toName="series">
    <Label value="Peak" background="#c53030"/>
    <Label value="Outage" background="#4a5568"/>
  </TimeSeriesLabels>
</View>
"""

_SERIES_GUIDE: Final = """\
# Events in measurements

Mark a *Peak* from where the load leaves its usual band to where it is back in it. Mark an *Outage* where the load is
zero. Both channels are marked together.

The temperature is shown because it explains some peaks; it has no events of its own.
"""


def _day() -> Row:
    """A made-up day: a wave with one peak and one outage."""
    hours = [index / 4 for index in range(96)]
    load = [40 + 12 * sin(hour / 3.8) + (35 if 17.5 <= hour <= 19 else 0) for hour in hours]
    load = [0.0 if 3 <= hour < 4 else round(value, 2) for hour, value in zip(hours, load, strict=True)]
    temperature = [round(14 + 6 * sin((hour - 8) / 3.8), 2) for hour in hours]
    return {"series": {"time": [*hours], "load": [*load], "temperature": [*temperature]}}


MEDIA: Final[tuple[Template, ...]] = (
    template(
        "transcription",
        "Transcription with speakers",
        "Mark who speaks when, and write what is said.",
        _TRANSCRIPTION,
        _TRANSCRIPTION_GUIDE,
        (
            {"audio": shipped("station.wav"), "about": "Two computer voices and a chime, made for trying this out."},
            {"audio": shipped("moods.wav"), "about": "One computer voice, three sentences, made for trying this out."},
        ),
        text_unit="words",
    ),
    template(
        "speech-preference",
        "Speech preference",
        "Choose the better of two voices.",
        _SPEECH,
        _SPEECH_GUIDE,
        (
            {
                "prompt": "The library closes at eight tonight, so bring your books back before seven.",
                "audio_a": shipped("reading-flat.wav"),
                "audio_b": shipped("reading-lively.wav"),
                "about": "The same computer voice, once without melody and in haste; made for trying this out.",
            },
        ),
    ),
    template(
        "emotion",
        "Emotions in audio",
        "Mark feelings over time, and how strong they are.",
        _EMOTION,
        _EMOTION_GUIDE,
        ({"audio": shipped("moods.wav"), "about": "A computer voice that plays moods, made for trying this out."},),
    ),
    template(
        "video-timeline",
        "Actions in video",
        "Mark the frames of each action.",
        _TIMELINE,
        _TIMELINE_GUIDE,
        ({"video": shipped("park.webm"), "about": "A drawn figure: walks, sits, walks, picks a ball up."},),
    ),
    template(
        "video-tracking",
        "Tracking in video",
        "Follow things with boxes and keyframes.",
        _TRACKING,
        _TRACKING_GUIDE,
        ({"video": shipped("street.webm"), "about": "A drawn street: somebody walks, a car passes."},),
    ),
    template("time-series", "Events in time series", "Mark ranges of measurements.", _SERIES, _SERIES_GUIDE, (_day(),)),
)
