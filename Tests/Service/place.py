"""A folder of its own for each fault, and the list that faults enter themselves in."""
import os
import random
import subprocess
from pathlib import Path

from service import expect, Fault, files, results, Service

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
