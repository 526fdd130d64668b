"""Faults: full disks, and disks that fail."""
import os
import shutil
import subprocess
from pathlib import Path

from place import fault, shim, Skipped
from service import expect, results


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
