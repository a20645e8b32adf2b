"""The debrief: when bugs fell, found out afterwards, and the page that tells of it."""

import base64
import json
import math
import re
import shutil
import subprocess
import sys
import zlib
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import key_to
from hypothesis import given, settings
from hypothesis import strategies as st
from test_cli import run

from bugforge.answers import Bug
from bugforge.courses import Moment, courses
from bugforge.figures import HEIGHT, WIDTH, influence_maps, loss_chart
from bugforge.mend import mend
from bugforge.retraced import RETRACED, Found, remember, remembered
from bugforge.snapshot import snapshot
from bugforge.timeline import Line
from bugforge.workspace import Workspace, open_workspace, replace_files

KINDS = ("mask-fill-zero", "step-before-backward")
"""One bug that shows in what reaches what, and one that does not."""
HOSTILE = "</td></pre><script>alert(1)</script><img src=x onerror=alert(2)>&lt;{{ 7 * 7 }}"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
BROWSERS_OWN = ("google.com", "gvt1.com")
"""Whom Chromium asks of its own accord, whatever page it shows."""
BLANK = ("", "", "", "", "", "", "", "")


def _learner_runs(workspace: Workspace, losses: list[float]) -> None:
    """Note a run in the journal as `run` does, without the minute that it takes."""
    begun = workspace.record(
        lambda events: {
            "event": "run",
            "run": 1 + sum(event.name == "run" for event in events),
            "program": snapshot(workspace.root, events),
        }
    )
    assert begun
    points = [[10 * step, loss] for step, loss in enumerate(losses)]
    ended = {"event": "ran", "run": begun.fields["run"], "losses": points, "sample": HOSTILE}
    assert workspace.note(ended)


def _mend(workspace: Workspace, kind: str) -> int:
    """Mend a bug as its learner might; give its number."""
    key = workspace.answer_key(None)
    bug = next(bug for bug in key.bugs if bug.kind == kind)
    before = {name: (workspace.root / name).read_text(encoding="utf-8") for name in key.pristine}
    mended = mend(key, before, (bug,))
    assert mended.taken_out == (bug.number,)
    replace_files(workspace, mended.files)
    return bug.number


@pytest.fixture(scope="module")
def practised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two bugs whose learner has run it, mended one, run it again, written an
    analysis and revealed the rest; its page lies beside it.
    """
    folder = tmp_path_factory.mktemp("practised")
    kinds = [word for kind in KINDS for word in ("--kind", kind)]
    assert run("new", "--bugs", "2", "--seed", "1", *kinds, cwd=folder).returncode == 0
    assert run("start", cwd=folder).returncode == 0
    workspace = open_workspace(folder / "workspace")
    _learner_runs(workspace, [3.0, math.inf, 2.5])
    _mend(workspace, KINDS[0])
    _learner_runs(workspace, [3.0, 2.0, 1.0])
    words = f"# Analysis\n\n1. Where: model.py, `mask`. Class: mask. {HOSTILE}\n\n2. {HOSTILE}\n"
    (workspace.root / "ANALYSIS.md").write_text(words, encoding="utf-8")
    shutil.copytree(workspace.root, folder / "before")
    revealed = run("reveal", "--html", "page.html", cwd=folder, seconds=600)
    assert revealed.returncode == 0, revealed.stderr
    return folder


def test_bugs_fall_where_programs_are_without_them(practised: Path) -> None:
    """A report says at which run each bug was first seen mended, which was revealed, how the time
    divides among them, and what to practise; and the journal alone gives it again.
    """
    ran = run("report", "--json", cwd=practised)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    number = {bug["kind"]: bug["number"] for bug in told["bugs"]}
    ends = {bug["kind"]: bug["end"] for bug in told["bugs"]}
    assert ends == {KINDS[0]: "fixed", KINDS[1]: "revealed"}
    runs = [event for event in told["events"] if event["event"] == "run"]
    assert [event["fell"] for event in runs] == [[], [number[KINDS[0]]]]
    assert [event["bugs"][0]["state"] for event in runs] != []
    assert sum(bug["seconds"] for bug in told["bugs"]) == pytest.approx(
        told["seconds_used"], abs=0.2
    )
    assert runs[0]["losses"][-1] == 2.5
    assert None in runs[0]["losses"]
    assert len(told["correct_losses"]) > 100
    assert told["correct_losses"][-1] < 0.5
    assert told["untold"] is None
    assert f"bugforge show {KINDS[1]}" in told["next"][0]["commands"]
    assert told["score"]["off"]["reveals"] == 50  # of two bugs, the one that was not mended
    found = (practised / "workspace" / ".bugforge" / RETRACED).read_bytes()
    assert json.loads(run("report", "--json", cwd=practised).stdout) == told
    assert (practised / "workspace" / ".bugforge" / RETRACED).read_bytes() == found


def test_a_report_reads_well_in_a_pipe(practised: Path) -> None:
    """In 80 columns it names each bug's end, and the formula of the score."""
    text = run("report", cwd=practised).stdout
    assert "\x1b" not in text
    assert "It fell between" in text
    assert "score = 100 - " in text
    prose = text.split("What to practise next")[0]
    assert all(len(line) <= 80 for line in prose.splitlines())


