#!/usr/bin/env python3
"""Faults that the service survives: each is done to a real daemon, then ledger, folders and results are examined.

    faults.py --emotiond FILE [--quick] [--only NAME ...] [--seed N] [--files N] [--keep DIR]

Prints a line a fault and ends with 1 if any was not survived. What a fault needs and this machine lacks
(root for a tmpfs, a C compiler, a GStreamer RTSP server) makes it `skipped`, with the reason.
"""
import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from service import Fault, Service, children, expect, files, results

HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parents[1] / "samples"


class Skipped(Exception):
    """The machine lacks what this fault needs."""


FAULTS, QUICK = {}, set()


def fault(quick=False):
    def register(function):
        name = function.__name__.replace("_", "-")
        FAULTS[name] = function
        if quick:
            QUICK.add(name)
        return function
    return register


class Place:
    """A folder of its own for one fault, its random numbers, and files to drop."""

    def __init__(self, folder: Path, arguments):
        self.folder, self.emotiond, self.data = folder, arguments.emotiond, arguments.data
        self.random, self.files = random.Random(arguments.seed), arguments.files
        self.outside = folder / "outside"
        self.outside.mkdir(parents=True)
        small = self.outside / "small.jpg"
        run(["ffmpeg", "-v", "error", "-i", str(SAMPLES / "astronaut.jpg"), "-vf", "scale=160:-2", str(small)])
        self.picture = small.read_bytes()

    def service(self, root="state", **more):
        return Service(self.emotiond, self.folder / root, **more)

    def drop(self, folder: Path, name: str, content: bytes):
        """As a careful uploader does: under a hidden name first."""
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        hidden = target.with_name("." + target.name)
        hidden.write_bytes(content)
        os.rename(hidden, target)

    def pictures(self, folder: Path, count: int, prefix="p"):
        """JPEGs that differ in content: decoders ignore what follows the end marker."""
        for index in range(count):
            self.drop(folder, f"{index % 7}/{prefix}{index:05}.jpg", self.picture + f"{prefix}{index}".encode())

    def video(self, name="clip.mp4", seconds=4):
        """From samples/ad.mp4, repeated, so that it has faces and takes a while."""
        clip = self.outside / name
        run(["ffmpeg", "-v", "error", "-y", "-stream_loop", "-1", "-i", str(SAMPLES / "ad.mp4"), "-t", str(seconds), "-an",
             "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", str(clip)])
        return clip


def shim(place, source):
    """A library of C beside this file, to be preloaded."""
    library = (place.outside / source).with_suffix(".so")
    try:
        run(["cc", "-shared", "-fPIC", "-o", str(library), str(HERE / source), "-ldl"])
    except (Fault, FileNotFoundError):
        raise Skipped("no C compiler to build a shim with") from None
    return str(library)


def run(words):
    done = subprocess.run(words, capture_output=True, text=True)
    expect(done.returncode == 0, f"{words[0]}: {done.stderr[-400:]}")


def each_once(service, names):
    """Each of the files is done, has one result folder, and lies in done/."""
    jobs = [job for job in service.jobs() if job["state"] == "done"]
    paths = [job["path"] for job in jobs]
    expect(len(paths) == len(set(paths)), f"done twice: {[p for p in paths if paths.count(p) > 1][:5]}")
    expect(set(paths) == set(names), f"not done: {sorted(set(names) - set(paths))[:5]}, strangers: "
                                     f"{sorted(set(paths) - set(names))[:5]}")
    expect(len(results(service.root)) == len(names), f"{len(results(service.root))} results of {len(names)} inputs")
    expect(len(files(service.root / "done")) == len(names), "done/ does not hold every input")


def relative(folder):
    return [str(path.relative_to(folder)) for path in files(folder)]


# -- kills

