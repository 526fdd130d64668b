#!/usr/bin/env python3
"""Speed and memory of the service, beside one `emotiond --file` call over the same files in the same run.

    bench.py --emotiond FILE [--only NAME ...]
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from faults_streams import NetworkCamera, stream_figures
from place import Place, Skipped
from service import results

RESULTS = {}


def measure(function):
    RESULTS[function.__name__] = function
    return function


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid):
    """Proportional set size in MB: what the process costs, shared pages divided."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


@measure
def pictures(place):
    """1,000 small JPEGs dropped at once."""
    given = place.folder / "given"
    place.pictures(given, 1000)
    service = place.service(settings={"analysis.video": "none"})
    begin = time.monotonic()
    subprocess.run([str(place.emotiond), "--file", str(given), "--no-video", "--out", str(place.folder / "out"), "--log-level", "error"],
                   check=True, stdout=subprocess.DEVNULL)
    command = time.monotonic() - begin
    with service:
        begin = time.monotonic()
        shutil.copytree(given, service.incoming, dirs_exist_ok=True)
        service.until(lambda: (service.get("/api/v1/jobs?limit=1") or {}).get("counts", {}).get("done") == 1000, "has 1,000 results",
                      limit=560, every=0.2)
        took = time.monotonic() - begin
        assert len(results(service.root)) == 1000
    return {"command_s": round(command, 1), "service_s": round(took, 1), "ratio": round(took / command, 2)}


@measure
def latency(place):
    """From the close of one picture to its published result; the quiet time is 200 ms."""
    times = []
    with place.service(settings={"analysis.video": "none"}) as service:
        for index in range(21):
            begin = time.monotonic()
            (service.incoming / f"l{index}.jpg").write_bytes(place.picture + str(index).encode())
            target = service.root / "results" / f"l{index}.jpg" / "run.json"
            while not target.exists():
                time.sleep(0.005)
            times.append(time.monotonic() - begin)
    return {"first_s": round(times[0], 3), "median_s": round(statistics.median(times[1:]), 3), "most_s": round(max(times[1:]), 3)}


@measure
def startup_scan(place):
    """10,000 files lie in the folder: never seen before, and at the next start, all known."""
    settings = {"watch.after_done": "keep", "analysis.video": "none", "log.level": "info"}
    service = place.service(settings=settings)
    for index in range(10_000):
        folder = service.incoming / str(index % 50)
        folder.mkdir(exist_ok=True)
        (folder / f"{index}.txt").write_bytes(b"not media")
    took = {}
    for start in ("new", "known"):
        seen = service.log.read_text(errors="replace").count("first scan") if service.log.exists() else 0
        begin = time.monotonic()
        with service:
            ready = time.monotonic() - begin
            service.until(lambda: service.log.read_text(errors="replace").count("first scan") > seen, "has scanned", every=0.02)
            took[start] = {"ready_s": round(ready, 2), "scanned_s": round(time.monotonic() - begin, 2)}
    return took


@measure
def idle(place):
    """After ten pictures, 30 s of nothing."""
    with place.service(settings={"watch.scan_interval": "5m", "analysis.video": "none"}) as service:
        place.pictures(service.incoming, 10)
        service.until_settled(10)
        time.sleep(5)
        everyone = [service.process.pid, *service.workers()]
        before = sum(cpu_seconds(pid) for pid in everyone)
        time.sleep(30)
        used = sum(cpu_seconds(pid) for pid in everyone) - before
        return {"core_percent": round(100 * used / 30, 2), "daemon_mb": round(resident(everyone[0])),
                "workers_mb": [round(resident(pid)) for pid in everyone[1:]]}


@measure
def streams(place):
    """Two RTSP cameras of 640x360 at 15 frames a second for a minute, every frame wanted."""
    cameras = [NetworkCamera(place).plug_in() for _ in range(2)]
    config = place.folder / "emotiond.yaml"
    blocks = "".join(f"  - name: c{index}\n    url: {camera.url}\n    purpose: a test\n    notice: none needed\n"
                     for index, camera in enumerate(cameras))
    config.write_text(f"state:\n  folder: {place.folder / 'state'}\nstreams:\n{blocks}")
    names = [f"c{index}" for index in range(len(cameras))]
    figures = lambda service: [stream_figures(service, name) or {} for name in names]
    try:
        with place.service(config=config) as service:
            service.until(lambda: all(f.get("analysed", 0) >= 30 for f in figures(service)), "analyses both cameras")
            everyone = [service.process.pid, *service.workers()]
            before, cpu, begin = figures(service), sum(cpu_seconds(pid) for pid in everyone), time.monotonic()
            lags = []
            while time.monotonic() - begin < 60:
                time.sleep(1)
                lags += [f["lag_seconds"] for f in figures(service) if f.get("lag_seconds") is not None]
            after, passed = figures(service), time.monotonic() - begin
            used = sum(cpu_seconds(pid) for pid in everyone) - cpu
            return {"fps": [round((b["analysed"] - a["analysed"]) / passed, 2) for a, b in zip(before, after)],
                    "dropped": [b["dropped"] - a["dropped"] for a, b in zip(before, after)],
                    "most_lag_s": round(max(lags, default=0), 2), "cores": round(used / passed, 2),
                    "mb": [round(resident(pid)) for pid in everyone]}
    finally:
        for camera in cameras:
            camera.unplug()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--emotiond", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=sorted(RESULTS), default=[])
    arguments = parser.parse_args()
    arguments.emotiond, arguments.data, arguments.seed, arguments.files = arguments.emotiond.resolve(), Path(), 1, 0
    cpu = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "")
    print(f"{cpu}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for name in arguments.only or RESULTS:
        folder = Path(tempfile.mkdtemp(prefix=f"b-{name[:8]}-"))
        try:
            print(f"{name:14} {json.dumps(RESULTS[name](Place(folder, arguments)))}", flush=True)
        except Skipped as reason:
            print(f"{name:14} skipped: {reason}", flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