def test_nothing_is_told_before_the_end(practised: Path, tmp_path: Path) -> None:
    """A report is refused while bugs are left; a page of one bug tells of no other; a page that
    cannot be written is refused before anything is revealed.
    """
    workspace = Path(shutil.copytree(practised / "before", tmp_path / "workspace"))
    journal = workspace / ".bugforge" / "journal.jsonl"
    before = journal.read_bytes()
    for arguments in (
        ["report"],
        ["reveal", "--html", "no/such/page.html"],
        ["reveal", "--html", "page.txt"],
    ):
        refused = run(*arguments, cwd=tmp_path)
        assert refused.returncode == 2
        assert len(refused.stderr.splitlines()) <= 3
    assert journal.read_bytes() == before
    # What is known already need not be found out again.
    shutil.copy(practised / "workspace" / ".bugforge" / RETRACED, workspace / ".bugforge")
    key = open_workspace(workspace).answer_key(None)
    told, untold = key.bugs
    number = str(told.number)
    ran = run("reveal", "--bug", number, "--html", "page.html", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert told.title in page
    assert untold.title not in page
    assert untold.kind not in page
    assert f"bug-{untold.number}" not in page


class _Page(HTMLParser):
    """Reads a page: its elements with what they lie in, and its text."""

    VOID = frozenset({"meta", "br", "link", "img", "hr", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None], tuple[str, ...]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), tuple(self.open)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), tuple(self.open)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes, _ in self.elements if tag in tags]


@pytest.fixture(scope="module")
def page(practised: Path) -> _Page:
    """The page of that practice, every element closed where it should be."""
    parsed = _Page((practised / "page.html").read_text(encoding="utf-8"))
    assert parsed.open == []
    return parsed