def kill_at_random(place, victim, count, times):
    service = place.service()
    place.pictures(service.incoming, count)
    names = relative(service.incoming)
    service.start()
    killed = 0
    while killed < times:
        time.sleep(place.random.uniform(0.05, 0.6))  # the moment is the experiment
        if victim(service):
            killed += 1
        if not service.alive():
            service.start()
        if not files(service.incoming):
            place.pictures(service.incoming, count // 4, prefix=f"k{killed}-")
            names += relative(service.incoming)
    service.until_settled(len(set(names)), limit=300)
    each_once(service, set(names))
    service.examine()
    expect(service.stop() == 0, "did not end with 0")
    service.examine_stopped()
    return f"{killed} kills over {len(set(names))} files"


def kill_the_daemon(service):
    service.kill()
    return True


def kill_a_worker(service):
    workers = service.workers()
    if not workers:
        return False
    os.kill(workers[0], signal.SIGKILL)
    return True


@fault(quick=True)
def daemon_killed_once(place):
    return kill_at_random(place, kill_the_daemon, 12, 2)


@fault()
def daemon_killed(place):
    return kill_at_random(place, kill_the_daemon, place.files, 25)


@fault()
def workers_killed(place):
    def victim(service):
        workers = service.workers()
        if not workers:
            return False
        os.kill(place.random.choice(workers), signal.SIGKILL)
        return True
    return kill_at_random(place, victim, place.files, 12)


@fault()
def video_killed(place):
    """A long video, whose checkpoint lets it go on; timeline equal to that of a run nobody disturbed."""
    clip = place.video(seconds=60)
    quiet = place.folder / "quiet"
    run([str(place.emotiond), "--file", str(clip), "--out", str(quiet)])
    service = place.service(settings={"analysis.video": "annotated"})
    shutil.copy(clip, service.incoming / "clip.mp4")
    service.start()
    kills = 0
    while kills < 3 and not results(service.root):
        try:
            service.until(lambda: list((service.root / "work").rglob("checkpoint*")) or results(service.root), "has a checkpoint")
        except Fault:
            break
        time.sleep(place.random.uniform(0.5, 2.0))
        if results(service.root):
            break
        service.kill()
        kills += 1
        service.start()
    service.until_settled(1, limit=300)
    ours = service.root / "results" / "clip.mp4" / "timeline.csv"
    expect(ours.read_bytes() == (quiet / "clip.mp4" / "timeline.csv").read_bytes(), "the timeline differs from an undisturbed run's")
    service.examine()
    service.stop()
    service.examine_stopped()
    return f"{kills} kills, timeline equal"


@fault()
def worker_frozen(place):
    service = place.service(settings={"workers.count": "1", "workers.stall": "3s"})
    shutil.copy(place.video(seconds=30), service.incoming / "clip.mp4")
    service.start()
    service.until(lambda: any(job["state"] == "running" for job in service.jobs()), "runs the job")
    service.until(lambda: service.workers(), "has a worker")
    for pid in service.workers():
        os.kill(pid, signal.SIGSTOP)
    service.until_settled(1, limit=240)
    job = service.jobs()[0]
    expect(job["state"] == "done" and job["attempts"] >= 2, f"the job: {job}")
    service.examine()
    service.stop()
    service.examine_stopped()
    return f"done in attempt {job['attempts']}"


# -- disks

class SmallDisk:
    """A tmpfs of a few MB at `folder`."""

    def __init__(self, folder: Path, megabytes: int):
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() != 0:
            raise Skipped("mounting a tmpfs needs root")
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], capture_output=True, text=True)
        if done.returncode:
            raise Skipped(f"no tmpfs can be mounted: {done.stderr.strip()}")
        self.folder = folder

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", str(self.folder)], check=True)


@fault()
def disk_full(place):
    root = place.folder / "state"
    with SmallDisk(root, 48) as disk:
        service = place.service(settings={"disk.pause_below": "4MiB", "disk.resume_above": "6MiB"})
        ballast = disk.folder / "ballast"
        # The database first, then no room for a result.
        service.start()
        free = os.statvfs(disk.folder).f_bavail * os.statvfs(disk.folder).f_frsize
        ballast.write_bytes(bytes(max(0, free - (3 << 20))))
        place.pictures(service.incoming, 10)
        service.until(lambda: "paused" in service.tail(40), "says that intake is paused")
        expect(not results(root), "published on a full disk")
        ballast.unlink()
        service.until_settled(10)
        expect(all(job["attempts"] == 1 for job in service.jobs()), "a full disk cost an attempt")
        service.examine()
        service.stop()
        service.examine_stopped()
    return "paused, then 10 files done at the first attempt"


