"""Faults: daemon and workers are killed or frozen."""
import os
import shutil
import signal
import time

from place import each_once, fault, relative, run
from service import expect, Fault, files, results


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
