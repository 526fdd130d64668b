#!/usr/bin/env python3
"""Faults that the service survives: each is done to a real daemon, then ledger, folders and results are examined.

    faults.py --emotiond FILE [--quick] [--only NAME ...] [--seed N] [--files N] [--keep DIR]

Prints a line a fault and ends with 1 if any was not survived. What a fault needs and this machine lacks
(root for a tmpfs, a C compiler, bindfs, a GStreamer RTSP server) makes it `skipped`, with the reason.
"""
import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

# In the order in which they are done.
import faults_kills, faults_disks, faults_folders, faults_streams, faults_host  # noqa: E401, F401
from place import FAULTS, HERE, QUICK, Place, Skipped


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--emotiond", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("EMOTIOND_TEST_DATA", HERE.parents[2] / "shared")))
    parser.add_argument("--quick", action="store_true", help="only those that take seconds")
    parser.add_argument("--only", nargs="+", choices=sorted(FAULTS), default=[])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", type=int, default=200, help="for the faults that kill")
    parser.add_argument("--keep", type=Path, help="work here and leave everything")
    arguments = parser.parse_args()
    arguments.emotiond = arguments.emotiond.resolve()
    names = arguments.only or [name for name in FAULTS if name in QUICK or not arguments.quick]
    failed = 0
    for name in names:
        # A Unix socket's path is at most 107 bytes, so the folder's own is short.
        folder = Path(tempfile.mkdtemp(prefix=f"f-{name[:12]}-", dir=arguments.keep))
        begin = time.monotonic()
        try:
            said = f"survived  {FAULTS[name](Place(folder, arguments))}"
        except Skipped as reason:
            said = f"skipped   {reason}"
        except Exception as error:
            failed += 1
            said = f"FAILED    {type(error).__name__}: {error}"
        print(f"{name:32} {time.monotonic() - begin:6.1f} s  {said}", flush=True)
        if not arguments.keep and not said.startswith("FAILED"):
            shutil.rmtree(folder, ignore_errors=True)
        elif said.startswith("FAILED"):
            print(f"{'':32} left in {folder}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
