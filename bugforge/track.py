"""Tracks: what a learner can be given to practise. A track is data."""

from dataclasses import dataclass, replace

from bugforge.catalogue import Catalogue, refuse_unknown
from bugforge.mutation import STAGES, VISIBILITIES, BugClass, Mutation
from bugforge.program import Extension, Program, Subject


@dataclass(frozen=True)
class Slot:
    """A bug that a track always holds: what it is called, and the kinds it may be of, by id, or
    else by class and stage, in which case it shows in one of these ways.
    """

    name: str
    kinds: tuple[str, ...] = ()
    bug_class: BugClass | None = None
    stages: tuple[str, ...] = STAGES
    shows: tuple[str, ...] = VISIBILITIES

    def takes(self, kind: type[Mutation]) -> bool:
        """Whether a kind is such a bug."""
        if self.kinds:
            return kind.id in self.kinds
        return (
            self.bug_class in (None, kind.bug_class)
            and kind.stage in self.stages
            and kind.visibility in self.shows
        )


@dataclass(frozen=True)
class Track:
    """One exercise.

    programs: those it may be forged from, the simplest first. on_request: names of those that no
    seed decides on. further: those that it may make of a
    workspace's program beside these.
    bug_classes: the families that its bugs are drawn from, at most one bug of each. crashes:
    whether any of them may end the program, whatever it is given. slots: those it always holds.
    problem: the template of its PROBLEM.md, where it is not its program's. given: what lies in the
    workspace from the start though no program of the track uses it.
    unwritten: whether its programs' extension is the learner's to write, where no bugs are asked
    for. filled: whether it holds the bugs of its slots and no others. exact: whether the first
    training steps must be those of the correct program bit for bit.
    only_tests: whether a learner's tests are all that is judged of it. bugs: how many, where nobody
    says.
    trains: what it trains, in a sentence. seconds: how long `python train.py` about takes; 0 where
    there is nothing to be trained.
    """

    name: str
    title: str
    programs: tuple[Program, ...]
    bug_classes: tuple[str, ...]
    trains: str
    seconds: int
    on_request: tuple[str, ...] = ()
    further: tuple[Program, ...] = ()
    crashes: bool = True
    slots: tuple[Slot, ...] = ()
    problem: str = ""
    given: Extension | None = None
    unwritten: bool = False
    filled: bool = False
    exact: bool = False
    only_tests: bool = False
    bugs: int = 4

    def plants(self, kind: type[Mutation]) -> bool:
        """Whether a kind is one of its bugs."""
        has_slot = not self.filled or any(slot.takes(kind) for slot in self.slots)
        return kind.bug_class in self.bug_classes and has_slot

    @property
    def all_programs(self) -> tuple[Program, ...]:
        """Those that it may be forged from, and those that it may make."""
        return *self.programs, *self.further

    @property
    def follows_up(self) -> bool:
        """Whether what it asks for is to be written into a program that is there already."""
        is_begun = any(program.begun_with for program in self.programs)
        return self.unwritten and is_begun and not self.only_tests

    def program(self, name: str) -> Program:
        """Look a program up. Raises UsageError, with the nearest name, where there is none."""
        programs = {program.name: program for program in self.all_programs}
        refuse_unknown("program", name, programs)
        return programs[name]


CLASSES = ("label-shift", "positions", "mask", "projection", "training-step", "typo")
CACHE_CLASSES = ("cache-positions", "cache-mask", "cache-contents", "cache-life")
CLASSIFIER_CLASSES = ("class-labels", "class-head", "class-loss", "class-metric")
ENOUGH = 0.9
"""The share of wrong programs that tests must fail on: most of the rest differ in a corner only."""
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
KV_CACHE = Extension(
    name="kv-cache",
    folder="kv_cache",
    changes=("kv_cache/changes.toml", "kv_cache/positions.toml", "kv_cache/attention.toml"),
    files=("cache.py",),
    problem="kv-cache.md",
    task=("kv-cache-write.md", "kv-cache-mend.md"),
    takes="caches=None",
    stays="kv-cache-stays.md",
    instruments=("caching",),
    tests="test_cache.py",
)

