"""The entry makes its environment once, whole, and never harms somebody else's."""

from __future__ import annotations

import ast
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import miniqmt

ROOT = Path(miniqmt.ROOT)


class Steps:
    """Stands for venv and pip: notes what was run, makes what venv makes, and fails as told."""

    def __init__(self, pip_says: str = "", pip_code: int = 0) -> None:
        self.runs: list[list[str]] = []
        self.pip_says, self.pip_code = pip_says, pip_code

    def __call__(self, arguments: list[str], log: str, lock: object) -> int:
        self.runs.append(arguments)
        if "venv" in arguments:
            make_environment(Path(arguments[-1]))
            return 0
        Path(log).write_text(self.pip_says)
        return self.pip_code

    @property
    def cleared(self) -> bool:
        return any("--clear" in run for run in self.runs)


def make_environment(folder: Path) -> None:
    """The files that tell a virtual environment."""
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_bytes(b"")
    (folder / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).parent}\n")


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., miniqmt.Environment]:
    """Makes the environment for a requirements text, below an empty home."""
    monkeypatch.setattr(miniqmt, "user_data_folder", lambda: str(tmp_path / "data"))

    def make(text: str = "orjson==1.0\n", named: Path | None = None) -> miniqmt.Environment:
        if named is not None:
            monkeypatch.setenv("MINIQMT_VENV", str(named))
        file = tmp_path / "requirements.txt"
        file.write_bytes(text.encode())
        return miniqmt.Environment(str(file))

    return make


def test_the_entry_is_readable_by_an_old_python() -> None:
    """Python 3.8 reads the file, so that it can say which Python is needed."""
    ast.parse((ROOT / "miniqmt.py").read_text(encoding="utf-8"), feature_version=(3, 8))


def test_importing_the_entry_needs_and_does_nothing() -> None:
    """``import miniqmt`` works without site-packages and loads neither pip, venv nor the commands."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import miniqmt; print(*sys.modules)"
    python = [sys.executable, "-I", "-S", "-c", code]
    loaded = subprocess.run(python, capture_output=True, text=True, check=True).stdout.split()
    assert not {"venv", "ensurepip", "commands", "importlib.metadata"} & set(loaded)


def test_an_unsuitable_python_gets_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another Python ends with 2, and both languages name the version to install."""
    monkeypatch.setattr(miniqmt.sys, "version_info", (3, 10, 4, "final", 0))
    with pytest.raises(SystemExit) as end:
        miniqmt.ensure_environment(__file__)
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert "Python 3.10.4" in said and said.count("3.12") >= 2 and "Traceback" not in said


def test_an_environment_is_built_once(environment: Callable[..., miniqmt.Environment]) -> None:
    """The first start installs; from then on it is ready, for another start as well, and no step runs."""
    first, steps = environment(), Steps()
    miniqmt.build(first, steps)
    assert first.is_ready() and environment().is_ready()
    assert [steps.cleared, steps.runs[-1][1:4]] == [True, ["-m", "pip", "install"]]
    again = Steps()
    miniqmt.build(environment(), again)
    assert again.runs == []


def test_a_failed_install_is_not_ready_and_is_made_anew(
    environment: Callable[..., miniqmt.Environment],
) -> None:
    """What an interrupted pip left behind is cleared away by the next start, never used."""
    with pytest.raises(miniqmt.EntryProblem):
        miniqmt.build(environment(), Steps(pip_code=1, pip_says="ERROR: boom"))
    assert not environment().is_ready()
    repaired = Steps()
    miniqmt.build(environment(), repaired)
    assert repaired.cleared and environment().is_ready()


@pytest.mark.parametrize(
    ("complaint", "key"),
    [
        ("WARNING: Retrying (Retry(total=4)) after NewConnectionError", "network"),
        ("socket.gaierror: getaddrinfo failed", "network"),
        ("ERROR: Could not install: [Errno 28] No space left on device", "disk"),
        ("ERROR: No matching distribution found for orjson==1.0", "install"),
    ],
)
def test_a_failed_install_says_why(
    complaint: str, key: str, environment: Callable[..., miniqmt.Environment]
) -> None:
    """No network, a full disk and a missing version are told apart."""
    with pytest.raises(miniqmt.EntryProblem) as problem:
        miniqmt.build(environment(), Steps(pip_code=1, pip_says=complaint))
    assert problem.value.key == key
    for text in miniqmt.WORDS[key]:
        assert text.format(**problem.value.values)


