#!/usr/bin/env python3
"""Runs emotiond over every hard, broken and hostile file of the test data, and judges what it did.

    odd_inputs.py .build/release/emotiond [--only 'bitflip*'] [--jobs 2] [-- further options for emotiond]

For each file of $EMOTIOND_TEST_DATA/media/odd (by default ../shared): it ends within the time limit, without a
crash, below the memory limit, with an exit code that fits, with at least as many analysed frames as
BASELINE.tsv counts, with files that keep the rules of docs/output.md, and leaves nothing else behind.
Only Python's standard library is needed.
"""
import argparse
import csv
import fnmatch
import json
import math
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

SECONDS = 60
PEAK_KIB = 10**9 // 1024
# So that a run away does not take the machine with it; far above what is allowed.
ADDRESS_SPACE = 6 * 2**30

EMOTIONS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
COLUMNS = ["frame", "timestamp", "face_id", "confidence", "x", "y", "w", "h", *EMOTIONS,
           "dominant", "dominant_score", "status"]
STATUS_OF_EXIT = {0: "complete", 3: "partial"}

DONE, PARTIAL, REFUSED = {0}, {3}, {65}
READ = DONE | PARTIAL

# Where the exit code does not follow from BASELINE.tsv (see `expected_exits`), and why. First match counts.
EXPECTED = [
    # Transport streams joined end to end: the break of the continuity counter marks a packet as damaged.
    ("resolution_change.ts", READ), ("resolution_and_chroma_change.ts", READ),
    # Lists of other files are never followed, whatever their name.
    ("playlist_*", REFUSED), ("*.m3u8", REFUSED), ("*.ffconcat", REFUSED), ("ffconcat_renamed.mp4", REFUSED),
    ("dash_external.mpd", REFUSED), ("sdp_rtp.sdp", REFUSED),
    # The only picture is the cover of a sound file.
    ("audio_*.mp3", REFUSED),
    # 256 million pixels a frame: above the limit.
    ("bomb_gif_16000x16000_200_frames.gif", REFUSED),
    # Formats outside the promised list of pictures: read where FFmpeg can, refused else.
    ("still.ico", READ | REFUSED), ("still.jp2", READ | REFUSED), ("still.p?m", READ | REFUSED),
    ("still.tga", READ | REFUSED), ("mpjpeg_multipart.mpjpeg", READ | REFUSED),
    # Complaints on the way in that cost no picture, or nothing that the libraries report.
    ("bitflip_all_1e-4.webm", READ), ("still_bitflip_1e-4.jpg", READ), ("leading_junk_1KiB.ts", READ),
    ("open_gop_start_midstream.ts", READ), ("bomb_gif_frames_8000_8x8.gif", READ), ("lie_*", READ),
    ("tiff_ifd_loop.tif", READ), ("bomb_png_ztxt_64MiB.png", READ), ("negative_start.mp4", READ),
    # Two clips in one: whether the second half counts as damage is the reader's choice.
    ("codec_change.ts", READ), ("pts_jump_back.ts", READ), ("two_programs.ts", READ),
]

# Fewer frames than BASELINE.tsv has, and why that is right.
FEWER_FRAMES = {
    # name: (frames that are enough, reason)
    "bitflip_mdat_1e-4_av1.mp4": (1, "the ffmpeg command decodes 1 too, with frame threads; ffprobe's 18 are of one thread"),
}


@dataclass
class Outcome:
    name: str
    exit: int
    seconds: float
    peak_mb: float
    frames: int | None = None
    faces: int = 0
    problems: list = field(default_factory=list)


def expected_exits(row):
    """What the exit code may be, from what FFmpeg's own tools made of the file."""
    for pattern, exits in EXPECTED:
        if fnmatch.fnmatchcase(row["file"], pattern):
            # A file that does not decode at all is refused, also where the list is generous.
            return exits if baseline_frames(row) else REFUSED
    if baseline_frames(row) == 0:
        return REFUSED
    if row["probe_stderr_errors"] == "yes" or row["ffmpeg_exit"] != "0":
        return PARTIAL
    return DONE


def baseline_frames(row):
    return int(row["probe_frames"]) if row["probe_frames"].isdigit() else 0


def is_picture(row):
    """Stills and animated pictures; one frame is analysed of each."""
    return row["pillow"] != "-"


def run(command, folder):
    """(exit code or -signal, seconds, peak KiB, timed out). Reads nothing, so that no pipe can block."""
    environment = {**os.environ, "TMPDIR": str(folder / "tmp")}
    with open(folder / "stdout", "wb") as out, open(folder / "stderr", "wb") as err:
        start = time.monotonic()
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=folder / "cwd", env=environment,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE)))
        pid, timed_out = 0, False
        while pid == 0:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid == 0:
                if time.monotonic() - start > SECONDS and not timed_out:
                    timed_out = True
                    child.kill()
                time.sleep(0.005)
        child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, time.monotonic() - start, usage.ru_maxrss, timed_out


