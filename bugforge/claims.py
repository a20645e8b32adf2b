"""Reading ANALYSIS.md: what a learner says is wrong, and where."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from bugforge.claim_parts import FIELD, parts_of
from bugforge.mutation import BUG_CLASSES, STAGES

ANALYSIS = "ANALYSIS.md"
MOST_BYTES = 256 * 1024
"""What is read of the file."""

PLACES = ("where", "file", "line", "lines", "name", "location", "place", "function")
"""Labels behind which it is said where a bug is."""

MOST_LINES = 60
"""Of a range of lines that is longer, nothing can be said."""

FILE = re.compile(r"\b[\w/]+\.py\b")
LINES = re.compile(
    r"(?:\b(?i:lines?)(?:[\s`*_:]|\bno\.)*|\bl\.|\bL|\.py`?:)\s*(\d{1,5})"
    r"(?:\s*(?:-|\u2013|to)\s*(\d{1,5}))?"
)
NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
CODE = re.compile(r"`([^`\n]+)`")

SAID = {
    "label-shift": r"shift|label|target|off.by.one|next.token",
    "positions": r"position|\bpe\b|\bpos|\bwpe\b",
    "mask": r"mask|causal|tril|triu|future|leak",
    "projection": r"projection|\bproj|output layer|\bhead\b.*(?:size|shape|dim|width)|dimension",
    "training-step": r"optimi[sz]er|\bstep|backward|zero_?grad|gradient|clip|schedul|warm.?up"
    r"|learning.rate|training.loop|weight.decay|accumulat",
    "typo": r"typo|wrong (?:variable|name|tensor|argument|field)|mix(?:ed|es)?.up|swap|instead of"
    r"|dropped|forgot",
    "cache-positions": r"position|offset|\bpast\b",
    "cache-mask": r"mask|causal|future",
    "cache-contents": r"cache|keys?\b|values?\b|concat|\bcat\b|append",
    "cache-life": r"cache|reset|fresh|shared|anew",
    "rotary": r"rotat|rotary|rope|angle",
    "grouping": r"group|gqa|interleave|repeat|tile",
    "ragged-positions": r"position|padding|left.pad",
    "ragged-mask": r"mask|padding|hidden",
    "ragged-life": r"padding|context|window|step",
    "class-labels": r"label|odd|even|class",
    "class-head": r"head|linear|pool|mean|classifier",
    "class-loss": r"loss|cross.entropy|sum|weight",
    "class-metric": r"accuracy|metric|argmax|mode",
    "matmul-gradient": r"gradient|backward|transpos|upstream|needs_input",
    "matmul-broadcast": r"broadcast|\bsum|\bmean|keepdim|shape",
    "matmul-saved": r"\bsave|\bctx\b|keep|kept|cop(?:y|ies)|clone|version",
    "scan-steps": r"scan|offset|prefix|step|window",
    "tiles": r"\btile|chunk|slice|partial product",
    "row-attention": r"mask|causal|future|norm|residual|attention",
    "half-precision": r"half|float16|fp16|overflow|nan|precision|softmax",
    "row-positions": r"position",
    "row-reading": r"last|length|padding|read|pool",
    "objective": r"loss|shift|target|ignore_?index|padding|weight",
    "optimizer": r"decay|group|adamw?|optimi[sz]er",
    "schedule": r"warm.?up|schedul|learning.rate|cosine",
    "step": r"zero_?grad|gradient|unscale|clip|scaler",
    "leakage": r"leak|overlap|split|held.out|label",
    "batching": r"batch|shuffl|drop|label|pad",
    "reproducibility": r"seed|generator|random|determinis|reproduc",
    "evaluation": r"\beval|dropout|mode|batch",
    "metrics": r"\bf1|macro|micro|roc|auc|accuracy|metric",
    "checkpoint": r"checkpoint|resum|state|saved?\b|load",
    "stream": r"cache|stream|offset|past|reset|concat|\bcat\b",
}
"""What people call the classes of bugs, beside their names."""

ABOUT = {
    "data": r"\bdata|batch|window|vocab",
    "embedding": r"embed",
    "attention": r"attention|\bheads?\b|softmax|scale|quer(?:y|ies)",
    "block": r"residual|layer.?norm|\bmlp|block|gelu",
    "head": r"\bhead\b|logits",
    "loss": r"loss|cross.?entropy",
    "optim": r"optim|learning.rate|decay|schedul|warm.?up|\blr\b",
    "loop": r"loop|gradient|accumulat|clip",
    "eval": r"\beval|dropout|mode",
    "sampling": r"generat|sampl|decod|temperature|top.?k|context",
    "cache": r"cache|padding",
    "classifier": r"class|accuracy",
    "autograd": r"autograd|backward|\bscan|\btile",
}
"""What people say of the stages of a program."""


@dataclass(frozen=True)
class Claim:
    """One bug as a learner describes it. number: in the order of the file.

    files, lines, names: where it is said to be, as far as that is said; a name may be dotted.
    classes: what it may be meant to be: classes of bugs, and stages of the program, by name.
    """

    number: int
    words: str
    files: frozenset[str]
    lines: frozenset[int]
    names: frozenset[str]
    classes: frozenset[str]


def read_claims(root: Path) -> tuple[Claim, ...]:
    """Read what a workspace's ANALYSIS.md claims: nothing, where nobody has filled it in."""
    path = root / ANALYSIS
    if path.is_symlink() or not path.is_file():
        return ()
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES).decode(errors="replace")
    except OSError:
        return ()
    return claims_in(text)


def claims_in(text: str) -> tuple[Claim, ...]:
    """Read the claims of an analysis. What is not filled in is none."""
    filled = (part for part in parts_of(text) if _is_filled(part))
    return tuple(_claim(number, part) for number, part in enumerate(filled, start=1))


def _is_filled(part: str) -> bool:
    """Whether anything stands behind the labels of a part, or beside its number."""
    left = FIELD.sub("", re.sub(r"^(?:#{1,6}\s*)?(?:\d{1,2}[.)])?", "", part.lstrip()))
    return bool(re.search(r"\w", left))


def _claim(number: int, part: str) -> Claim:
    where = " ".join(_places(part)) or part
    named = CODE.findall(part)
    lines: set[int] = set()
    for first, last in LINES.findall(where):
        low, high = int(first), int(last or first)
        lines |= set(range(low, high + 1)) if 0 <= high - low <= MOST_LINES else set()
    said = _field(part, "class") or part
    return Claim(
        number=number,
        words=part.strip(),
        files=frozenset(name.rpartition("/")[2] for name in FILE.findall(where)),
        lines=frozenset(lines),
        names=frozenset(name for words in (where, *named) for name in NAME.findall(words)),
        classes=frozenset(_classes(said)),
    )


def _places(part: str) -> Iterator[str]:
    """Give what stands behind the labels that tell of a place."""
    for label in PLACES:
        if said := _field(part, label):
            yield f"line {said}" if label.startswith("line") else said


def _field(part: str, label: str) -> str:
    """Give what stands behind a label, up to the next one; empty where it is not there."""
    found = list(FIELD.finditer(part))
    for this, following in zip_longest(found, found[1:]):
        if this[1].strip().lower() == label:
            return part[this.end() : following.start() if following else len(part)].strip()
    return ""


def _classes(said: str) -> Iterator[str]:
    words = said.lower()
    for name in BUG_CLASSES:
        plain = name.replace("-", ".?")
        if re.search(rf"\b{plain}\b", words) or re.search(SAID[name], words):
            yield name
    yield from (stage for stage in STAGES if re.search(ABOUT[stage], words))
