#!/usr/bin/env python3
"""`make bench`: emotiond beside a plain Python pipeline, on the same machine and clips, in one run.

    bench.py --emotiond .build/release/emotiond --python Tests/Benchmarks/.venv/bin/python [--json FILE]

The programs take turns (A B C A B C ...), so that a change in the machine's load meets all of them. Every
run is a process of its own with an output folder of its own. Of each row the best and the median rate
are printed; ratios are of the medians unless --ratio best. emotiond's time is that of its whole
process, start-up, hashing and publishing included; the plain pipeline's is that of its loop only,
without Python's imports and without loading models, which favours the plain side. The plain side's
peak memory is that of Python and of its encoder together.

Only the standard library is needed here; --python names an interpreter with the packages of requirements.txt.
"""
import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from match import compare

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CLIPS = ["GEN_native720p30_1face_31s.mp4", "GEN_focusgroup_grid6_1080p30_30s.mp4"]
# Wanted ratios over the plain pipeline: clip → (without video, with video).
WANTED = {CLIPS[0]: (3.0, 2.0), CLIPS[1]: (1.7, 1.4)}
PEAK_LIMITS_MB = {"without video": 300, "with video": 500}


@dataclass
class Process:
    """What one finished child process took."""
    status: int
    wall: float
    cpu: float
    peak_mb: float
    output: str


@dataclass
class Row:
    """One way of running one clip, and its repeats."""
    name: str
    rates: list = field(default_factory=list)
    cpu_ms: list = field(default_factory=list)
    peak_mb: float = 0
    stages: dict = field(default_factory=dict)
    timeline: Path | None = None
    level: str = "?"
    detections: int | None = None

    def add(self, frames, wall, cpu, peak_mb):
        self.rates.append(frames / wall)
        self.cpu_ms.append(1000 * cpu / frames)
        self.peak_mb = max(self.peak_mb, peak_mb)

    @property
    def median(self):
        return statistics.median(self.rates)

    @property
    def best(self):
        return max(self.rates)


class Failure(Exception):
    pass