def check_timeline(path, problems):
    """Rules of docs/output.md. Returns analysed frames and rows with a face."""
    def wrong(line, what):
        if len(problems) < 8:
            problems.append(f"timeline.csv line {line}: {what}")

    data = path.read_bytes()
    if b"\r" in data or not data.endswith(b"\n"):
        wrong(1, "lines do not end in a plain line feed")
    rows = csv.DictReader(data.decode("utf-8").splitlines())
    if rows.fieldnames is None or rows.fieldnames[:len(COLUMNS)] != COLUMNS:
        wrong(1, f"columns are {rows.fieldnames}")
        return 0, 0

    number = re.compile(r"-?\d+\.\d+\Z")
    frames, faces, before = 0, 0, None
    for line, row in enumerate(rows, start=2):
        if not re.match(r"-?\d+\.\d{6}\Z", row["timestamp"]):
            wrong(line, f"timestamp {row['timestamp']!r}")
            continue
        now = float(row["timestamp"])
        new_frame = before is None or row["timestamp"] != before["timestamp"]
        if new_frame:
            frames += 1
            if before is not None and now <= float(before["timestamp"]):
                wrong(line, "time does not rise")
            if before is not None and row["frame"] and before["frame"] and int(row["frame"]) <= int(before["frame"]):
                wrong(line, "frame does not rise")
        elif row["frame"] != before["frame"]:
            wrong(line, "two frames share a time")
        if row["status"] == "no_face":
            if any(row[column] for column in COLUMNS[2:-1]):
                wrong(line, "a row without a face has face fields")
            if not new_frame:
                wrong(line, "a no_face row is not alone in its frame")
        else:
            faces += 1
            if not new_frame and before["status"] == "no_face":
                wrong(line, "a face in a frame that has a no_face row")
            check_face(row, before if not new_frame else None, number, lambda what: wrong(line, what))
        before = row
    return frames, faces


def check_face(row, before, number, wrong):
    if row["status"] not in ("detected", "tracked", "low_quality"):
        wrong(f"status {row['status']!r}")
    if not row["face_id"].isdigit() or int(row["face_id"]) < 1:
        return wrong(f"face_id {row['face_id']!r}")
    if before is not None and before["face_id"].isdigit() and int(row["face_id"]) <= int(before["face_id"]):
        wrong("face ids of a frame do not rise")
    box = [row[column] for column in ("x", "y", "w", "h")]
    if not all(number.match(value) for value in box) or float(row["w"]) <= 0 or float(row["h"]) <= 0:
        wrong(f"box {box}")
    if not number.match(row["confidence"]) or not 0 <= float(row["confidence"]) <= 1:
        wrong(f"confidence {row['confidence']!r}")
    shares = [row[name] for name in EMOTIONS]
    if not all(number.match(value) and 0 <= float(value) <= 1 for value in shares):
        return wrong(f"probabilities {shares}")
    if not math.isclose(sum(map(float, shares)), 1, abs_tol=0.002):
        wrong(f"probabilities sum to {sum(map(float, shares)):.4f}")
    if row["dominant"] and float(row[row["dominant"]]) < max(map(float, shares)) - 1e-4:
        wrong("dominant is not the largest")


def check_result(folder, row, outcome):
    names = {path.name for path in folder.iterdir()}
    wanted = {"timeline.csv", "summary.csv", "run.json"}
    if not wanted <= names:
        return outcome.problems.append(f"missing: {', '.join(sorted(wanted - names))}")
    extra = names - wanted - {"annotated.mp4", "annotated.jpg"}
    if extra:
        outcome.problems.append(f"left in the result: {', '.join(sorted(extra))}")
    report = json.loads((folder / "run.json").read_bytes())
    if report["status"] != STATUS_OF_EXIT[outcome.exit]:
        outcome.problems.append(f"status {report['status']} with exit {outcome.exit}")
    counts = report["counts"]
    if counts["decoded"] != counts["analysed"] + counts["skipped"] + counts["dropped"]:
        outcome.problems.append(f"counts do not add up: {counts}")

    outcome.frames, outcome.faces = check_timeline(folder / "timeline.csv", outcome.problems)
    if outcome.frames != counts["analysed"]:
        outcome.problems.append(f"timeline has {outcome.frames} frames, run.json {counts['analysed']}")
    enough = 1 if is_picture(row) else FEWER_FRAMES.get(row["file"], (baseline_frames(row), ""))[0]
    if outcome.frames < enough:
        outcome.problems.append(f"{outcome.frames} frames of {enough}")
    if not names & {"annotated.mp4", "annotated.jpg"} and not (report.get("video") or {}).get("note"):
        outcome.problems.append("no annotated video or picture, and no note why")