def test_other_requirements_never_touch_a_running_environment(
    environment: Callable[..., miniqmt.Environment],
) -> None:
    """Changed pins get a folder of their own; line ends of another system do not count as a change."""
    old = environment("orjson==1.0\n")
    assert environment("orjson==2.0\n").folder != old.folder
    assert environment("orjson==1.0\r\n").folder == old.folder


def test_included_requirements_count(tmp_path: Path) -> None:
    """A change in a file named with -r changes the environment too."""
    (tmp_path / "dev.txt").write_text("-r base.txt\n")
    (tmp_path / "base.txt").write_text("orjson==1.0\n")
    before = miniqmt.Environment(str(tmp_path / "dev.txt")).stamp
    (tmp_path / "base.txt").write_text("orjson==2.0\n")
    assert miniqmt.Environment(str(tmp_path / "dev.txt")).stamp != before


def test_an_environment_whose_python_is_gone_is_built_again(
    environment: Callable[..., miniqmt.Environment], tmp_path: Path
) -> None:
    """After the base Python was removed the stamp alone does not count."""
    built = environment()
    miniqmt.build(built, Steps())
    (Path(built.folder) / "pyvenv.cfg").write_text(f"home = {tmp_path / 'removed'}\n")
    assert not environment().is_ready()


def test_somebodys_environment_is_added_to_and_never_cleared(
    environment: Callable[..., miniqmt.Environment], tmp_path: Path
) -> None:
    """MINIQMT_VENV may name an environment in use: packages are installed, nothing is removed."""
    own = tmp_path / "own"
    make_environment(own)
    (own / "precious").write_text("keep")
    for text in ("orjson==1.0\n", "orjson==2.0\n"):
        steps = Steps()
        miniqmt.build(environment(text, named=own), steps)
        assert not steps.cleared and len(steps.runs) == 1
    assert (own / "precious").read_text() == "keep"


def test_a_folder_with_other_files_is_refused(
    environment: Callable[..., miniqmt.Environment], tmp_path: Path
) -> None:
    """MINIQMT_VENV at somebody's documents: refused, untouched."""
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "letter").write_text("dear")
    steps = Steps()
    with pytest.raises(miniqmt.EntryProblem) as problem:
        miniqmt.build(environment(named=tmp_path / "documents"), steps)
    assert problem.value.key == "foreign" and steps.runs == []


def test_our_own_interrupted_start_in_a_named_folder_is_cleared(
    environment: Callable[..., miniqmt.Environment], tmp_path: Path
) -> None:
    """A folder we had begun to make is made anew, even where it was killed inside venv."""
    named = tmp_path / "named"

    def killed(arguments: list[str], log: str, lock: object) -> int:
        named.mkdir()
        (named / "half").write_text("")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        miniqmt.build(environment(named=named), killed)
    steps = Steps()
    miniqmt.build(environment(named=named), steps)
    assert steps.cleared and environment(named=named).is_ready()