@fault()
def disk_fills_during_a_job(place):
    """The result itself no longer fits: no attempt is lost, and it is done when there is room."""
    root = place.folder / "state"
    with SmallDisk(root, 64) as disk:
        service = place.service(settings={"disk.pause_below": "1MiB", "disk.resume_above": "12MiB", "workers.count": "1",
                                          "analysis.video": "annotated"})
        clip = place.video(seconds=20)
        service.start()
        shutil.copy(clip, service.incoming / "clip.mp4")
        ballast = disk.folder / "ballast"
        free = os.statvfs(disk.folder).f_bavail * os.statvfs(disk.folder).f_frsize
        ballast.write_bytes(bytes(max(0, free - (1500 << 10))))
        service.until(lambda: "paused" in service.tail(40), "says that intake is paused", limit=180)
        ballast.unlink()
        service.until_settled(1, limit=180)
        job = service.jobs()[0]
        expect(job["state"] == "done", f"the job: {job}")
        service.examine()
        service.stop()
        service.examine_stopped()
    return f"done, {job['attempts']} attempts counted"


@fault()
def input_output_error(place):
    """write(2) fails with EIO in the workers for a while: a preloaded shim."""
    switch = place.outside / "eio.on"
    switch.touch()
    service = place.service(environment={"LD_PRELOAD": shim(place, "eio.c"), "EIO_SWITCH": str(switch), "EIO_BELOW": str(place.folder / "state" / "results")},
                            settings={"workers.attempts": "20"})
    place.pictures(service.incoming, 5)
    service.start()
    service.until(lambda: "Input/output error" in service.log.read_text(errors="replace"), "meets the error")
    switch.unlink()
    service.until_settled(5)
    expect(service.counts() == {"done": 5}, f"{service.counts()}")
    service.examine()
    service.stop()
    service.examine_stopped()
    return "5 files done after the errors ended"


# -- folders and files

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


# -- streams

def camera(place):
    """Motion JPEG on loopback; the process is the camera."""
    pictures = place.folder / "pictures"
    pictures.mkdir()
    (pictures / "face.jpg").write_bytes(place.picture)
    process = subprocess.Popen([sys.executable, str(HERE.parent / "Servers" / "mjpeg_server.py"), str(pictures), "--fps", "10"],
                               stdout=subprocess.PIPE, text=True)
    return process, int(process.stdout.readline())


@fault(quick=True)
def stream_stopped_with_the_service(place):
    """SIGTERM publishes what the stream's segment has so far; the next start goes on with frame numbers."""
    process, port = camera(place)
    config, root = place.folder / "emotiond.yaml", place.folder / "state"
    config.write_text(f"state:\n  folder: {root}\nstreams:\n  - name: door\n    url: http://127.0.0.1:{port}/\n"
                      "    purpose: a test\n    notice: none needed\n    segment: 1h\n")
    try:
        last = -1
        for run_number in (1, 2):
            service = place.service(config=config).start()
            def frames():
                streams = service.get("/api/v1/streams")["streams"]
                return streams and streams[0]["analysed"] >= 5
            service.until(frames, "analyses pictures of the stream")
            expect(service.stop() == 0, "did not end with 0")
            timelines = sorted((root / "results" / "streams" / "door").rglob("timeline.csv"))
            expect(len(timelines) == run_number, f"{len(timelines)} segments after {run_number} runs: {service.tail()}")
            rows = [line.split(",") for line in timelines[-1].read_text().splitlines()[1:]]
            expect(int(rows[0][0]) > last, f"frame {rows[0][0]} after {last}")
            last = int(rows[-1][0])
    finally:
        process.kill()
        process.wait()
    return f"2 segments of 2 runs, frames to {last}"