def check_leftovers(folder, result, problems):
    """Nothing but the result, in the output folder, the temporary folder and the working directory."""
    allowed = set()
    if result:
        allowed = {result, *result.parents}
    out = folder / "out"
    for path in out.rglob("*") if out.exists() else []:
        if path not in allowed and result not in path.parents:
            problems.append(f"left behind: out/{path.relative_to(out)}")
    for place in ("tmp", "cwd"):
        for path in (folder / place).rglob("*"):
            problems.append(f"left behind: {place}/{path.relative_to(folder / place)}")


def judge(binary, options, source, row, scratch):
    folder = Path(tempfile.mkdtemp(dir=scratch))
    (folder / "tmp").mkdir()
    (folder / "cwd").mkdir()
    command = [str(binary), f"--file={source}", "--out", str(folder / "out"), "--json", *options]
    code, seconds, peak, timed_out = run(command, folder)
    outcome = Outcome(row["file"], code, seconds, peak / 1024)
    if timed_out:
        outcome.problems.append(f"still running after {SECONDS} s")
    elif code < 0 or code > 128 and code != 130:
        outcome.problems.append(f"crashed with signal {-code if code < 0 else code - 128}")
    elif code not in expected_exits(row):
        wanted = " or ".join(map(str, sorted(expected_exits(row))))
        outcome.problems.append(f"exit {code}, expected {wanted}")
    if peak > PEAK_KIB:
        outcome.problems.append(f"took {peak / 1024:.0f} MiB")

    result = None
    if code in STATUS_OF_EXIT and not timed_out:
        try:
            result = result_folder(folder)
            check_result(result, row, outcome)
        except (OSError, ValueError, KeyError, TypeError) as error:
            outcome.problems.append(f"result cannot be read: {type(error).__name__}: {error}")
    elif not outcome.problems and not (folder / "stderr").read_bytes().strip():
        outcome.problems.append("refused without a word")
    check_leftovers(folder, result, outcome.problems)
    if outcome.problems:
        said = (folder / "stderr").read_bytes().decode(errors="replace").strip().splitlines()
        outcome.problems += [f"stderr: {text[:200]}" for text in said[-2:]]
    shutil.rmtree(folder)
    return outcome


def result_folder(folder):
    lines = (folder / "stdout").read_text(errors="replace").strip().splitlines()
    result = json.loads(lines[-1])["results"][0]
    path = Path(result["folder"])
    return path if path.is_absolute() else folder / "cwd" / path


def read_baseline(folder):
    with open(folder / "BASELINE.tsv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def listing(folder):
    return {(entry.name, entry.stat().st_size, entry.stat().st_mtime_ns) for entry in os.scandir(folder)}


def main():
    arguments, options = sys.argv[1:], []
    if "--" in arguments:
        split = arguments.index("--")
        arguments, options = arguments[:split], arguments[split + 1:]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("emotiond", type=Path)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("EMOTIOND_TEST_DATA", "../shared")))
    parser.add_argument("--only", default="*", metavar="GLOB")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--all", action="store_true", help="print files that passed as well")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every outcome there")
    arguments = parser.parse_args(arguments)

    odd = arguments.data.resolve() / "media/odd"
    if not (odd / "BASELINE.tsv").exists():
        print(f"skipped: {odd} is not there (EMOTIOND_TEST_DATA names the folder of test data)")
        return 0
    rows = [row for row in read_baseline(odd) if fnmatch.fnmatchcase(row["file"], arguments.only)]
    binary, before = arguments.emotiond.resolve(), listing(odd)
    with tempfile.TemporaryDirectory(prefix="emotiond-odd-") as scratch, ThreadPoolExecutor(arguments.jobs) as pool:
        outcomes = list(pool.map(lambda row: judge(binary, options, odd / row["file"], row, scratch), rows))
    if listing(odd) != before:
        outcomes.append(Outcome("(the input folder)", 0, 0, 0, problems=["was changed"]))

    print(f"{'file':46} {'exit':>4} {'frames':>6} {'faces':>6} {'s':>6} {'MB':>6}")
    for outcome in outcomes:
        if outcome.problems or arguments.all:
            frames = "-" if outcome.frames is None else outcome.frames
            print(f"{outcome.name[:46]:46} {outcome.exit:4} {frames:>6} {outcome.faces:6} {outcome.seconds:6.1f} "
                  f"{outcome.peak_mb:6.0f}  {'FAILED' if outcome.problems else 'ok'}")
            for problem in outcome.problems:
                print(f"    {problem}")
    for name, (frames, reason) in FEWER_FRAMES.items():
        print(f"exception: {name} needs only {frames} frames: {reason}")
    failed = sum(bool(outcome.problems) for outcome in outcomes)
    slowest, largest = max(outcomes, key=lambda o: o.seconds), max(outcomes, key=lambda o: o.peak_mb)
    print(f"slowest {slowest.name} {slowest.seconds:.1f} s, largest {largest.name} {largest.peak_mb:.0f} MB")
    print(f"{len(outcomes) - failed} passed, {failed} failed")
    if arguments.json:
        arguments.json.write_text(json.dumps([vars(outcome) for outcome in outcomes], indent=1) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
