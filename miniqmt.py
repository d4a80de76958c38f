#!/usr/bin/env python3
"""The one entry of miniqmt: makes the Python environment, then hands over to the commands.

    python3 miniqmt.py demo        (on Windows: py miniqmt.py demo)

Only the standard library is used here, and only syntax that Python 3.8 reads, so that an
unsuitable Python gets a sentence and no traceback. Importing this file does nothing.

The environment lives outside the checkout, where platformdirs would put it, one folder per
Python version and content of the requirements: an upgrade never changes packages under a
running executor. ``MINIQMT_VENV`` names another folder. ``MINIQMT_REQUIREMENTS`` names another
requirements file; without it everything installs ``requirements.txt``, except that the scripts in
``windows_side/`` on Windows are content with the small set of ``requirements-windows.txt`` (no
pandas, numpy or matplotlib) where the full one does not stand already.

pip runs with the user's own settings: no index, proxy or mirror is chosen here.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.abspath(__file__))
SUPPORTED = ((3, 11), (3, 12))
HANDED_OVER = "MINIQMT_HANDED_OVER"
"""Names the environment this process was started in; ends a loop of handing over to oneself."""

WORDS = {
    "python": (
        "miniqmt 需要 64 位的 Python 3.11 或 3.12，现在运行的是 {found}。请从 python.org 安装 3.12，"
        "再用它运行：{command}",
        "miniqmt needs a 64-bit Python 3.11 or 3.12; this is {found}. Install 3.12 from python.org and run: "
        "{command}",
    ),
    "building": (
        "第一次启动：正在安装运行环境到 {folder}（约一分钟，以后不再需要）",
        "First start: installing the environment into {folder} (about a minute, once)",
    ),
    "ready": ("环境就绪，用时 {seconds:.0f} 秒", "Environment ready after {seconds:.0f} s"),
    "waiting": (
        "另一个 miniqmt 正在安装环境，等它完成",
        "Another miniqmt is installing the environment; waiting for it",
    ),
    "stopped": ("已中断；下次启动会重新安装", "Interrupted; the next start installs again"),
    "network": (
        "装不了运行环境：连不上 Python 软件源。请检查网络、代理或 pip 的镜像设置（pip config list），"
        "再运行一次。详情：{log}",
        "Cannot install the environment: the package index is out of reach. Check the network, the proxy or "
        "pip's own settings (pip config list), then run again. Details: {log}",
    ),
    "disk": (
        "装不了运行环境：磁盘已满（需要约 400 MB，在 {folder}）。腾出空间后再运行一次",
        "Cannot install the environment: the disk is full (about 400 MB needed in {folder}). "
        "Make room, then run again",
    ),
    "venv": (
        "这个 Python 建不了虚拟环境（{reason}）。Debian 或 Ubuntu 上请运行：sudo apt install "
        "python{version}-venv；详情：{log}",
        "This Python cannot make a virtual environment ({reason}). On Debian or Ubuntu run: sudo apt install "
        "python{version}-venv; details: {log}",
    ),
    "install": (
        "安装运行环境失败：{reason}。详情：{log}",
        "Installing the environment failed: {reason}. Details: {log}",
    ),
    "foreign": (
        "{folder} 里有别的文件，又不是 Python 虚拟环境；请让 MINIQMT_VENV 指向空文件夹或虚拟环境",
        "{folder} holds other files and is no Python environment; let MINIQMT_VENV name an empty folder or "
        "an environment",
    ),
    "folder": (
        "不能写入运行环境的文件夹 {folder}（{reason}）；用 MINIQMT_VENV 指定另一个",
        "Cannot write the environment's folder {folder} ({reason}); name another one with MINIQMT_VENV",
    ),
    "requirements": (
        "读不到依赖清单 {file}（{reason}）；请检查 MINIQMT_REQUIREMENTS 或重新下载 miniqmt",
        "Cannot read the requirements {file} ({reason}); check MINIQMT_REQUIREMENTS or fetch miniqmt again",
    ),
}

NETWORK_SIGNS = re.compile(
    r"NewConnectionError|ConnectTimeout|ReadTimeout|ConnectionError|ProxyError|Retrying \(|Max retries"
    r"|Temporary failure in name|getaddrinfo failed|Network is unreachable|SSLError|CERTIFICATE_VERIFY"
)
DISK_SIGNS = re.compile(r"No space left|Errno 28|not enough space", re.IGNORECASE)
PIN = re.compile(r"""([A-Za-z0-9._-]+)==([^\s;]+)\s*(?:;\s*sys_platform\s*==\s*["'](\w+)["'])?\s*(?:#.*)?$""")


class EntryProblem(Exception):
    """The environment can't be had; ``key`` names the sentence in WORDS. Ends with exit code 2."""

    def __init__(self, key, **values):
        super().__init__(key)
        self.key = key
        self.values = values


def tell(key, **values):
    """Say a sentence of WORDS on stderr: Chinese and English, or English alone where that is chosen."""
    chinese, english = (text.format(**values) for text in WORDS[key])
    only_english = os.environ.get("MINIQMT_LANGUAGE", "").lower().startswith("en")
    lines = [english] if only_english else [chinese, english]
    with contextlib.suppress(AttributeError, ValueError):  # a replaced stderr may not be reconfigurable
        sys.stderr.reconfigure(errors="replace")
    print("\n".join(lines), file=sys.stderr, flush=True)


def check_python():
    """Refuse a Python that is not a 64-bit 3.11 or 3.12."""
    if sys.version_info[:2] in SUPPORTED and sys.maxsize > 2**32:
        return
    found = "Python {}.{}.{}, {}-bit".format(*sys.version_info[:3], 64 if sys.maxsize > 2**32 else 32)
    python = "py -3.12" if os.name == "nt" else "python3.12"
    raise EntryProblem("python", found=found, command=python + " miniqmt.py")


def user_data_folder():
    """Where platformdirs puts this user's data of miniqmt, found without it."""
    home = os.path.expanduser("~")
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Application Support")
    else:
        base = os.environ.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share")
    return os.path.join(base, "miniqmt")


def requirements_text(path):
    """The content of a requirements file and of those it names with ``-r``."""
    try:
        with open(path, "rb") as file:
            content = file.read().replace(b"\r\n", b"\n")
    except OSError as error:
        raise EntryProblem("requirements", file=path, reason=error.strerror) from None
    for included in re.findall(rb"^-r\s+(\S+)", content, re.MULTILINE):
        content += requirements_text(os.path.join(os.path.dirname(path), included.decode()))
    return content


class Environment:
    """A virtual environment for one Python and one requirements file: its folder and its stamp."""

    def __init__(self, requirements):
        self.requirements = requirements
        content = requirements_text(requirements)
        version = "python{}.{}".format(*sys.version_info[:2])
        machine = os.uname().machine if hasattr(os, "uname") else os.environ.get("PROCESSOR_ARCHITECTURE", "")
        identity = "\n".join((version, sys.platform, machine)).encode() + b"\n" + content
        self.stamp = hashlib.sha256(identity).hexdigest()
        named = os.environ.get("MINIQMT_VENV", "").strip()
        self.is_named = bool(named)
        self.folder = os.path.abspath(os.path.expanduser(named)) if named else os.path.join(
            user_data_folder(), "environments", version + "-" + self.stamp[:12]
        )
        self.stamp_file = os.path.join(self.folder, "miniqmt-ready")
        self.log = self.folder + ".log"

    @property
    def python(self):
        parts = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
        return os.path.join(self.folder, *parts)

    def is_ready(self):
        """Whether an install of exactly these requirements ended well and its Python still stands."""
        try:
            with open(self.stamp_file, encoding="utf-8") as file:
                stamped = file.read().strip()
            with open(os.path.join(self.folder, "pyvenv.cfg"), encoding="utf-8") as file:
                home = re.search(r"^home\s*=\s*(.+)$", file.read(), re.MULTILINE)
        except (FileNotFoundError, NotADirectoryError):
            return False
        # A base Python that was upgraded away leaves an environment that starts no more.
        base_stands = home is not None and os.path.isdir(home[1].strip())
        return stamped == self.stamp and base_stands and os.path.exists(self.python)

    def is_current(self):
        """Whether this very process runs in the finished environment."""
        return self.is_ready() and os.path.realpath(sys.prefix) == os.path.realpath(self.folder)


def environment_for(script_path):
    """The environment the script needs: the choice told at the top of this file."""
    full = os.path.join(ROOT, "requirements.txt")
    named = os.environ.get("MINIQMT_REQUIREMENTS", "").strip()
    if named:
        return Environment(os.path.join(ROOT, os.path.expanduser(named)))
    environment = Environment(full)
    beside = os.path.basename(os.path.dirname(os.path.abspath(script_path)))
    if os.name == "nt" and beside == "windows_side" and not environment.is_ready() and not pins_hold(full):
        return Environment(os.path.join(ROOT, "requirements-windows.txt"))
    return environment


def pins_of(requirements):
    """The pins of a requirements file that hold on this system, as (name, version)."""
    with open(requirements, encoding="utf-8") as file:
        lines = [line.strip() for line in file]
    pins = [PIN.match(line) for line in lines if line and not line.startswith("#")]
    if None in pins:
        return [("", "a line that is no pin")]  # never installed: the environment is then made by pip
    return [(pin[1], pin[2]) for pin in pins if pin[3] in (None, sys.platform)]


def pins_hold(requirements):
    """Whether the running Python has every pinned version already (``pip install -e .`` does that)."""
    from importlib import metadata

    for name, version in pins_of(requirements):
        try:
            if metadata.version(name) != version:
                return False
        except (metadata.PackageNotFoundError, ValueError):
            return False
    return True


@contextlib.contextmanager
def build_lock(path):
    """Hold the lock file ``path`` and yield it, open for reading and writing.

    The kernel drops the lock with its last holder, so none is ever stale; pip inherits it (POSIX), so
    that a killed start is not followed by a second pip in the same folder.
    """
    with open(path, "a+", encoding="utf-8") as file:
        told = False
        while not take_lock(file):
            if not told:
                tell("waiting")
            told = True
            time.sleep(0.2)
        file.seek(0)
        yield file


def take_lock(file):
    """Try to lock ``file`` for this process; False when another holds it."""
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(1 << 20)  # beyond the text: a locked byte can't be read, not even by its holder's twin
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def run_step(arguments, log, lock):
    """Run one step of the install: its progress to stderr, its complaints to the file ``log``."""
    settings = dict(os.environ, PIP_USER="0", PIP_DISABLE_PIP_VERSION_CHECK="1")
    inherited = {} if os.name == "nt" else {"pass_fds": (lock.fileno(),)}
    with open(log, "ab") as complaints:
        return subprocess.call(arguments, stdout=sys.stderr, stderr=complaints, env=settings, **inherited)


def build(environment, run=run_step):
    """Make the environment and install its requirements; returns at once where another start has done it.

    A folder of our own that is not ready is the rest of an interrupted install and is made anew. A virtual
    environment that stood at MINIQMT_VENV before is somebody's: packages are added, nothing is cleared.
    """
    begun = time.monotonic()
    try:
        os.makedirs(os.path.dirname(environment.folder), exist_ok=True)
        with build_lock(environment.folder + ".lock") as lock:
            if environment.is_ready():
                return
            tell("building", folder=environment.folder)
            with open(environment.log, "wb"):
                pass
            make_folder(environment, lock, run)
            pip = [environment.python, "-m", "pip", "install", "-r", environment.requirements]
            if run(pip, environment.log, lock) != 0:
                raise failed_install(environment)
            with open(environment.stamp_file, "w", encoding="utf-8") as file:
                file.write(environment.stamp + "\n")
            lock.truncate(0)
    except OSError as error:
        raise EntryProblem("folder", folder=environment.folder, reason=error.strerror) from None
    tell("ready", seconds=time.monotonic() - begun)


def make_folder(environment, lock, run):
    """Create the virtual environment where there is none, or only the rest of one that we had begun."""
    folder = environment.folder
    occupied = os.path.isdir(folder) and bool(os.listdir(folder))
    ours = not environment.is_named or not occupied or lock.read().strip() == "creating"
    if not ours:
        if not os.path.exists(os.path.join(folder, "pyvenv.cfg")):
            raise EntryProblem("foreign", folder=folder)
        with contextlib.suppress(FileNotFoundError):
            os.remove(environment.stamp_file)
        return
    lock.write("creating\n")
    lock.flush()
    if run([sys.executable, "-m", "venv", "--clear", folder], environment.log, lock) != 0:
        version = "{}.{}".format(*sys.version_info[:2])
        raise EntryProblem("venv", reason=last_line(environment.log), version=version, log=environment.log)


def failed_install(environment):
    """The problem that pip's complaints tell of."""
    with open(environment.log, encoding="utf-8", errors="replace") as file:
        complaints = file.read()
    if DISK_SIGNS.search(complaints):
        return EntryProblem("disk", folder=environment.folder)
    if NETWORK_SIGNS.search(complaints):
        return EntryProblem("network", log=environment.log)
    return EntryProblem("install", reason=last_line(environment.log), log=environment.log)


def last_line(path):
    """The last line of a log that is an error, else the last line."""
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = [line.strip() for line in file if line.strip()]
    return next((line for line in reversed(lines) if "rror" in line), lines[-1] if lines else "?")


def hand_over(environment, script_path):
    """Start the script again in the environment: this process becomes it, or waits for its exit code."""
    arguments = [environment.python, os.path.abspath(script_path), *sys.argv[1:]]
    os.environ[HANDED_OVER] = environment.folder
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execv(environment.python, arguments)
    # Windows has no exec. Ctrl+C reaches both processes of the console: the script decides, we only wait.
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(subprocess.call(arguments))


def ensure_environment(script_path):
    """Make sure that the script runs with the packages it needs; else make them and run it again there.

    For scripts that are run by path. It goes before every import that is not of the standard library:

        if __name__ == "__main__":
            import sys
            from pathlib import Path
            sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
            from miniqmt import ensure_environment
            ensure_environment(__file__)

    Returns where the environment stands; otherwise this process ends (exit code 2 with one sentence
    where no environment can be had) or becomes the script's second run.
    """
    if ROOT not in sys.path:
        sys.path.insert(0, ROOT)
    came_from = os.environ.pop(HANDED_OVER, None)
    try:
        check_python()
        environment = environment_for(script_path)
        if came_from == environment.folder or environment.is_current() or pins_hold(environment.requirements):
            return
        if not environment.is_ready():
            build(environment)
        hand_over(environment, script_path)
    except EntryProblem as problem:
        tell(problem.key, **problem.values)
        sys.exit(2)
    except KeyboardInterrupt:
        tell("stopped")
        sys.exit(130)


def main():
    """Run ``miniqmt`` with the arguments of this process."""
    ensure_environment(__file__)
    from commands.main import main as run_commands

    run_commands()


if __name__ == "__main__":
    main()
