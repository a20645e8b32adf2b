"""The tracks that there are, and which kinds of bugs are theirs: data."""

from bugforge.catalogue import Catalogue, refuse_unknown
from bugforge.mutation import VISIBILITIES, Mutation
from bugforge.program import Program, Subject
from bugforge.programs import (
    ATTENTION_TESTS,
    DECODING_TESTS,
    GPT,
    GPT_CACHED,
    KV_CACHE,
    LARGER,
    LARGER_CACHED,
    MATMUL,
    NANO,
    NANO_CACHED,
    PIPELINE,
    RAGGED_BATCHES,
    ROTARY,
    ROTARY_CACHED,
    SEQUENCE_CLASSIFIER,
    SINGLE,
    SINGLE_CACHED,
    TOKEN_CLASSIFIER,
    TRAINING_TESTS,
)
from bugforge.track import Slot, Track

CLASSES = ("label-shift", "positions", "mask", "projection", "training-step", "typo")
CACHE_CLASSES = ("cache-positions", "cache-mask", "cache-contents", "cache-life")
CLASSIFIER_CLASSES = ("class-labels", "class-head", "class-loss", "class-metric")
PIPELINE_CLASSES = (
    "row-attention",
    "half-precision",
    "row-positions",
    "row-reading",
    "objective",
    "step",
    "optimizer",
    "schedule",
    "leakage",
    "batching",
    "reproducibility",
    "evaluation",
    "metrics",
    "checkpoint",
    "stream",
)
SILENT = tuple(way for way in VISIBILITIES if way != "crash")
CLASSIC = Track(
    name="classic",
    title="Overfit one sentence",
    programs=(GPT, NANO),
    bug_classes=CLASSES,
    trains="finding what keeps a small GPT from learning one sentence by heart",
    seconds=3,
)
SHIFT_MASK_TYPO = Track(
    name="shift-mask-typo",
    title="Shift, positions, mask and a typo",
    programs=(GPT,),
    bug_classes=CLASSES,
    trains="one bug each: of the labels' shift, of how positions begin, of the mask, and a typo "
    "that nothing complains of",
    seconds=3,
    slots=(
        Slot(
            "label shift",
            (
                "shift-after-flatten",
                "shift-double",
                "shift-none",
                "shift-one-side",
                "shift-roll-wrap",
                "shift-same-end",
                "shift-wrong-axis",
                "shift-wrong-direction",
            ),
        ),
        Slot(
            "positional init",
            (
                "pe-init-empty",
                "pe-init-huge-std",
                "pe-init-result-dropped",
                "pe-init-too-large",
                "pe-zeros-frozen",
            ),
        ),
        Slot("mask", bug_class="mask"),
        Slot("silent typo", (), "typo", ("attention", "block", "head"), SILENT),
    ),
    problem="shift-mask-typo.md",
    given=KV_CACHE,
)
CACHED = Track(
    name="kv-cache",
    title="Decode with a cache",
    programs=(GPT_CACHED, NANO_CACHED, SINGLE_CACHED, ROTARY_CACHED),
    on_request=(ROTARY.name,),
    further=(LARGER_CACHED,),
    bug_classes=(*CACHE_CLASSES, "rotary", "grouping"),
    trains="writing a cache of keys and values into a GPT; with --bugs, finding what is wrong with "
    "one",
    seconds=3,
    unwritten=True,
)
RAGGED = Track(
    name="ragged",
    title="Rows of unlike length",
    programs=tuple(program.extended(RAGGED_BATCHES) for program in (GPT_CACHED, NANO_CACHED)),
    further=(LARGER_CACHED.extended(RAGGED_BATCHES),),
    bug_classes=("ragged-positions", "ragged-mask", "ragged-life"),
    trains="making a GPT with caches continue prompts of unlike length in one batch; with --bugs, "
    "finding what is wrong with one that does",
    seconds=3,
    unwritten=True,
)
GARBAGE = Track(
    name="garbage",
    title="It runs, and writes nonsense",
    programs=(LARGER,),
    bug_classes=CLASSES,
    trains="finding what makes a larger GPT write nonsense though nothing complains",
    seconds=10,
    crashes=False,
    slots=(Slot("bug of decoding", shows=("decode",)),),
)
BITWISE = Track(
    name="bitwise",
    title="Bit for bit",
    programs=(SINGLE,),
    bug_classes=("positions", "mask", "projection", "training-step"),
    trains="one bug each: of the mask, of how positions are added, of a projection's shape, and no "
    "optimizer step; mended until every bit is the expected one",
    seconds=3,
    slots=(
        Slot(
            "bug of the mask",
            (
                "mask-after-softmax",
                "mask-bool-added",
                "mask-fill-not-low-enough",
                "mask-fill-plus-inf",
                "mask-fill-tiny",
                "mask-fill-zero",
                "mask-future-by-one",
                "mask-inf-times-zero",
                "mask-missing",
                "mask-multiplicative",
                "mask-neginf-after-softmax",
                "mask-not-sliced",
                "mask-only-in-eval",
                "mask-polarity-inverted",
                "mask-result-not-assigned",
                "mask-strict",
                "mask-transposed",
                "mask-wrong-corner",
            ),
        ),
        Slot(
            "bug of how positions are added",
            (
                "pe-added-late",
                "pe-batch-length",
                "pe-every-layer",
                "pe-from-the-end",
                "pe-indexed-by-token",
                "pe-missing",
                "pe-multiplied",
                "pe-off-by-one",
                "pe-one-position-for-all",
                "pe-wrong-axis",
            ),
        ),
        Slot(
            "projection of a wrong shape",
            (
                "lm-head-dims-swapped",
                "lm-head-wrong-shape",
                "out-proj-width-one",
                "out-proj-wrong-shape",
            ),
        ),
        Slot("missing step", ("missing-step",)),
    ),
    filled=True,
    exact=True,
)
TOKENS_CLASSIFIED = Track(
    name="token-classifier",
    title="Odd or even",
    programs=(GPT.extended(TOKEN_CLASSIFIER), SINGLE.extended(TOKEN_CLASSIFIER)),
    further=(
        LARGER.extended(TOKEN_CLASSIFIER),
        *(
            program.extended(TOKEN_CLASSIFIER, f"{program.name}-cached")
            for program in (GPT_CACHED, SINGLE_CACHED, ROTARY_CACHED, LARGER_CACHED)
        ),
    ),
    bug_classes=CLASSIFIER_CLASSES,
    trains="giving a GPT a second head, of two logits for each token, and a joint loss; with "
    "--bugs, finding what is wrong with one",
    seconds=3,
    unwritten=True,
    exact=True,
)
ROWS_CLASSIFIED = Track(
    name="sequence-classifier",
    title="Whole rows",
    programs=tuple(program.extended(SEQUENCE_CLASSIFIER) for program in (GPT, SINGLE)),
    further=(LARGER.extended(SEQUENCE_CLASSIFIER),),
    bug_classes=("class-head", "class-loss", "class-metric"),
    trains="making a GPT classify whole rows, by the mean over their tokens and over no padding",
    seconds=3,
    unwritten=True,
    exact=True,
)
TESTS = Track(
    name="tests",
    title="The tests that catch it",
    programs=(
        GPT.extended(ATTENTION_TESTS, "attention"),
        GPT.extended(TRAINING_TESTS, "training"),
        GPT.extended(DECODING_TESTS, "decoding"),
    ),
    bug_classes=(),
    trains="writing tests of one part of a right program, which must pass on every right one and "
    "fail on those with a bug",
    seconds=3,
    unwritten=True,
    only_tests=True,
)
PRODUCT = Track(
    name="matmul",
    title="A product of your own",
    programs=(MATMUL,),
    bug_classes=("matmul-gradient", "matmul-broadcast", "matmul-saved", "scan-steps", "tiles"),
    trains="writing a matrix product whose gradients it works out itself, and a parallel scan over "
    "its tiles; with --bugs, finding what is wrong with them",
    seconds=0,
    unwritten=True,
)
TRAINING_PIPELINE = Track(
    name="pipeline",
    title="A training pipeline",
    programs=(PIPELINE,),
    bug_classes=PIPELINE_CLASSES,
    trains="finding what ends a training of several modules, what keeps it from learning, and what "
    "makes its numbers untrue",
    seconds=10,
    bugs=6,
)
TRACKS = (
    CLASSIC,
    SHIFT_MASK_TYPO,
    BITWISE,
    GARBAGE,
    CACHED,
    RAGGED,
    TOKENS_CLASSIFIED,
    ROWS_CLASSIFIED,
    TESTS,
    PRODUCT,
    TRAINING_PIPELINE,
)
PROGRAMS = tuple(dict.fromkeys(program for track in TRACKS for program in track.all_programs))
"""Those of all tracks, each once."""


def subject_of(kind: type[Mutation]) -> Subject:
    """Tell what the programs do that a kind is planted in."""
    homes = (track.programs[0] for track in TRACKS if track.plants(kind))
    return next((program.subject for program in homes), "language")


def kinds_of(catalogue: Catalogue, program: Program) -> list[type[Mutation]]:
    """Give the kinds that are for programs that do what this one does."""
    kinds = catalogue.kinds.values()
    return [kind for kind in kinds if subject_of(kind) == program.subject]


def find_track(name: str) -> Track:
    """Look a track up. Raises UsageError, with the nearest name, where there is none."""
    tracks = {track.name: track for track in TRACKS}
    refuse_unknown("track", name, tracks)
    return tracks[name]
