"""The correct programs that there are, and what can be added to them: data."""

from dataclasses import replace

from bugforge.program import Extension, Program

ENOUGH = 0.9
"""The share of wrong programs that tests must fail on: most of the rest differ in a corner only."""
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
    unsuited=("heat",),
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
    instruments=("beginning", "dropout", "dropping", "evaluation", "accumulation"),
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
        "pipeline-resuming-half",
        "pipeline-stream",
        "pipeline-run",
    ),
)