def test_two_starts_at_once_install_once(
    environment: Callable[..., miniqmt.Environment], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second start says that it waits for the first, and installs nothing."""
    first, second = Steps(), Steps()
    inside, waiting, released = threading.Event(), threading.Event(), threading.Event()
    monkeypatch.setattr(miniqmt, "tell", lambda key, **values: waiting.set() if key == "waiting" else None)

    def slow(arguments: list[str], log: str, lock: object) -> int:
        inside.set()
        assert released.wait(60)
        return first(arguments, log, lock)

    shared = environment()
    one = threading.Thread(target=miniqmt.build, args=(shared, slow))
    one.start()
    assert inside.wait(60)
    two = threading.Thread(target=miniqmt.build, args=(shared, second))
    two.start()
    assert waiting.wait(60)
    released.set()
    one.join(60)
    two.join(60)
    assert len(first.runs) == 2 and second.runs == []


def test_handing_over_runs_the_same_script_in_the_environment(
    environment: Callable[..., miniqmt.Environment], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The script is started again by path with its arguments; the second run notices and goes on."""
    ready = environment()
    miniqmt.build(ready, Steps())
    started: list[list[str]] = []

    def become(python: str, arguments: list[str]) -> None:
        started.append(arguments)
        raise SystemExit(0)  # a real exec never returns

    monkeypatch.setattr(miniqmt, "environment_for", lambda script: ready)
    monkeypatch.setattr(miniqmt, "pins_hold", lambda requirements: False)
    monkeypatch.setattr(miniqmt.sys, "argv", ["order_executor.py", "--simulate"])
    monkeypatch.setattr(miniqmt.os, "name", "posix")
    monkeypatch.setattr(miniqmt.os, "execv", become)
    monkeypatch.delenv(miniqmt.HANDED_OVER, raising=False)
    script = str(ROOT / "windows_side" / "order_executor.py")
    with pytest.raises(SystemExit):
        miniqmt.ensure_environment(script)
    assert started == [[ready.python, script, "--simulate"]]
    miniqmt.ensure_environment(script)  # as the second run sees it: the mark says where it came from
    assert len(started) == 1 and miniqmt.HANDED_OVER not in miniqmt.os.environ


def test_the_right_python_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every pin is installed already (pip install -e .) nothing is built and nothing restarted."""
    monkeypatch.setattr(miniqmt, "pins_hold", lambda requirements: True)
    monkeypatch.setattr(miniqmt, "build", lambda environment: pytest.fail("built"))
    monkeypatch.setattr(miniqmt, "hand_over", lambda *anything: pytest.fail("handed over"))
    miniqmt.ensure_environment(__file__)


def test_pins_are_compared_with_what_is_installed(tmp_path: Path) -> None:
    """A wrong or missing version does not hold; pins of other systems do not count."""
    import pytest as installed

    file = tmp_path / "requirements.txt"

    def hold(text: str) -> bool:
        file.write_text(text, encoding="utf-8")
        return miniqmt.pins_hold(str(file))

    assert hold(f"# 注释\n\npytest=={installed.__version__}\n")
    assert hold(f'pytest=={installed.__version__}\nabsent==1 ; sys_platform == "sunos5"\n')
    assert not hold("pytest==0.1\n")
    assert not hold("absent==1\n")
    assert not hold("pytest\n")


def test_windows_scripts_are_content_with_the_small_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Producer and executor on Windows install neither pandas nor numpy; all else gets the full set."""
    monkeypatch.setattr(miniqmt.os, "name", "nt")
    monkeypatch.setattr(miniqmt, "pins_hold", lambda requirements: False)
    monkeypatch.setattr(miniqmt.Environment, "is_ready", lambda self: False)
    executor = miniqmt.os.path.join(miniqmt.ROOT, "windows_side", "order_executor.py")
    dashboard = miniqmt.os.path.join(miniqmt.ROOT, "mac_side", "mac_dashboard.py")
    assert miniqmt.environment_for(executor).requirements.endswith("requirements-windows.txt")
    assert miniqmt.environment_for(dashboard).requirements.endswith("requirements.txt")
    monkeypatch.setattr(miniqmt.Environment, "is_ready", lambda self: True)
    assert miniqmt.environment_for(executor).requirements.endswith("requirements.txt")


def test_the_small_set_is_part_of_the_full_one() -> None:
    """Both files pin the same versions, and the small one holds no plotting or table packages."""
    full = dict(miniqmt.pins_of(str(ROOT / "requirements.txt")))
    small = dict(miniqmt.pins_of(str(ROOT / "requirements-windows.txt")))
    assert small.items() <= full.items()
    assert not {"pandas", "numpy", "matplotlib"} & small.keys()
    assert {"orjson", "pydantic", "watchdog", "filelock"} <= small.keys()


def test_missing_requirements_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """MINIQMT_REQUIREMENTS at a file that is not there: its name in the sentence, exit code 2."""
    monkeypatch.setenv("MINIQMT_REQUIREMENTS", "no-such-file.txt")
    with pytest.raises(miniqmt.EntryProblem) as problem:
        miniqmt.environment_for(__file__)
    assert problem.value.key == "requirements" and "no-such-file.txt" in problem.value.values["file"]
