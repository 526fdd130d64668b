"""Faults: folders that go, files that change, many files, hostile files."""
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path

from place import each_once, fault, relative, Skipped
from service import expect, files, results


@fault(quick=True)
def folder_removed_and_recreated(place):
    with place.service() as service:
        place.pictures(service.incoming, 3)
        service.until_settled(3)
        shutil.rmtree(service.incoming)
        service.until(lambda: "incoming" in service.tail(30), "notices")
        service.incoming.mkdir()
        place.pictures(service.incoming, 3, prefix="again")
        service.until_settled(6)
        expect(service.counts() == {"done": 6}, f"{service.counts()}")
        service.examine()
    service.examine_stopped()
    return "taken up again"


class FuseMount:
    """`source` once more at `target`, through FUSE: to the service a file system that tells of no changes."""

    def __init__(self, source: Path, target: Path):
        if not shutil.which("bindfs") or not Path("/dev/fuse").exists():
            raise Skipped("no bindfs or no /dev/fuse (Debian: bindfs)")
        self.source, self.target = source, target
        for folder in (source, target):
            folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self):
        done = subprocess.run(["bindfs", str(self.source), str(self.target)], capture_output=True, text=True)
        if done.returncode:
            raise Skipped(f"bindfs cannot mount: {done.stderr.strip()}")
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", str(self.target)], check=True)


@fault()
def network_folder_vanishes(place):
    """incoming/ on a FUSE mount is scanned instead of watched; without the mount nothing counts as deleted."""
    mount = FuseMount(place.folder / "export", place.folder / "net")
    settings = {"state.incoming": str(place.folder / "net" / "incoming"), "state.done": str(place.folder / "net" / "done"),
                "state.failed": str(place.folder / "net" / "failed"), "watch.network_scan_interval": "1s"}
    incoming = place.folder / "net" / "incoming"
    with mount:
        incoming.mkdir()
        service = place.service(settings=settings).start()
    try:
        # The mount is gone, as when a server is rebooted.
        place.drop(place.folder / "export" / "incoming", "late.jpg", place.picture)
        service.until(lambda: "nothing is taken for deleted" in service.tail(30), "misses the folder")
        with mount:
            expect("scanned every" in service.log.read_text(), f"does not say that it scans: {service.tail()}")
            place.pictures(incoming, 3)
            service.until(lambda: len(results(service.root)) == 4 and not files(incoming), "has taken the files of the mount")
            expect(service.counts() == {"done": 4}, f"{service.counts()}")
            service.jobs_command("verify")
            expect(service.stop() == 0, "did not end with 0")
            refused = place.service(root="net/state").start(wait=False)
            expect(refused.process.wait(60) == 78, f"exit {refused.process.returncode} for a state folder on FUSE: {refused.tail()}")
            expect("FUSE" in refused.tail() or "fuse" in refused.tail(), f"no reason: {refused.tail()}")
    finally:
        if service.alive():
            service.kill()
    return "4 files taken by scanning, the mount away and back; a state folder on FUSE is refused"


@fault()
def appended_while_analysed(place):
    """What is analysed is what lay there: the longer file is a new input."""
    clip = place.video("grows.ts", seconds=30)
    with place.service(settings={"workers.count": "1"}) as service:
        content = clip.read_bytes()
        place.drop(service.incoming, "grows.ts", content)
        service.until(lambda: any(job["state"] == "running" for job in service.jobs()), "runs the job")
        with open(service.incoming / "grows.ts", "ab") as file:
            file.write(content[: len(content) // 2 // 188 * 188])
        service.until(lambda: not files(service.incoming) and service.counts().get("queued", 0) + service.counts().get("running", 0) == 0,
                      "has brought the longer file to an end", limit=240)
        done = service.root / "done" / "grows.ts"
        expect(done.exists() and done.stat().st_size > len(content), "the longer file is not the one in done/")
        service.examine()
    service.examine_stopped()
    return f"{len(service_jobs(service))} jobs"


def service_jobs(service):
    """From the database, when no daemon runs."""
    with sqlite3.connect(f"file:{service.root / 'emotiond.sqlite'}?mode=ro", uri=True) as database:
        return database.execute("select id, state from jobs").fetchall()


@fault(quick=True)
def same_file_twice_renamed_replaced(place):
    with place.service() as service:
        one = place.picture + b"one"
        place.drop(service.incoming, "a.jpg", one)
        service.until_settled(1)
        place.drop(service.incoming, "copy of a.jpg", one)  # same content, other name
        service.until_settled(2)
        place.drop(service.incoming, "a.jpg", one)  # the same again under the same name
        service.until_settled(3)
        place.drop(service.incoming, "a.jpg", place.picture + b"two")  # other content, same name
        service.until_settled(4)
        states = service.counts()
        expect(states == {"done": 4}, f"{states}")
        expect(len(results(service.root)) == 2, f"results: {results(service.root)}")
        expect(len(files(service.root / "done")) == 4, "done/ does not hold all four")
        service.examine()
    service.examine_stopped()
    return "2 results for 2 contents, 4 inputs kept"


@fault()
def thousand_files(place):
    with place.service() as service:
        place.pictures(service.incoming, 1000)
        names = set(relative(service.incoming))
        begin = time.monotonic()
        before = service.descriptors()
        service.until_settled(1000, limit=540)
        took = time.monotonic() - begin
        each_once(service, names)
        expect(service.descriptors() <= before + 16, f"descriptors: {before}, then {service.descriptors()}")
        service.examine()
    service.examine_stopped()
    return f"1000 of 1000 in {took:.0f} s"


@fault()
def odd_files(place):
    """Everything in the collection of hostile files, dropped at once."""
    odd = place.data / "media" / "odd"
    if not odd.is_dir():
        raise Skipped(f"{odd} is not there")
    with place.service(settings={"workers.stall": "60s"}) as service:
        inputs = [path for path in sorted(odd.rglob("*")) if path.is_file() and path.suffix not in (".tsv", ".md", ".txt")]
        for path in inputs:
            copy = service.incoming / path.relative_to(odd)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
        expected = len([p for p in files(service.incoming)])
        service.until_settled(expected, limit=540)
        counted = service.counts()
        expect(counted.get("done", 0) + counted.get("failed", 0) == expected, f"{counted} of {expected}")
        for path in files(service.root / "failed"):
            if not path.name.endswith(".error.json"):
                expect(path.with_name(path.name + ".error.json").exists(), f"{path} has no error.json")
        service.examine()
    service.examine_stopped()
    return f"{expected} files: {counted}"
