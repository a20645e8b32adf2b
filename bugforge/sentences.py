"""The sentences that a program is taught: the shipped ones, fresh ones, and what each costs.

A program learns a sentence character by character, through random windows, and is then given
its opening and asked for the rest. Every sentence keeps the rules of `is_teachable`, so that
this can be done. All lengths are in characters; a token is one character.
"""

import math
import random
import re
from collections import Counter
from collections.abc import Callable
from importlib.resources import files

PROMPT_LENGTH = 8
"""How much of a sentence a trained program is given, to continue greedily."""

SHORTEST = 60
"""The least length: a shorter sentence would have few windows that lie between its edges."""

LONGEST = 140
"""The greatest length: a longer sentence might not be learnt in so short a training."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(" ".join(word.split()) for word in text.split(","))


WORDS = {
    "whose": _words("another, my, one, our, some, that, the, their"),
    "trait": _words("""
        absent-minded, amiable, barefoot, bashful, cautious, cheerful, curious, daydreaming,
        dutiful, earnest, fidgety, forgetful, frugal, gallant, gloomy, grumpy, half-asleep, humble,
        jovial, left-handed, lonely, long-winded, methodical, modest, near-sighted, nimble, nosy,
        patient, polite, punctual, quiet, restless, retired, sentimental, shy, solemn, stubborn,
        sunburnt, superstitious, talkative, tidy, tone-deaf, unflappable, vain, wandering,
        well-read, whistling, youthful
    """),
    "trade": _words("""
        acrobat, apprentice, archivist, astronomer, baker, beekeeper, blacksmith, botanist, burglar,
        butcher, captain, cartographer, chemist, clockmaker, cobbler, conductor, detective, diver,
        duchess, falconer, ferryman, florist, gardener, geologist, glazier, hermit, judge, juggler,
        librarian, locksmith, magician, mayor, milkman, nurse, optician, organist, painter,
        pharmacist, plumber, postman, potter, sailor, sculptor, shepherd, tailor, umpire, violinist,
        widower
    """),
    "deed": _words("""
        admired, auctioned, borrowed, bought, buried, carried, catalogued, cleaned, concealed,
        cradled, described, disguised, dropped, dusted, embraced, envied, examined, fetched, found,
        guarded, inherited, insured, juggled, kicked, labelled, lost, measured, mislaid, named,
        noticed, numbered, packed, painted, pawned, photographed, polished, praised, raffled,
        rescued, returned, scrubbed, sketched, sold, studied, unwrapped, varnished, weighed, wrapped
    """),
    "look": _words("""
        battered, bent, blue, brass, broken, carved, ceremonial, cheap, chipped, copper, cracked,
        crooked, dented, dusty, famous, folding, forgotten, fragile, giant, gilded, green, haunted,
        heavy, hollow, homemade, leaky, lopsided, lucky, miniature, mossy, muddy, musical, nameless,
        patched, pocket-sized, portable, priceless, rented, rusty, second-hand, silver, spare,
        squeaky, striped, tarnished, tiny, wobbly, wooden
    """),
    "thing": _words("""
        accordion, anchor, banjo, barometer, bathtub, bell, birdcage, bucket, button, candlestick,
        canoe, clock, compass, crown, doorbell, drum, fiddle, flute, globe, hat stand, jug, kettle,
        key, ladder, lantern, mailbox, medal, mirror, piano stool, pickle jar, pipe, puppet,
        rocking horse, saddle, sewing box, signpost, sledge, spoon, suitcase, teapot, telescope,
        thimble, trombone, trophy, umbrella, wardrobe, weathervane, wheelbarrow
    """),
    "place": _words("""
        above the cinema, among the pumpkins, at a brisk pace, at half price, at the harbour,
        at the station, behind the bakery, below deck, beside the canal, between trains,
        by candlelight, by mistake, down in the cellar, for a bet, for no reason, in a hailstorm,
        in alphabetical order, in deep snow, in front of the bank, in full costume, in the attic,
        in the greenhouse, inside a tent, near the quarry, next to the pond, off the coast,
        on horseback, on the bridge, on the night bus, on the roof, on tiptoe, out in the orchard,
        outside the opera, to loud music, under a cherry tree, under protest, under the stairs,
        up in the bell tower, upstairs, with great care, with one hand, with soap and water,
        with some ceremony, with wet gloves, without a licence, without a sound, without a word,
        without looking
    """),
    "tail": _words("""
        and asked for a receipt, and blamed the cat, and called it progress,
        and charged a modest fee, and everyone clapped, and felt much better, and got away with it,
        and had no regrets, and hardly anyone objected, and hummed all the while,
        and it made the news, and later denied everything, and never spoke of it,
        and nobody knew why, and only the dog was surprised, and slept soundly afterwards,
        and so began a fashion, and the geese approved, and then went fishing,
        and told the whole village, and was late for supper, and won a small prize,
        as anybody would, as custom demands, as the law requires, but kept the string,
        but never learned to swim, but nothing came of it, but only for practice,
        but that is another story, but told no one, but wished for a llama,
        chiefly to annoy the neighbours, having lost the manual, hoping for applause,
        if the rumours are true, in spite of the warnings, just to be safe, much to our relief,
        or so the parrot says, to the delight of pigeons, which explains the smell,
        which impressed no one, which is harder than it looks, which is still legal here,
        which may have been a mistake, which saved the picnic, yet nothing exploded
    """),
    "time": _words("""
        according to legend, after the flood, at the age of ninety, before the railway came,
        contrary to advice, early one morning, every leap year, for want of a hobby,
        in another life, in the driest year, just after sunrise, last Thursday, late in October,
        long after closing, not far from Lisbon, on a rare day off, on market days,
        on the longest night, once upon a Monday, one day in March, one foggy evening,
        some years ago, to pass the winter, two summers ago
    """),
    "hearsay": _words("""
        a plaque recalls how, few people remember that, history is silent on why,
        I have it on good authority that, it is seldom mentioned that, no one believed me when,
        nobody could explain why, old photographs prove that, rumour has it that,
        the almanac notes that, the minutes do not say why, they still laugh about how,
        this ballad tells how, we never found out why, you should have seen how,
        your letter forgot to mention that
    """),
}
"""What may stand in each slot of a shape, in lower case. The participles of all deeds are like
their pasts, and places hold no time of day, so that any choice reads well beside any other."""

SHAPES = (
    "{whose} {trait} {trade} {deed} the {look} {thing} {place}, {tail}.",
    "{time}, {whose} {trait} {trade} {deed} the {look} {thing} {place}, {tail}.",
    "{place}, {whose} {trait} {trade} {deed} the {look} {thing}, {tail}.",
    "{hearsay} {whose} {trait} {trade} {deed} the {look} {thing} {place}.",
    "{time}, the {trade} {deed} the {thing} and the {trade} {deed} the {thing}, {tail}.",
    "dear {trade}, somebody {deed} your {look} {thing} {place}, {tail}.",
    "for sale: one {look} {thing}, {deed} {place} by a certain {trait} {trade}.",
)
"""What fresh sentences look like; a slot in braces is filled from WORDS."""


def shipped() -> tuple[str, ...]:
    """The sentences that come with the reference programs, in the order of their file."""
    text = (files("bugforge.reference") / "sentences.txt").read_text(encoding="ascii")
    return tuple(text.splitlines())


def is_teachable(sentence: str) -> bool:
    """Whether a short training can teach a sentence and its opening can call it back.

    It has SHORTEST to LONGEST characters. They are printable ASCII without the double quote and
    the backslash, so that it stands in any Python string as it is. No PROMPT_LENGTH characters
    in a row occur twice: the opening is met only at the start, and whoever reads so far back
    always knows what follows, so that greedy decoding cannot end up elsewhere or in a circle.
    """
    if not SHORTEST <= len(sentence) <= LONGEST:
        return False
    if not (sentence.isascii() and sentence.isprintable()) or set(sentence) & set('"\\'):
        return False
    return _never_repeats(sentence)


def _never_repeats(text: str) -> bool:
    starts = range(len(text) - PROMPT_LENGTH + 1)
    return len({text[start : start + PROMPT_LENGTH] for start in starts}) == len(starts)


def passage(draw: Callable[[], str], least: int, held_out: float = 0.0) -> str:
    """A text of at least so many characters: drawn sentences, one behind the other.

    No PROMPT_LENGTH characters in a row occur twice; and a share that is held out at the end
    begins at the same place however its length is rounded. Drawn anew until that is so.
    """
    while True:
        text = draw()
        while len(text) < least:
            text = f"{text} {draw()}"
        size = len(text)
        cuts = {
            round(size * (1 - held_out)),
            int(size * (1 - held_out)),
            size - int(size * held_out),
        }
        if _never_repeats(text) and len(cuts) == 1:
            return text


def is_passage(text: str) -> bool:
    """Whether a text is nothing but shipped sentences, one behind the other."""
    return any(
        text == sentence
        or (text.startswith(f"{sentence} ") and is_passage(text.removeprefix(f"{sentence} ")))
        for sentence in shipped()
    )


def unseen(rng: random.Random) -> str:
    """A fresh teachable sentence that is not shipped, so that no answer can have been kept.

    It depends on the state of `rng` alone; more than 2**40 are possible. No word fills two
    slots. Drawn anew until the rules are kept, which most draws do at once.
    """
    while True:
        sentence = _fill(rng.choice(SHAPES), rng)
        if is_teachable(sentence) and sentence not in shipped():
            return sentence


def _fill(shape: str, rng: random.Random) -> str:
    left = {slot: rng.sample(words, len(words)) for slot, words in WORDS.items()}
    sentence = re.sub(r"{(\w+)}", lambda slot: left[slot[1]].pop(), shape)
    return sentence[0].upper() + sentence[1:]


def loss_floor(sentence: str, block_size: int) -> float:
    """The least expected training loss of a program that does not look ahead, in nats per token.

    The best possible predictor sees a window's tokens so far and gives every next token its
    true probability. By the chain rule its cross-entropy, summed over a window, is the entropy
    of whole windows less that of their first tokens (which nobody has to predict); divided by
    block_size it is the mean over the tokens. Windows hold block_size + 1 tokens and start where
    `get_batch` of the reference starts them: uniformly, from one window before the sentence to
    one behind it, then moved onto the edges, which so weigh more.

    A loss below it, beyond the noise of the draws, means that a program sees what it should
    predict.
    """
    span = block_size + 1
    last = len(sentence) - span
    if last < 0:
        raise ValueError(
            f"no window of block_size {block_size} fits into {len(sentence)} characters:"
            f" use a block_size of at most {len(sentence) - 1}."
        )
    starts = [min(max(start, 0), last) for start in range(-span, last + span)]
    windows = Counter(sentence[start : start + span] for start in starts)
    firsts = Counter(sentence[start] for start in starts)
    return (_entropy(windows) - _entropy(firsts)) / block_size


def _entropy(counts: Counter[str]) -> float:
    """The entropy of what was counted, in nats."""
    total = counts.total()
    return math.log(total) - sum(count * math.log(count) for count in counts.values()) / total