SINGLE_HEAD = Extension(
    name="single-head",
    folder="single",
    changes=("single/changes.toml",),
    files=(),
    problem="bitwise.md",
    lacks=("n_head",),
    unsuited=("names-attention-class", "scaling", "scores", "weighing"),
    harness=("test_expected.py",),
    expects=True,
)
SINGLE_CACHE = replace(
    KV_CACHE,
    folder="single_cache",
    changes=("kv_cache/changes.toml", "kv_cache/positions.toml", "single_cache/attention.toml"),
    task=("single-cache-write.md", "kv-cache-mend.md"),
    tried=("seed-not-set",),
    unwritten=("cache.py",),
)
ROTARY_POSITIONS = Extension(
    name="rotary",
    folder="rotary",
    changes=("rotary/changes.toml",),
    files=(),
    problem="classic.md",
    contract="rotary-contract.md",
    sizes={"n_head": 6, "n_kv_head": 2},
    unasked=("positions",),
    rotary=True,
)
ROTARY_CACHE = replace(
    KV_CACHE,
    changes=("kv_cache/changes.toml", "rotary_cache/changes.toml"),
    instruments=("caching", "grouped"),
)
RAGGED_BATCHES = Extension(
    name="ragged",
    folder="ragged",
    changes=("ragged/changes.toml",),
    files=(),
    problem="ragged.md",
    task=("ragged-write.md", "ragged-mend.md"),
    takes="padding=None",
    instruments=("ragged",),
)
TOKEN_CLASSIFIER = Extension(
    name="token-classifier",
    folder="token_classifier",
    changes=("token_classifier/changes.toml",),
    files=(),
    problem="token-classifier.md",
    task=("token-classifier-write.md", "token-classifier-mend.md"),
    takes="labels=None",
    instruments=("classifying",),
)
SEQUENCE_CLASSIFIER = Extension(
    name="sequence-classifier",
    folder="sequence_classifier",
    changes=("sequence_classifier/changes.toml",),
    files=("sequences.py", "classify.py"),
    unwritten=("classify.py",),
    problem="sequence-classifier.md",
    task=("sequence-classifier-write.md", "sequence-classifier-mend.md"),
    instruments=("sequences",),
    harness=("test_classifier.py",),
)
ATTENTION_TESTS = Extension(
    name="attention-tests",
    folder="attention_tests",
    changes=(),
    files=(),
    problem="tests.md",
    contract="tests-attention.md",
    unsuited=("names-attention-class", "names-queries", "names-output", "projections"),
    tests="test_attention.py",
    tried_stages=("attention",),
    share=ENOUGH,
    forms=("heads.toml", "shares.toml"),
)
TRAINING_TESTS = replace(
    ATTENTION_TESTS,
    name="training-tests",
    folder="training_tests",
    contract="tests-training.md",
    unsuited=("names-batch", "names-optimizer", "names-rate", "names-step"),
    tests="test_training.py",
    tried_stages=("data", "loss", "optim", "loop"),
    forms=("by_hand.toml", "cleared.toml"),
)
DECODING_TESTS = replace(
    ATTENTION_TESTS,
    name="decoding-tests",
    folder="decoding_tests",
    contract="tests-decoding.md",
    unsuited=(),
    tests="test_decoding.py",
    tried_stages=("sampling",),
    forms=("sorted.toml", "places.toml"),
)
MULTIPLYING = Extension(
    name="matmul",
    folder="matmul",
    changes=(),
    files=("matmul.py", "scan.py"),
    unwritten=("matmul.py", "scan.py"),
    problem="matmul.md",
    contract="matmul-contract.md",
    task=("matmul-write.md", "matmul-mend.md"),
    harness=("test_matmul.py",),
    derivation=("matmul-derivation.md", "matmul-derived.md"),
)
DEEP = Extension(
    name="deep", folder="deep", changes=("deep/changes.toml",), files=(), problem="garbage.md"
)

GPT = Program(
    name="gpt",
    folder="gpt",
    files=("model.py", "train.py"),
    problem="classic.md",
    contract="gpt-contract.md",
)
NANO = Program(
    name="nano",
    folder="nano",
    files=("model.py", "data.py", "train.py"),
    problem="nano.md",
    contract="nano-contract.md",
    passage=160,
    held_out=0.2,
    unsuited=("hints", "size-model", "size-window"),
    sizes={"dropout": 0.0},
    fields={"dropout": 0.0, "accumulate": 3, "held_out": 0.5, "eval_every": 1000},
    instruments=("beginning", "dropout", "evaluation"),
)
MATMUL = Program(
    name="nothing",
    folder="matmul",
    files=(),
    problem="matmul.md",
    contract="matmul-contract.md",
    subject="matmul",
    passage=0,
    instruments=("products", "backward", "gradients", "gradcheck", "saved", "scan", "tiled"),
).extended(MULTIPLYING, "matmul")
SINGLE = GPT.extended(SINGLE_HEAD, "single")
LARGER = GPT.extended(DEEP, "deep")
ROTARY = GPT.extended(ROTARY_POSITIONS, "rotary")
GPT_CACHED, NANO_CACHED, SINGLE_CACHED, ROTARY_CACHED, LARGER_CACHED = (
    GPT.extended(KV_CACHE),
    NANO.extended(KV_CACHE),
    SINGLE.extended(SINGLE_CACHE),
    ROTARY.extended(ROTARY_CACHE),
    LARGER.extended(KV_CACHE),
)

PIPELINE = Program(
    name="pipeline",
    folder="pipeline",
    files=(
        "data.py",
        "model.py",
        "stream.py",
        "objective.py",
        "optim.py",
        "evaluate.py",
        "checkpoint.py",
        "train.py",
    ),
    problem="pipeline.md",
    contract="pipeline-contract.md",
    subject="pipeline",
    passage=0,
    harness=("test_pipeline.py",),
    instruments=(
        "pipeline-data",
        "pipeline-logits",
        "pipeline-half",
        "pipeline-loss",
        "pipeline-steps",
        "pipeline-training",
        "pipeline-evaluation",
        "pipeline-resuming",
        "pipeline-stream",
    ),
)

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
