"""A daemon under test: started on a folder of its own, watched, hurt, and examined afterwards."""
import json
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

TEMPORARY = ".emotiond-"
LIMIT = 120.0  # seconds that anything may take; a wait that ends early costs nothing


class Fault(AssertionError):
    """What a daemon should have survived and did not."""


def expect(condition, message):
    if not condition:
        raise Fault(message)


class Service:
    """`emotiond serve --root ROOT`, with settle times short enough for tests."""

    def __init__(self, emotiond: Path, root: Path, *, settings=None, environment=None, config=None):
        self.emotiond, self.root, self.config = emotiond, root, config
        self.settings = {"watch.quiet": "200ms", "watch.scan_interval": "2s", "http.address": "none", "workers.backoff_first": "100ms",
                         "workers.backoff_most": "1s", **(settings or {})}
        self.environment = environment or {}
        self.process, self.log, self.lines = None, root.parent / (root.name + ".log"), []
        for name in ("incoming",):
            (root / name).mkdir(parents=True, exist_ok=True)

    @property
    def incoming(self):
        return self.root / "incoming"

    @property
    def socket(self):
        return self.root / "emotiond.sock"

    # -- life

    def command(self):
        place = ["--config", str(self.config)] if self.config else ["--root", str(self.root)]
        sets = [word for key, value in self.settings.items() for word in ("--set", f"{key}={value}")]
        return [str(self.emotiond), "serve", *place, *sets]

    def start(self, wait=True):
        self.log_file = open(self.log, "ab")
        self.process = subprocess.Popen(self.command(), stdout=self.log_file, stderr=subprocess.STDOUT,
                                        env={**os.environ, **self.environment}, start_new_session=True)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        self.until(lambda: self.get("/readyz", plain=True) is not None, "is ready")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log_file.close()

    def stop(self, within=10.0):
        """SIGTERM; within ten seconds it is gone."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise Fault(f"did not stop within {within} s of SIGTERM") from None
        self.log_file.close()
        return code

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if self.process and self.process.poll() is None:
            try:
                self.stop(30)
            except Fault:
                self.kill()
                if kind is None:
                    raise

    def alive(self):
        return self.process.poll() is None

    def workers(self):
        """Process ids of its children."""
        return children(self.process.pid)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    # -- what it says

    def get(self, target, plain=False, method="GET"):
        """The answer on its Unix socket, or None while nobody answers."""
        try:
            status, body = request(self.socket, target, method)
        except OSError:
            return None
        if status >= 300:
            return None
        return body if plain else json.loads(body)

    def jobs_command(self, *words, check=True):
        run = subprocess.run([str(self.emotiond), "jobs", *words, "--root", str(self.root)], capture_output=True,
                             text=True, timeout=LIMIT)
        if check and run.returncode:
            raise Fault(f"jobs {' '.join(words)}: exit {run.returncode}: {run.stderr.strip()[-600:]} {run.stdout[-600:]}")
        return run

    def jobs(self):
        return json.loads(self.jobs_command("list", "--json", "--limit", "100000").stdout)

    def counts(self):
        counted = {}
        for job in self.jobs():
            counted[job["state"]] = counted.get(job["state"], 0) + 1
        return counted

    def until(self, happens, what, limit=LIMIT, every=0.05):
        """Waits for an event; the time limit only bounds a failure."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            if self.process and self.process.poll() is not None:
                raise Fault(f"ended with {self.process.returncode} while the test waited until it {what}: {self.tail()}")
            if happens():
                return
            time.sleep(every)
        raise Fault(f"within {limit} s nothing showed that it {what}: {self.tail()}")

    def until_settled(self, inputs, limit=LIMIT):
        """Every one of so many inputs is done, failed or cancelled, and nothing is left in incoming/."""
        def settled():
            counted = self.counts()
            open_jobs = counted.get("queued", 0) + counted.get("running", 0)
            return open_jobs == 0 and sum(counted.values()) >= inputs and not files(self.incoming)
        self.until(settled, f"has brought {inputs} inputs to an end", limit, every=0.3)

    def tail(self, count=12):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])

    # -- afterwards

    def examine(self):
        """Ledger, folders and results agree; no temporary file."""
        self.jobs_command("verify")
        left = [path for path in self.root.rglob(TEMPORARY + "*")]
        expect(not left, f"temporary files: {left[:5]}")

    def examine_stopped(self):
        self.examine()
        orphans = [pid for pid in processes_about(self.root) if pid != os.getpid()]
        expect(not orphans, f"orphan processes: {[command_line(pid) for pid in orphans]}")


def files(folder: Path):
    return [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")] if folder.exists() else []


def results(root: Path):
    return sorted(path.parent for path in (root / "results").rglob("run.json"))


def children(pid):
    try:
        return [int(word) for task in os.listdir(f"/proc/{pid}/task")
                for word in Path(f"/proc/{pid}/task/{task}/children").read_text().split()]
    except OSError:
        return []


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def processes_about(root: Path):
    """Processes with a file or folder of `root` open: a worker's command line does not name it."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            if "emotiond" not in os.readlink(f"/proc/{entry}/exe"):
                continue
            for descriptor in os.listdir(f"/proc/{entry}/fd"):
                if os.readlink(f"/proc/{entry}/fd/{descriptor}").startswith(str(root)):
                    found.append(int(entry))
                    break
        except OSError:
            continue
    return found


def request(path: Path, target: str, method="GET", body=b"", limit=30.0):
    """HTTP/1.1 over a Unix socket: (status, body). An independent client, so that the daemon's own is not trusted."""
    import http.client

    class Connection(http.client.HTTPConnection):
        def connect(self):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(limit)
            self.sock.connect(str(path))

    connection = Connection("localhost")
    try:
        connection.request(method, target, body=body or None)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()
