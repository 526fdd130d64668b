"""Speaks the job protocol and does what the job's relative path says; for tests of the pool."""

import json
import os
import signal
import sys
import time


def say(order, event, value=None):
    line = {"job": order["job"], "attempt": order["attempt"], "event": event}
    if value is not None:
        line[event] = value
    if event == "hashed":
        line["settings_hash"] = "cd"
    print(json.dumps(line), flush=True)


def log(text):
    print(text, file=sys.stderr, flush=True)


def result(status="complete", code=0):
    return {"status": status, "path": "/out/x", "exit": code, "frames": 3, "faces": 1, "seconds": 0.5}


def orders():
    return iter(sys.stdin.readline, "")


def until_told(order):
    for line in orders():
        told = json.loads(line)
        if told["order"] == "cancel":
            say(order, "failed", {"exit": 130, "reason": "cancelled"})
            return
        if told["order"] == "stop":
            say(order, "checkpoint", {"frames": 7, "resumed": False})
            say(order, "failed", {"exit": 75, "reason": "stopped"})
            sys.exit(75)
    sys.exit(75)


def perform(order):
    kind, _, argument = order["description"]["input"]["relative"].partition(":")
    if kind == "die-first" and not os.path.exists(argument):
        open(argument, "w").close()
        sys.exit(1)
    say(order, "started")
    if kind in ("ok", "die-first"):
        say(order, "hashed", "ab")
        say(order, "progress", {"share": 0.5, "frames": 1})
        say(order, "published", result())
    elif kind == "skip":
        say(order, "skipped", result("partial", 3))
    elif kind == "pid":
        say(order, "hashed", str(os.getpid()))
        say(order, "published", result())
    elif kind == "descriptors":
        say(order, "hashed", ",".join(sorted(os.listdir("/proc/self/fd"), key=int)))
        say(order, "published", result())
    elif kind == "chatter":
        for frame in range(int(argument)):
            say(order, "progress", {"frames": frame})
        say(order, "published", result())
    elif kind == "talk":
        for line in range(100):
            log("info: line %d" % line)
        sys.exit(9)
    elif kind == "crash":
        log("error: about to fall")
        os.kill(os.getpid(), signal.SIGSEGV)
    elif kind == "exit":
        sys.exit(int(argument))
    elif kind == "hang":
        time.sleep(100000)
    elif kind == "freeze":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif kind == "flood":
        while True:
            os.write(1, b"x" * 65536)
    elif kind == "mute":
        os.close(1)
        os.close(2)
        time.sleep(100000)
    elif kind == "garbage":
        print("hello", flush=True)
        time.sleep(100000)
    elif kind == "memory":
        held = bytearray(os.urandom(1 << 20) * int(argument))
        say(order, "alive")
        time.sleep(100000 if held else 0)
    elif kind == "disk":
        say(order, "failed", {"exit": 74, "reason": "no room", "disk_full": True})
    elif kind == "fail":
        say(order, "failed", {"exit": int(argument), "reason": "because"})
    elif kind == "wait":
        until_told(order)


def main():
    how = sys.argv[1] if len(sys.argv) > 1 else ""
    if how == "die":
        log("error: cannot load the model")
        sys.exit(78)
    if how == "silent":
        time.sleep(100000)
    identity = {"pid": os.getpid(), "version": "0", "commit": "fake"}
    say({"job": 0, "attempt": 0}, "ready", identity)
    for line in orders():
        order = json.loads(line)
        if order["order"] == "run":
            perform(order)
        elif order["order"] == "stop":
            sys.exit(0)


main()
