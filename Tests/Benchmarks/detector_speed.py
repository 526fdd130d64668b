#!/usr/bin/env python3
"""Milliseconds a picture of face detectors on one thread, in turns within one run: emotiond's own detector, the same
file in onnxruntime, and YuNet 2023mar in onnxruntime and in opencv-python.

  detector_speed.py --emotiond .build/release/emotiond --yunet face_detection_yunet_2023mar.onnx own.onnx [more.onnx]

CPU time of the thread, medians over all turns. emotiond's and opencv-python's figures include decoding and suppression,
onnxruntime's do not. Prints a table, or one JSON object with --json.
"""
import argparse
import json
import statistics
import subprocess
import time
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime

WIDTH, HEIGHT, PADDED = 640, 360, 384


def measured(call, seconds):
    call(), call(), call()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 10:
        start = time.thread_time()
        call()
        times.append((time.thread_time() - start) * 1000)
    return times


def onnxruntime_call(path):
    model = onnx.load(path)
    tensor = model.graph.input[0]
    channels = tensor.type.tensor_type.shape.dim[1].dim_value
    # YuNet's file fixes its size, which the graph itself does not ask for.
    for value, sizes in [(tensor, (1, channels, PADDED, WIDTH))]:
        for dim, size in zip(value.type.tensor_type.shape.dim, sizes):
            dim.dim_value = size
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    values = np.random.default_rng(1).standard_normal((1, channels, PADDED, WIDTH)).astype(np.float32)
    return lambda: session.run(None, {tensor.name: values})


def opencv_call(path):
    detector = cv2.FaceDetectorYN.create(str(path), "", (WIDTH, HEIGHT), 0.6, 0.3, 5000)
    picture = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    return lambda: detector.detect(picture)


def emotiond_times(program, arguments, repeats):
    command = [program, "bench", "--size", f"{WIDTH}x{HEIGHT}", "--reps", str(repeats), "--json", *arguments]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return answer["cpu_ms"], answer["cpu_ms_min"], answer["level"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path, help="files of our own detector")
    parser.add_argument("--emotiond", default=".build/release/emotiond")
    parser.add_argument("--yunet", required=True, type=Path)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each peer in each turn")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()

    cv2.setNumThreads(1)
    runs = {f"YuNet 2023mar, opencv-python {cv2.__version__}": opencv_call(arguments.yunet),
            f"YuNet 2023mar, onnxruntime {onnxruntime.__version__}": onnxruntime_call(arguments.yunet)}
    for path in arguments.models:
        runs[f"{path.stem}, onnxruntime"] = onnxruntime_call(path)
    medians, best = {}, {}

    def note(name, median, least):
        medians.setdefault(name, []).append(median)
        best[name] = min(least, best.get(name, least))

    for _ in range(arguments.turns):
        for name, call in runs.items():
            times = measured(call, arguments.seconds)
            note(name, statistics.median(times), min(times))
        for path in arguments.models:
            for engine in ("native", "opencv"):
                median, least, level = emotiond_times(
                    arguments.emotiond, ["--detector", "own", "--detector-model", path, "--detector-engine", engine], 150)
                note(f"{path.stem}, emotiond {engine}" + (f" ({level})" if engine == "native" else ""), median, least)
    result = {name: {"ms": statistics.median(values), "ms_min": best[name]} for name, values in medians.items()}
    if arguments.json:
        return print(json.dumps(result))
    opencv, runtime = list(result.values())[:2]
    print("| run | ms, median of medians | best | share of YuNet in opencv-python | in onnxruntime |\n|---|---|---|---|---|")
    for name, row in result.items():
        print(f"| {name} | {row['ms']:.2f} | {row['ms_min']:.2f} | {row['ms'] / opencv['ms']:.2f} | {row['ms'] / runtime['ms']:.2f} |")


if __name__ == "__main__":
    main()