def test_the_page_needs_nothing_else(page: _Page) -> None:
    """It asks for no file, no address and no script, and forbids the browser any."""
    assert not page.all("script", "link", "img", "iframe", "object", "embed", "base", "form")
    for tag, attributes, _ in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), tag
            assert name not in {"src", "srcset", "style", "xlink:href", "action"}, tag
            assert name != "href" or str(value).startswith("#")
    style = "".join(page.words)
    assert "url(" not in style
    assert "@import" not in style
    policy = [meta["content"] for meta in page.all("meta") if "http-equiv" in meta]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_the_page_can_be_read_by_ear(page: _Page) -> None:
    """Ids are unique and found by what names them, headings follow in order, each figure and table
    has its words, and what can be scrolled can be reached by keys.
    """
    ids = Counter(str(found["id"]) for _, found, _ in page.elements if "id" in found)
    assert set(ids.values()) == {1}
    named = [found[name] for _, found, _ in page.elements for name in NAMING if found.get(name)]
    named += [str(link["href"])[1:] for link in page.all("a")]
    assert set(named) <= set(ids)
    levels = [int(tag[1]) for tag, _, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    tags = [tag for tag, _, _ in page.elements]
    assert tags.count("figure") == tags.count("figcaption") >= 3
    assert tags.count("table") == tags.count("caption") >= 6
    assert all("scope" in head for head in page.all("th"))
    for picture in page.all("svg"):
        assert picture.get("aria-hidden") == "true" or (
            picture["role"] == "img" and picture["aria-labelledby"] in ids
        )
    assert all("tabindex" in d for d in page.all("div") if d.get("class") == "scroll")
    assert page.all("html")[0]["lang"] == "en"
    assert "width=device-width" in str([meta.get("content") for meta in page.all("meta")])


NAMING = ("aria-labelledby", "aria-describedby")


def test_the_page_tells_all(page: _Page, practised: Path) -> None:
    """Each bug with its diff and its explanation; what a mask lets through, and in words; the
    learner's words beside the key's.
    """
    text = " ".join(" ".join(page.words).split())
    key = open_workspace(practised / "workspace").answer_key(None)
    for bug in key.bugs:
        for words in (bug.kind, bug.title, bug.what, bug.why, bug.symptom, bug.find):
            assert " ".join(words.split()) in text
    assert "a later token moves what is predicted before it" in text
    assert text.count("What reaches what") == 1
    assert "the correct program" in text
    assert page.all("del")
    assert page.all("ins")
    for scheme in ("prefers-color-scheme: dark", "@media print"):
        assert scheme in text


def test_what_a_learner_wrote_stays_text(page: _Page) -> None:
    """An analysis and a sample that hold tags, entities and templates are shown as they are."""
    text = "".join(page.words)
    assert text.count(HOSTILE) >= 4  # two claims, and the samples of two runs
    assert not page.all("script", "img")


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
def test_a_browser_shows_the_page(practised: Path, tmp_path: Path) -> None:
    """Chromium lays it out without a word on its console, and asks nothing of any network."""
    assert CHROMIUM
    log = tmp_path / "net.json"
    quiet = ["--disable-background-networking", "--disable-component-update", "--no-first-run"]
    ran = subprocess.run(
        [
            *(CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", *quiet),
            *("--enable-logging=stderr", f"--user-data-dir={tmp_path / 'profile'}"),
            *(f"--log-net-log={log}", "--window-size=390,844", "--dump-dom"),
            (practised / "page.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert "What to practise next" in ran.stdout
    assert "CONSOLE" not in ran.stderr
    hosts = set(re.findall(r'"url":"\w+://([^/"]+)', log.read_text(encoding="utf-8")))
    assert [host for host in hosts if not host.endswith(BROWSERS_OWN)] == []


MEASURE = """<script>addEventListener("load", () => {
  const over = (element) => Math.round(element.getBoundingClientRect().right
    - (element.closest(".scroll") ?? document.documentElement).getBoundingClientRect().right)
  parent.postMessage({
    room: document.documentElement.clientWidth,
    page: document.documentElement.scrollWidth,
    cut: Math.max(...[...document.querySelectorAll("h1, h2, p, dd, caption")].map(over)),
  }, "*")
})</script>"""
FRAME = """<pre id="measured"></pre><iframe src="measured.html" width="{}" height="800"></iframe>
<script>addEventListener("message", (event) => {{
  measured.textContent = JSON.stringify(event.data)
}})</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
@pytest.mark.parametrize("width", [320, 360, 500, 800])
def test_the_page_fits_its_window(practised: Path, tmp_path: Path, width: int) -> None:
    """However narrow the window, and beside a scroll bar that takes room, the page is no wider than
    that, and no sentence of it, nor a table's caption, is cut off.
    """
    assert CHROMIUM
    page = (practised / "page.html").read_text(encoding="utf-8")
    open_page = re.sub('<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    assert open_page != page
    (tmp_path / "measured.html").write_text(open_page.replace("</body>", f"{MEASURE}</body>"))
    (tmp_path / "frame.html").write_text(FRAME.format(width))
    ran = subprocess.run(
        [
            *(CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *(f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=5000"),
            *("--dump-dom", (tmp_path / "frame.html").as_uri()),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    (told,) = re.findall(r'<pre id="measured">(.*?)</pre>', ran.stdout)
    measured = json.loads(told)
    assert measured["page"] <= measured["room"] < width
    assert measured["cut"] <= 0


def test_without_a_clock_no_bug_has_a_time(tmp_path: Path) -> None:
    """Where the clock was never set going, neither the report nor the page gives a bug a time, or
    anything else that happened.
    """
    one = ("--bugs", "1", "--seed", "2", "--program", "gpt")
    assert run("new", *one, cwd=tmp_path).returncode == 0
    assert run("reveal", cwd=tmp_path).returncode == 0
    ran = run("report", "--html", "page.html", cwd=tmp_path, seconds=600)
    assert ran.returncode == 0, ran.stderr
    for text, begin, end in (
        (ran.stdout, "Timeline ---", "What to practise next"),
        ((tmp_path / "page.html").read_text(encoding="utf-8"), "The bugs. ", "</table>"),
        ((tmp_path / "page.html").read_text(encoding="utf-8"), "What happened. ", "</table>"),
        ((tmp_path / "page.html").read_text(encoding="utf-8"), 'class="lead"', "</p>"),
    ):
        told = text.partition(begin)[2].partition(end)[0]
        assert "reveal" in told
        assert not re.search(r"\d:\d\d", told)


def test_a_page_that_is_interrupted_is_told(tmp_path: Path) -> None:
    """Ctrl-C while a reveal's page is made says that there is none, and does not say that nothing
    else was done: the reveal is in the journal.
    """
    assert run("new", "--bugs", "1", "--seed", "2", cwd=tmp_path).returncode == 0
    program = (
        "import bugforge.debriefing as d, bugforge.cli as cli\n"
        "def interrupted(*_): raise KeyboardInterrupt\n"
        "d.look_back = interrupted\ncli.main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, "reveal", "--html", "page.html"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 130, ran.stderr
    assert "no page was written" in ran.stderr
    assert "Nothing of yours was changed" not in ran.stderr
    assert not (tmp_path / "page.html").exists()
    events = open_workspace(tmp_path / "workspace").events()
    assert [event.name for event in events] == ["reveal"]


STATES = st.sampled_from(["fixed", "remaining", "could not tell"])
MOMENTS = st.lists(
    st.tuples(
        st.integers(0, 500),
        st.dictionaries(st.integers(1, 3), STATES),
        st.lists(st.integers(1, 3), max_size=2),
    ),
    max_size=8,
)


def _bug(number: int) -> Bug:
    return Bug(number, *BLANK, "", "", "", (), (), ())


@given(MOMENTS)
def test_the_time_of_a_practice_is_divided_whole(told: list[tuple[int, dict, list]]) -> None:
    """Whatever was seen, no bug takes less than nothing, all of them take no more than there was,
    and all of it where one was left; none falls before it was last seen, and none that was seen
    again behind that.
    """
    moments, seconds = [], 0.0
    for step, states, revealed in told:
        seconds += step
        line = Line("run", seconds, "", None, None, ())
        moments.append(Moment(line, states, tuple(revealed)))
    went = courses([_bug(number) for number in (1, 2, 3)], moments, seconds)
    assert all(course.spent >= 0 for course in went)
    total = sum(course.spent for course in went)
    assert total == pytest.approx(max(course.at for course in went))
    if any(course.closed is None for course in went):
        assert total == pytest.approx(seconds)
    for course in went:
        assert course.since <= course.at <= seconds
        if course.end == "fixed":
            assert course.closed is not None
            number = course.bug.number
            assert moments[course.closed].states[number] == "fixed"
            opened = next((i for i, m in enumerate(moments) if number in m.revealed), len(moments))
            behind = moments[course.closed : opened + 1]
            assert all(moment.states.get(number) != "remaining" for moment in behind)


CURVE = st.lists(st.floats() | st.floats(0, 5), min_size=1, max_size=40)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), CURVE))
def test_curves_stay_within_their_chart(curves: dict[str, list[float]]) -> None:
    """Losses that are no numbers, or beyond any scale, leave every point inside the picture."""
    chart = loss_chart({name: list(enumerate(losses)) for name, losses in curves.items()})
    drawable = [losses for losses in curves.values() if any(map(math.isfinite, losses))]
    assert (chart is not None) == bool(drawable)
    if chart:
        assert len(chart.traces) == len(drawable)
        for trace in chart.traces:
            for x, y in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", trace.path):
                assert 0 <= float(x) <= WIDTH
                assert 0 <= float(y) <= HEIGHT


def test_a_map_in_words_counts_what_leaks_and_what_is_not_seen() -> None:
    """What lies above the diagonal with a bug is counted, and so is what is missing below it."""
    right = ((1.0, 0.0, 0.0), (0.5, 1.0, 0.0), (0.2, 0.3, 1.0))
    wrong = ((1.0, 0.0, 0.7), (0.0, 1.0, 0.0), (0.0, 0.3, 1.0))
    maps = influence_maps(right, wrong)
    assert "predicted before it, in 1 place." in maps.words
    assert "should count moves nothing, in 2 places." in maps.words
    assert "position 1 when token 3 is changed: 0.7 with the bug, 0 without" in maps.words
    assert [cell.leaks for cell in maps.wrong.cells].count(True) == 1
    assert not any(cell.leaks for cell in maps.right.cells)


@given(st.lists(st.sampled_from([0.0, 0.5, float("nan"), float("inf")]), min_size=4, max_size=4))
def test_a_map_draws_and_tells_what_is_no_number(values: list[float]) -> None:
    """Where a bug leaves no number, that is said, and not that nothing moves there; every strength
    that is drawn is a share.
    """
    wrong = ((values[0], values[1]), (values[2], values[3]))
    maps = influence_maps(((1.0, 0.0), (0.5, 1.0)), wrong)
    lost = [value for value in values if not math.isfinite(value)]
    assert (f"no number, in {len(lost)} place" in maps.words) == bool(lost)
    still = [values[place] for place in (0, 2, 3)].count(0.0)
    assert (f"moves nothing, in {still} place" in maps.words) == bool(still)
    assert all(0 <= cell.strength <= 1 for cell in maps.wrong.cells)


def test_what_was_found_out_is_read_back_or_not_at_all(tmp_path: Path) -> None:
    """It is read as it was kept, and by nobody's eye; what is torn, altered or another key's counts
    as not known.
    """
    key, path = key_to({}), tmp_path / RETRACED
    found = Found({"x": {1: "fixed", 2: "remaining"}}, (3.0, 1.5), {0: ((1.0, 0.5),)}, seen=True)
    remember(path, key, found)
    assert remembered(path, key) == found
    kept = path.read_bytes()
    assert b"fixed" not in kept
    plain = zlib.decompress(base64.b85decode(kept))
    altered = [plain[:40], b"", b"[]", b"7", plain.replace(b"fixed", b"gone"), b'{"schema": 1}']
    sealed = (base64.b85encode(zlib.compress(text)) for text in altered)
    for other in (kept[:40], b"", b"\xff", *sealed):
        path.write_bytes(other)
        assert remembered(path, key) == Found({})
    remember(path, key, found)
    assert remembered(path, replace(key, id="another")) == Found({})
