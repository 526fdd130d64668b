#!/usr/bin/env python3
"""Milliseconds a face of onnxruntime on one thread, for comparison with `emotiond bench --engine`.

Prints one JSON object. CPU time is the figure to compare on a machine that does other work.
"""
import argparse
import json
import statistics
import time

import numpy as np
import onnxruntime


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=3.0, help="measure for about so long")
    arguments = parser.parse_args()

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(arguments.model, options, providers=["CPUExecutionProvider"])
    tensor = session.get_inputs()[0]
    shape = [arguments.batch, *tensor.shape[1:]]
    batch = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    for _ in range(3):
        session.run(None, {tensor.name: batch})

    wall, cpu = [], []
    end = time.perf_counter() + arguments.seconds
    while time.perf_counter() < end or len(wall) < 5:
        start, cpu_start = time.perf_counter(), time.process_time()
        session.run(None, {tensor.name: batch})
        cpu.append((time.process_time() - cpu_start) * 1000 / arguments.batch)
        wall.append((time.perf_counter() - start) * 1000 / arguments.batch)
    print(json.dumps({
        "runtime": f"onnxruntime {onnxruntime.__version__}", "batch": arguments.batch, "threads": 1, "n": len(wall),
        "ms_per_face": round(statistics.median(wall), 4), "ms_per_face_min": round(min(wall), 4),
        "cpu_ms_per_face": round(statistics.median(cpu), 4),
    }))


if __name__ == "__main__":
    main()
