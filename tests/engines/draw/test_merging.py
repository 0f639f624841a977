"""What of a prompt and what of a model stands in a picture."""

from rixin.engines.draw.merging import merged
from rixin.engines.draw.specification import (
    Chart,
    Figure,
    Figures,
    Item,
    Listing,
    Note,
    Quote,
    Sections,
    Series,
    Table,
)

SHARES = Chart(kind="pie", labels=("Sun", "Wind"), series=(Series(values=(34, 66), texts=("34%", "66%")),))
POINTS = Listing(items=("Save power", "Use the sun", "Plant a tree"))
PROSE = Listing(items=("The dam opened long ago", "Its turbines feed the town", "Nobody fears the dark"))
SECTIONS = Sections(items=(Item(heading="Dam", text="It is old"), Item(heading="Roofs", text="They are new")))
ARRANGED = Sections(
    items=(
        Item(heading="The dam", text="It opened long ago"),
        Item(heading="The town", text="Turbines feed it"),
        Item(heading="The dark", text="Nobody fears it"),
    )
)


def test_a_prompt_that_says_enough_speaks_for_itself() -> None:
    """Nothing is added to it."""
    assert merged([POINTS], [], [SECTIONS]) == [POINTS]


def test_a_thin_prompt_is_helped() -> None:
    """By all that a model wrote."""
    assert merged([], [Note(text="A lake")], [SECTIONS, POINTS]) == [Note(text="A lake"), SECTIONS, POINTS]


def test_running_text_is_arranged_by_a_model_that_says_all_of_it() -> None:
    """And stays as it is where one sentence of it would be lost."""
    assert merged([SHARES], [PROSE], [ARRANGED]) == [SHARES, ARRANGED]
    lost = Sections(items=ARRANGED.items[:2])
    assert merged([SHARES], [PROSE], [lost]) == [SHARES, PROSE]


def test_data_of_the_prompt_win() -> None:
    """What a model makes of the same numbers is not drawn beside them."""
    again = Chart(kind="bar", labels=("Sun", "Wind"), series=SHARES.series)
    table = Table(header=("a", "b"), rows=(("Sun", "34%"), ("Wind", "66%")), numeric=(False, True))
    figures = Figures(items=(Figure(value="34%", label="Sun"), Figure(value="12", label="Homes")))
    assert merged([SHARES], [], [again, table, figures]) == [SHARES, Figures(items=figures.items[1:])]


def test_what_the_prompt_says_is_not_said_twice() -> None:
    """A quote or a list that a model repeats stands there once."""
    quote = Quote(text="We never had a dark day")
    assert merged([quote], [], [quote, Listing(items=("never a dark day", "we had a day")), SECTIONS]) == [
        quote,
        SECTIONS,
    ]
