"""Reads the segments of a stream as anybody would and prints what is wrong with them as one JSON object.

    check_stream.py RESULTS/streams/NAME [--real-clock]

--real-clock: nobody set the wall clock, so that `utc` and `timestamp` have to agree.
"""

import csv
import datetime
import json
import pathlib
import subprocess
import sys


def moment(text):
    assert len(text) == 27 and text.endswith("Z"), text
    return datetime.datetime.fromisoformat(text[:-1] + "+00:00")


def frames(rows):
    """One row of each frame, in order; rows of one frame share its times."""
    result = []
    for row in rows:
        if result and result[-1]["frame"] == row["frame"]:
            assert (result[-1]["timestamp"], result[-1]["utc"]) == (row["timestamp"], row["utc"])
            assert int(row["face_id"]) > 0
        else:
            result.append(row)
    return result


def pictures(video):
    command = ["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries",
               "stream=nb_read_frames", "-of", "csv=p=0", str(video)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main():
    root = pathlib.Path(sys.argv[1])
    is_real = "--real-clock" in sys.argv[2:]
    problems = []
    decoded, statuses, video_frames = 0, [], 0
    last = None
    segments = sorted(root.glob("*/*Z"), key=lambda path: json.loads((path / "run.json").read_text())["stream"]["start"])
    for segment in segments:
        run = json.loads((segment / "run.json").read_text())
        with open(segment / "timeline.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        counts, stream = run["counts"], run["stream"]
        statuses.append(run["status"])
        decoded += counts["decoded"]
        every = frames(rows)

        def expect(holds, what):
            if not holds:
                problems.append(f"{segment.name}: {what}")

        expect(rows and list(rows[0])[17:19] == ["status", "utc"], "utc is not the column behind status")
        expect(counts["decoded"] == counts["analysed"] + counts["skipped"] + counts["dropped"], f"counts {counts}")
        expect(counts["rows"] == len(rows) and counts["analysed"] == len(every), f"{len(rows)} rows, {counts}")
        expect(every[0]["utc"] == stream["start"] and every[-1]["utc"] == stream["end"], "start and end")
        expect(abs(float(every[0]["timestamp"]) - stream["first_timestamp"]) < 1e-5, "first_timestamp")
        with open(segment / "summary.csv", newline="") as file:
            ids = {row["face_id"] for row in csv.DictReader(file)}
        expect(ids == {row["face_id"] for row in rows} - {""}, f"faces {ids} of the summary")
        first_decoded = int(every[-1]["frame"]) - counts["decoded"] + 1
        if last is not None and not stream["reconnects"]:
            expect(first_decoded <= int(every[0]["frame"]), "more frames than their numbers allow")
        for row in every:
            here = (int(row["frame"]), float(row["timestamp"]), moment(row["utc"]))
            if last is not None:
                expect(here[0] > last[0], f"frame {here[0]} after {last[0]}")
                expect(here[1] > last[1], f"timestamp {here[1]} after {last[1]}")
                expect(here[2] >= last[2], f"utc {here[2]} after {last[2]}")
            if is_real:
                since = (here[2] - moment(stream["origin"])).total_seconds()
                expect(abs(since - here[1]) < 0.05, f"utc is {since} s after the origin, timestamp {here[1]}")
            last = here
        video = segment / "annotated.mp4"
        if video.exists():
            video_frames += pictures(video)
    for line in (root / "events.jsonl").read_text().splitlines():
        event = json.loads(line)
        moment(event["utc"])
        if set(event) != {"utc", "seconds", "event", "detail"}:
            problems.append(f"event {event}")
    hidden = [path.name for path in root.rglob(".*")]
    if hidden:
        problems.append(f"left behind: {hidden}")
    print(json.dumps({
        "problems": problems[:10], "decoded": decoded, "last_frame": last[0] if last else -1, "statuses": statuses,
        "video_frames": video_frames,
    }))


main()
