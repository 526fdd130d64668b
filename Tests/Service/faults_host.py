"""Faults: clock, signals, ports, a second daemon, the database."""
import signal
import socket
import subprocess
import time
from pathlib import Path

from place import fault, shim
from service import expect, Fault, files


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
