"""Finds any of many words and patterns in one pass over a text: an Aho-Corasick automaton that also knows patterns.

Words and patterns are one non-deterministic automaton without loops. Its sets of places become states when a text leads
to them (Rabin and Scott's construction, made lazily), so a character costs one look into a dict, however many words
there are, and no text makes it go back. A state knows how long the longest match is that may be under way.
"""

from collections.abc import Iterable
from typing import TypeAlias, assert_never

from rixin.moderation.folding import is_worded
from rixin.moderation.pattern import Border, Class, Either, Pattern, Repeat, Sequence

_MOST_CACHED = 1_000_000
"""Steps and places that are remembered, some 100 bytes each; beyond it all are forgotten, and found again."""

_Places: TypeAlias = frozenset[int]
_NOWHERE: _Places = frozenset()


class State(dict[str, "State"]):
    """Where the automaton stands after some text. `state[character]` is where it stands after one more.

    Args:
        automaton: Whose it is.
        places: The set that it stands for.
        after_word: Whether the last character belongs to a word.
        depth: How many of the last characters may belong to a match, one that was found included.
        found: The label of what was found; None where nothing was.
    """

    __slots__ = ("_automaton", "after_word", "depth", "found", "places")

    def __init__(
        self, automaton: "Automaton", places: _Places, depth: int, found: int | None, *, after_word: bool
    ) -> None:
        super().__init__()
        self._automaton = automaton
        self.places = places
        self.depth = depth
        self.found = found
        self.after_word = after_word

    def __missing__(self, character: str) -> "State":
        following = self[character] = self._automaton.step(self, character)
        return following


class Automaton:
    """The words and patterns. Add all before the first step."""

    def __init__(self) -> None:
        self._by_character: list[dict[str, int]] = []
        self._by_class: list[list[tuple[int, int]]] = []
        self._free: list[list[int]] = []
        self._border: list[list[int]] = []
        self._depth: list[int] = []
        self._ends: dict[int, int] = {}
        """The labels of places where something listed ends."""
        self._classes: dict[Class, int] = {}
        """The classes that there are, numbered."""
        self._admitting: dict[str, set[int]] = {}
        """The numbers of the classes that have a character."""
        self._closures: dict[int, _Places] = {}
        self._states: dict[tuple[_Places, bool, int, int | None], State] = {}
        self._cached = 0
        self._anywhere = self._new(0)
        self._at_border = self._new(0)
        self._border[self._anywhere].append(self._at_border)
        self._start: State | None = None

    @property
    def start(self) -> State:
        """Where it stands before a text."""
        if self._start is None:
            self._start = self._state(self._reached((self._anywhere,)), 0, None, after_word=False)
        return self._start

    def _new(self, depth: int) -> int:
        self._by_character.append({})
        self._by_class.append([])
        self._free.append([])
        self._border.append([])
        self._depth.append(depth)
        return len(self._depth) - 1

    def add_word(self, folded: str, label: int) -> None:
        """Adds a word. Where it ends in a character of a script with spaces, another word must not go on there."""
        place = self._at_border if is_worded(folded[0]) else self._anywhere
        for character in folded:
            following = self._by_character[place].get(character)
            if following is None:
                following = self._by_character[place][character] = self._new(self._depth[place] + 1)
            place = following
        if is_worded(folded[-1]):
            place = self._after(self._border, place)
        self._ends.setdefault(place, label)

    def add_pattern(self, pattern: Pattern, label: int) -> None:
        """Adds a pattern."""
        place = self._after(self._free, self._anywhere)
        self._ends[self._emit(pattern, place)] = label

    def _after(self, edges: list[list[int]], place: int) -> int:
        """A new place behind another that costs no character."""
        following = self._new(self._depth[place])
        edges[place].append(following)
        return following

    def _emit(self, pattern: Pattern, place: int) -> int:
        """Adds a pattern behind a place from which nothing leads yet. Returns the place of its end."""
        match pattern:
            case str():
                for character in pattern:
                    following = self._by_character[place][character] = self._new(self._depth[place] + 1)
                    place = following
                return place
            case Class():
                following = self._new(self._depth[place] + 1)
                self._by_class[place].append((self._classes.setdefault(pattern, len(self._classes)), following))
                return following
            case Border():
                return self._after(self._border, place)
            case Sequence(items):
                for item in items:
                    place = self._emit(item, place)
                return place
            case Either(options):
                return self._join([self._emit(option, self._after(self._free, place)) for option in options])
            case Repeat(item, least, most):
                ends: list[int] = []
                for done in range(most):
                    if done >= least:
                        ends.append(place)
                    place = self._emit(item, self._after(self._free, place))
                return self._join([*ends, place])
            case _:
                assert_never(pattern)

    def _join(self, places: list[int]) -> int:
        joined = self._new(max(self._depth[place] for place in places))
        for place in places:
            self._free[place].append(joined)
        return joined

    def step(self, state: State, character: str) -> State:
        """Where a character leads; ask the state instead, which remembers."""
        worded = is_worded(character)
        places = self._over_borders(state.places) if state.after_word is not worded else state.places
        # A match that needed to know what follows ended before this character.
        ended = self._ends.keys() & places
        admitting = self._admitting.get(character)
        if admitting is None:
            admitting = {number for group, number in self._classes.items() if group.admits(character)}
            self._admitting[character] = admitting
        moved: set[int] = {self._anywhere}
        for place in places:
            following = self._by_character[place].get(character)
            if following is not None:
                moved.add(following)
            for group, target in self._by_class[place]:
                if group in admitting:
                    moved.add(target)
        reached = self._reached(moved)
        found = [self._ends[place] for place in (*ended, *(self._ends.keys() & reached))]
        depth = max([self._depth[place] for place in reached] + [self._depth[place] + 1 for place in ended])
        return self._state(reached, depth, min(found, default=None), after_word=worded)

    def at_end(self, state: State) -> int | None:
        """The label of what is found if the text ends here."""
        if not state.after_word:
            return None
        ended = self._ends.keys() & self._over_borders(state.places)
        return min((self._ends[place] for place in ended), default=None)

    def _reached(self, places: Iterable[int]) -> _Places:
        """Where some places lead without a character; only those places that mean something by themselves."""
        return _NOWHERE.union(*[self._closures.get(place) or self._closure(place) for place in places])

    def _closure(self, place: int) -> _Places:
        reached = {place}
        waiting = [place]
        while waiting:
            for target in self._free[waiting.pop()]:
                if target not in reached:
                    reached.add(target)
                    waiting.append(target)
        closure = self._closures[place] = frozenset(filter(self._means, reached))
        return closure

    def _means(self, place: int) -> bool:
        """Whether something begins or ends at a place, rather than at those that it leads to."""
        steps = (self._by_character, self._by_class, self._border)
        return place in self._ends or any(edges[place] for edges in steps)

    def _over_borders(self, places: _Places) -> _Places:
        """Places, and where they lead where there is the edge of a word."""
        reached, fresh = places, places
        while targets := [target for place in fresh for target in self._border[place]]:
            fresh = self._reached(targets) - reached
            reached |= fresh
        return reached

    def _state(self, places: _Places, depth: int, found: int | None, *, after_word: bool) -> State:
        key = (places, after_word, depth, found)
        state = self._states.get(key)
        self._cached += 1
        if state is None:
            self._cached += len(places)
            if self._cached >= _MOST_CACHED:
                self._cached = 0
                self._states.clear()
                self._admitting.clear()
                self._start = None
            state = self._states[key] = State(self, places, depth, found, after_word=after_word)
        return state