def measure(command, limit=1800) -> Process:
    """Runs a command to its end. Its own peak memory comes from wait4, so children of other runs do not count."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        child = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        pid, deadline = 0, start + limit
        while pid == 0:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid == 0:
                if time.perf_counter() > deadline:
                    child.kill()
                    deadline = float("inf")
                time.sleep(0.002)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        output = out.read().decode(errors="replace")
        if child.returncode not in (0, 3):
            said = err.read().decode(errors="replace")[-2000:]
            raise Failure(f"{' '.join(map(str, command))} ended with {child.returncode}:\n{said}")
        return Process(child.returncode, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output)


def last_json(text):
    """The last line of the output that holds a JSON object."""
    for line in reversed(text.strip().splitlines()):
        if line.startswith("{"):
            return json.loads(line)
    raise Failure(f"no JSON object in the last lines of: {text[-500:]}")


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.scratch = Path(tempfile.mkdtemp(prefix="emotiond-bench-"))
        self.runs = 0

    def fresh_folder(self):
        self.runs += 1
        folder = self.scratch / f"run{self.runs}"
        folder.mkdir()
        return folder

    # Each run_… does one run and adds it to the row.

    def run_emotiond(self, row, clip, every="adaptive", video=False):
        arguments, folder = self.arguments, self.fresh_folder()
        command = [arguments.emotiond, "--file", clip, "--out", folder, "--model", arguments.model,
                   "--detector", arguments.detector, "--detect-every", every, "--json"]
        if arguments.yunet:
            command += ["--detector-model", arguments.yunet]
        if not video:
            command.append("--no-video")
        process = measure(command)
        result = last_json(process.output)["results"][0]
        row.add(result["frames"], process.wall, process.cpu, process.peak_mb)
        results = Path(result["folder"])
        report = json.loads((results / "run.json").read_text())
        row.stages = report["timing"]["stages"]
        row.level = report["host"].get("kernel_level", "?")
        row.detections = detections_of(report)
        row.timeline = results / "timeline.csv"
        for made in results.glob("annotated.*"):
            made.unlink()

    def run_plain(self, row, clip, video=False, spin=False):
        arguments, folder = self.arguments, self.fresh_folder()
        command = [arguments.python, HERE / "plain_pipeline.py", clip, "--model", arguments.model,
                   "--csv", folder / "timeline.csv"]
        if arguments.yunet:
            command += ["--yunet", arguments.yunet]
        if video:
            command += ["--video", folder / "annotated.mp4"]
        if spin:
            command.append("--spin")
        result = last_json(measure(command).output)
        row.add(result["frames"], result["wall_s"], result["cpu_s"],
                result["peak_rss_mb"] + result["encoder_peak_rss_mb"])
        row.stages = result["stages_s"]
        row.timeline = folder / "timeline.csv"
        for made in folder.glob("annotated.*"):
            made.unlink()

    def run_decode(self, row, clip, frames):
        process = measure(["ffmpeg", "-nostdin", "-v", "error", "-threads", str(os.cpu_count() or 1), "-i", clip,
                           "-map", "0:v:0", "-f", "null", "-"])
        row.add(frames, process.wall, process.cpu, process.peak_mb)

    def run_own_decode(self, row, clip):
        process = measure([self.arguments.emotiond, "bench", "--decode", clip, "--json"])
        row.add(last_json(process.output)["frames"], process.wall, process.cpu, process.peak_mb)

    def speed(self, clip):
        rows = {name: Row(name) for name in (
            "ffmpeg, decoding alone", "emotiond, decoding alone", "emotiond", "emotiond, every frame", "plain",
            "emotiond, video", "plain, video")}
        frames = count_frames(clip)
        for turn in range(self.arguments.repeats):
            note(f"{clip.name}: turn {turn + 1} of {self.arguments.repeats}")
            self.run_decode(rows["ffmpeg, decoding alone"], clip, frames)
            self.run_own_decode(rows["emotiond, decoding alone"], clip)
            self.run_emotiond(rows["emotiond"], clip)
            self.run_plain(rows["plain"], clip)
            self.run_emotiond(rows["emotiond, every frame"], clip, every="1")
            self.run_emotiond(rows["emotiond, video"], clip, video=True)
            self.run_plain(rows["plain, video"], clip, video=True)
        match = compare(rows["emotiond, every frame"].timeline, rows["emotiond"].timeline)
        return rows, match, frames

    def memory(self, clip, times):
        """Peak memory by length and kind of output; the long clip is the short one joined to itself."""
        long = self.scratch / f"long{clip.suffix}"
        measure(["ffmpeg", "-nostdin", "-v", "error", "-y", "-stream_loop", times - 1, "-i", clip, "-c", "copy", long])
        peaks = {}
        for kind, video in (("without video", False), ("with video", True)):
            for length, path in (("as it is", clip), (f"{times} times as long", long)):
                note(f"memory: {clip.name}, {kind}, {length}")
                row = Row(kind)
                self.run_emotiond(row, path, video=video)
                peaks[kind, length] = row.peak_mb
        long.unlink()
        return peaks

    def engine(self):
        """Engine against onnxruntime: one thread, batch 16, in turn. None where `emotiond bench` fails."""
        ours, theirs, level = [], [], None
        for _ in range(max(self.arguments.repeats, 3)):
            try:
                result = last_json(measure([
                    self.arguments.emotiond, "bench", "--model", self.arguments.model, "--batch", "16", "--reps", "100",
                    "--json"]).output)
            except Failure as failure:
                note(f"engine left out: {failure}")
                return None
            ours.append(result)
            level = result["level"]
            theirs.append(last_json(measure([
                self.arguments.python, HERE / "onnxruntime_speed.py", self.arguments.model, "--batch", "16"]).output))
        return {
            "level": level,
            "runtime": theirs[0]["runtime"],
            **{f"{name}_{key}": pick(run[key] for run in runs)
               for name, runs in (("emotiond", ours), ("onnxruntime", theirs))
               for key, pick in (("ms_per_face", statistics.median), ("ms_per_face_min", min),
                                 ("cpu_ms_per_face", statistics.median))},
        }


def note(text):
    print(text, file=sys.stderr, flush=True)


def detections_of(report):
    """On how many frames the detector was asked: run.json says it in a note."""
    for text in report.get("notes", []):
        if found := re.match(r"faces detected on (\d+) frames", text):
            return int(found[1])
    return None


def count_frames(clip):
    output = measure(["ffprobe", "-v", "error", "-select_streams", "v:0", "-count_packets",
                      "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", clip]).output
    return int(output.strip().strip(","))


def find_clips(arguments):
    if arguments.clip:
        return arguments.clip
    data = Path(os.environ.get("EMOTIOND_TEST_DATA", "../shared")) / "media/video"
    clips = [data / name for name in CLIPS if (data / name).exists()]
    return clips or [ROOT / "samples/ad.mp4"]


def find_yunet(arguments):
    if arguments.yunet or arguments.detector == "cascade":
        return arguments.yunet
    path = Path(os.environ.get("EMOTIOND_TEST_DATA", "../shared")) / "models/yunet/face_detection_yunet_2023mar.onnx"
    return path if path.exists() else None


def machine():
    cpu = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), "unknown CPU")
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return {
        "cpu": cpu, "cores": os.cpu_count(), "commit": commit.stdout.strip() or "unknown",
        "load_before": [round(value, 2) for value in os.getloadavg()],
        "date": time.strftime("%Y-%m-%d"),
    }


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def describe_speed(clip, rows, match, frames, ratio_of):
    decode = rows["ffmpeg, decoding alone"]
    against = {"emotiond": "plain", "emotiond, every frame": "plain", "emotiond, video": "plain, video"}
    lines = []
    for name, row in rows.items():
        ratio = "–"
        if name in against:
            ratio = f"{ratio_of(row) / ratio_of(rows[against[name]]):.2f}"
        lines.append([
            name, f"{row.median:.1f}", f"{row.best:.1f}", f"{statistics.median(row.cpu_ms):.2f}",
            f"{100 * ratio_of(row) / ratio_of(decode):.0f} %", ratio, f"{row.peak_mb:.0f}"])
    head = ["run", "frames/s, median", "best", "CPU ms/frame", "share of decoding alone", "ratio to plain", "peak MB"]
    text = [f"### {clip.name} ({frames} frames)\n", table(head, lines)]
    wanted = WANTED.get(clip.name)
    if wanted:
        text.append(f"\nWanted: {wanted[0]} without and {wanted[1]} with annotated video.")
    detections = rows["emotiond"].detections
    rate = frames / detections if detections else match["frames_per_detection"]
    text.append(
        f"\nThe adaptive run asks the detector on one of {rate:.2f} frames and has "
        f"{100 * match['recall']:.2f} % of the {match['reference_faces']} faces that detection on every frame finds "
        f"(IoU 0.5, wanted 97 %; mean IoU {match['mean_iou']:.3f}); {100 * match['precision']:.2f} % of its own "
        f"{match['candidate_faces']} faces have a match.")
    stages = [[name, ", ".join(
        f"{key} {value:.2f}" for key, value in row.stages.items() if isinstance(value, (int, float)))]
        for name, row in rows.items() if row.stages]
    text.append("\n" + table(["run", "seconds per stage, last turn"], stages))
    return "\n".join(text)


def describe_memory(clip, peaks):
    rows = [[kind, length, f"{peak:.0f}", PEAK_LIMITS_MB[kind], "yes" if peak < PEAK_LIMITS_MB[kind] else "**no**"]
            for (kind, length), peak in peaks.items()]
    return f"### Peak memory, {clip.name}\n\n" + table(["output", "clip", "peak MB", "limit MB", "within"], rows)


def describe_engine(result):
    def line(name, key):
        ratio = result["onnxruntime_cpu_ms_per_face"] / result[f"{key}_cpu_ms_per_face"]
        return [name, f"{result[f'{key}_ms_per_face']:.3f}", f"{result[f'{key}_ms_per_face_min']:.3f}",
                f"{result[f'{key}_cpu_ms_per_face']:.3f}", f"{ratio:.2f}"]

    return "### Engine, float32, one thread, batch 16\n\n" + table(
        ["engine", "ms/face, median", "best", "CPU ms/face", "speed by CPU time"],
        [line(f"emotiond ({result['level']})", "emotiond"), line(result["runtime"], "onnxruntime")])


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--emotiond", type=Path, default=ROOT / ".build/release/emotiond")
    parser.add_argument("--python", type=Path, default=HERE / ".venv/bin/python")
    parser.add_argument("--model", type=Path, default=ROOT / "Sources/emotiond/Models/emotion.onnx")
    parser.add_argument("--detector", default="yunet", choices=["yunet", "cascade"])
    parser.add_argument(
        "--yunet", type=Path, help="by default below EMOTIOND_TEST_DATA; where absent, both sides use the cascade")
    parser.add_argument("--clip", type=Path, action="append", help="instead of the benchmark clips")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--ratio", choices=["median", "best"], default="median")
    parser.add_argument(
        "--long", type=int, default=10, metavar="TIMES", help="length of the memory test's long clip; 0: no such test")
    parser.add_argument("--only", choices=["speed", "memory", "engine"], help="one part only")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there too")
    arguments = parser.parse_args()
    arguments.yunet = find_yunet(arguments)
    if not arguments.yunet:
        arguments.detector = "cascade"
    return arguments


def main():
    arguments = parse()
    for path in (arguments.emotiond, arguments.python, arguments.model):
        if not path.exists():
            sys.exit(f"{path} is not there; `make bench` builds what this script needs")
    clips, host, bench = find_clips(arguments), machine(), Bench(arguments)
    wants = (lambda part: arguments.only in (None, part))
    ratio_of = (lambda row: getattr(row, arguments.ratio))
    texts, record = [], {"host": host, "detector": arguments.detector, "clips": {}}
    try:
        if wants("speed"):
            for clip in clips:
                rows, match, frames = bench.speed(clip)
                host["kernel_level"] = rows["emotiond"].level
                texts.append(describe_speed(clip, rows, match, frames, ratio_of))
                record["clips"][clip.name] = {
                    "frames": frames, "match": match,
                    "rows": {name: {"fps": row.rates, "cpu_ms_per_frame": row.cpu_ms, "peak_mb": row.peak_mb,
                                    "stages": row.stages, "detections": row.detections} for name, row in rows.items()}}
        if wants("memory") and arguments.long > 1:
            peaks = bench.memory(clips[-1], arguments.long)
            texts.append(describe_memory(clips[-1], peaks))
            record["memory"] = {f"{kind}, {length}": peak for (kind, length), peak in peaks.items()}
        if wants("engine") and (result := bench.engine()):
            host.setdefault("kernel_level", result["level"])
            texts.append(describe_engine(result))
            record["engine"] = result
    except Failure as failure:
        sys.exit(str(failure))
    finally:
        shutil.rmtree(bench.scratch, ignore_errors=True)

    host["load_after"] = [round(value, 2) for value in os.getloadavg()]
    print(f"{host['date']}, commit {host['commit']}, {host['cpu']}, {host['cores']} cores, kernels "
          f"{host.get('kernel_level', '?')}, detector {arguments.detector}; load {host['load_before'][0]} before, "
          f"{host['load_after'][0]} after; {arguments.repeats} turns, ratios of the {arguments.ratio}.\n")
    print("\n\n".join(texts))
    if arguments.json:
        arguments.json.write_text(json.dumps(record, indent=2, default=str) + "\n")


if __name__ == "__main__":
    main()