class NetworkCamera:
    """H.264 over RTSP on loopback, a face in the picture; the process is the camera."""

    SERVER = HERE.parent / "Servers" / "rtsp_server.py"
    # python3-gi belongs to Debian's own Python.
    PYTHON = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable

    def __init__(self, place, fps=15):
        if subprocess.run([self.PYTHON, str(self.SERVER), "--check"], capture_output=True).returncode:
            raise Skipped("no GStreamer RTSP server (Debian: python3-gi, gir1.2-gst-rtsp-server-1.0 and its plugins)")
        self.pictures, self.fps, self.port, self.process = place.folder / "frames", fps, 0, None
        if not self.pictures.exists():
            self.pictures.mkdir()
            run(["ffmpeg", "-v", "error", "-i", str(SAMPLES / "ad.mp4"), "-vf", "scale=640:360", "-frames:v", "60",
                 str(self.pictures / "%04d.jpg")])

    def plug_in(self):
        """At the port it had before."""
        self.process = subprocess.Popen([self.PYTHON, str(self.SERVER), "--port", str(self.port), "--fps", str(self.fps),
                                         "--pictures", str(self.pictures)], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        return self

    def unplug(self):
        self.process.kill()
        self.process.wait()

    @property
    def url(self):
        return f"rtsp://127.0.0.1:{self.port}/stream"


def stream_figures(service, name):
    streams = (service.get("/api/v1/streams") or {}).get("streams", [])
    return next((stream for stream in streams if stream["name"] == name), None)


def stream_events(root, name):
    file = root / "results" / "streams" / name / "events.jsonl"
    return [json.loads(line)["event"] for line in file.read_text().splitlines()] if file.exists() else []


@fault()
def network_camera_unplugged_and_frozen(place):
    """An RTSP camera is unplugged, comes back, freezes, goes on; its segments fit together."""
    camera = NetworkCamera(place).plug_in()
    config, root = place.folder / "emotiond.yaml", place.folder / "state"
    config.write_text(f"state:\n  folder: {root}\nstreams:\n  - name: hall\n    url: {camera.url}\n    purpose: a test\n"
                      "    notice: none needed\n    segment: 1h\n    stall_limit: 3s\n    connect_limit: 3s\n    first_frame_limit: 3s\n")
    try:
        with place.service(config=config) as service:
            def goes_on():
                seen = (stream_figures(service, "hall") or {}).get("analysed", 0)
                service.until(lambda: (stream_figures(service, "hall") or {}).get("analysed", 0) >= seen + 15,
                              "analyses pictures of the camera")
            goes_on()
            camera.unplug()
            service.until(lambda: "lost" in stream_events(root, "hall"), "says that the camera is lost")
            camera.plug_in()
            service.until(lambda: "reconnected" in stream_events(root, "hall"), "has connected again")
            goes_on()
            camera.process.send_signal(signal.SIGSTOP)
            service.until(lambda: "stalled" in stream_events(root, "hall"), "says that the camera stalls")
            camera.process.send_signal(signal.SIGCONT)
            before = stream_events(root, "hall").count("reconnected")
            service.until(lambda: stream_events(root, "hall").count("reconnected") > before
                          or stream_figures(service, "hall")["phase"] == "live", "goes on with the camera")
            goes_on()
            workers = service.workers()
        service.examine_stopped()
        expect(workers and not any(Path(f"/proc/{pid}").exists() for pid in workers), f"workers left: {workers}")
    finally:
        camera.unplug()
    checked = subprocess.run([sys.executable, str(HERE.parent / "Servers" / "check_stream.py"), str(root / "results" / "streams" / "hall"),
                              "--real-clock"], capture_output=True, text=True)
    expect(checked.returncode == 0, checked.stderr[-400:])
    found = json.loads(checked.stdout)
    expect(not found["problems"], f"{found['problems']}")
    return f"{found['decoded']} frames in {len(found['statuses'])} segments, events {', '.join(stream_events(root, 'hall'))}"


# -- clocks, signals, ports, databases

@fault()
def clock_steps(place):
    """A day forward, then two back, by a preloaded shim; the machine's clock is never set."""
    offset = place.outside / "offset"
    offset.write_text("0")
    environment = {"LD_PRELOAD": shim(place, "clock.c"), "CLOCK_OFFSET": str(offset)}
    with place.service(environment=environment) as service:
        place.pictures(service.incoming, 4)
        service.until_settled(4)
        for step, prefix in ((86_400, "forward"), (-2 * 86_400, "back")):
            offset.write_text(str(step))
            place.pictures(service.incoming, 4, prefix=prefix)
            service.until(lambda: not files(service.incoming), f"takes files after the clock went {prefix}")
        service.until_settled(12)
        expect(service.counts() == {"done": 12}, f"{service.counts()}")
        days = {time.strftime("%F", time.gmtime(time.time() + seconds)) for seconds in (0, 86_400, -2 * 86_400)}
        logged = {job["queued_at"] for job in service.get("/api/v1/jobs?limit=500")["jobs"]}
        expect({time.strftime("%F", time.gmtime(at)) for at in logged} <= days and len({int(at) // 86_400 for at in logged}) == 3,
               "the service did not see the clock move: the test tested nothing")
        service.examine()
    service.examine_stopped()
    return "12 of 12"


@fault(quick=True)
def broken_configuration_on_reload(place):
    config = place.folder / "emotiond.yaml"
    root = place.folder / "state"
    config.write_text(f"state:\n  folder: {root}\n")
    with place.service(config=config) as service:
        config.write_text(f"state:\n  folder: {root}\nwatsch:\n  quiet: 1s\n")
        service.process.send_signal(signal.SIGHUP)
        service.until(lambda: "watsch" in service.tail(20), "says which key is unknown")
        place.pictures(service.incoming, 2)
        service.until_settled(2)
        config.write_text(f"state:\n  folder: {root}\nlog:\n  level: debug\n")
        service.process.send_signal(signal.SIGHUP)
        service.until(lambda: "log" in service.tail(20), "takes the good configuration")
        service.examine()
    service.examine_stopped()
    return "the old configuration stayed"


@fault(quick=True)
def port_taken(place):
    import socket
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        service = place.service(settings={"http.address": f"127.0.0.1:{port}"}).start(wait=False)
        try:
            code = service.process.wait(30)
        except subprocess.TimeoutExpired:
            service.kill()
            raise Fault("went on without its port") from None
        expect(code == 69 or code == 78, f"exit {code}")
        expect(str(port) in service.tail(), f"does not name the port: {service.tail()}")
    return f"exit {code}, names the port"


@fault(quick=True)
def second_daemon(place):
    with place.service() as service:
        second = subprocess.run(service.command(), capture_output=True, text=True, timeout=30)
        expect(second.returncode == 75, f"exit {second.returncode}: {second.stderr[-300:]}")
        expect(str(service.process.pid) in second.stderr + second.stdout, f"does not name the holder: {second.stderr[-300:]}")
    return "exit 75, names the holder"


@fault(quick=True)
def database_corrupt(place):
    service = place.service()
    with service:
        place.pictures(service.incoming, 2)
        service.until_settled(2)
    database = service.root / "emotiond.sqlite"
    for tail in ("-wal", "-shm"):
        Path(str(database) + tail).unlink(missing_ok=True)
    size = database.stat().st_size
    database.write_bytes(b"not a database at all" * (size // 21 + 1))
    service.start(wait=False)
    try:
        code = service.process.wait(30)
    except subprocess.TimeoutExpired:
        service.kill()
        raise Fault("works on with a corrupt database") from None
    expect(code != 0, "ended with 0")
    kept = [p for p in service.root.iterdir() if p.name.startswith("emotiond.sqlite") and b"not a database" in p.read_bytes()[:40]]
    expect(kept, "the corrupt database was deleted")
    expect("emotiond.sqlite" in service.tail(), f"does not name the file: {service.tail()}")
    return f"exit {code}, kept as {kept[0].name}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--emotiond", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("EMOTIOND_TEST_DATA", HERE.parents[2] / "shared")))
    parser.add_argument("--quick", action="store_true", help="only those that take seconds")
    parser.add_argument("--only", nargs="+", choices=sorted(FAULTS), default=[])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", type=int, default=200, help="for the faults that kill")
    parser.add_argument("--keep", type=Path, help="work here and leave everything")
    arguments = parser.parse_args()
    arguments.emotiond = arguments.emotiond.resolve()
    names = arguments.only or [name for name in FAULTS if name in QUICK or not arguments.quick]
    failed = 0
    for name in names:
        # A Unix socket's path is at most 107 bytes, so the folder's own is short.
        folder = Path(tempfile.mkdtemp(prefix=f"f-{name[:12]}-", dir=arguments.keep))
        begin = time.monotonic()
        try:
            said = f"survived  {FAULTS[name](Place(folder, arguments))}"
        except Skipped as reason:
            said = f"skipped   {reason}"
        except Exception as error:
            failed += 1
            said = f"FAILED    {type(error).__name__}: {error}"
        print(f"{name:32} {time.monotonic() - begin:6.1f} s  {said}", flush=True)
        if not arguments.keep and not said.startswith("FAILED"):
            shutil.rmtree(folder, ignore_errors=True)
        elif said.startswith("FAILED"):
            print(f"{'':32} left in {folder}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
