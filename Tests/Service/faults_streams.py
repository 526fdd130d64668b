"""Faults: cameras. The process that serves a stream is the camera."""
import json
import signal
import subprocess
import sys
from pathlib import Path

from place import fault, HERE, run, SAMPLES, Skipped
from service import expect


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
