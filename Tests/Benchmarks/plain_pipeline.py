#!/usr/bin/env python3
"""The pipeline that one writes in an afternoon from Python packages: what `emotiond` is measured against.

Every frame: cv2.VideoCapture, a copy of at most 640 on its longest side, YuNet (or OpenCV's frontal
cascade where no YuNet file is given), a 48x48 grey crop a face, onnxruntime on the same emotion
model, one CSV line a face. With --video each frame is drawn on and piped to the ffmpeg command
(libx264, veryfast). It is written to be quick, not to be slow: the crop is warped before it is made
grey, faces of a frame share one call of the net, and onnxruntime's idle threads do not spin, which
on two cores nearly doubles the rate (--spin shows it).

The last line of stdout is one JSON object.
"""
import argparse
import csv
import json
import resource
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

EMOTIONS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
COLUMNS = ["frame", "timestamp", "face_id", "confidence", "x", "y", "w", "h", *EMOTIONS,
           "dominant", "dominant_score", "status"]
LONGEST_SIDE = 640
MINIMUM_SCORE = 0.6


class Stopwatch:
    """Adds up wall time by stage name."""

    def __init__(self):
        self.seconds = {}

    @contextmanager
    def stage(self, name):
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


class YuNet:
    def __init__(self, path, size):
        self.net = cv2.FaceDetectorYN.create(str(path), "", size, MINIMUM_SCORE)

    def detect(self, picture):
        """[(x, y, w, h), five landmarks, score] in pixels of the scaled copy."""
        faces = self.net.detect(picture)[1]
        if faces is None:
            return []
        return [(face[:4], face[4:14].reshape(5, 2), float(face[14])) for face in faces]


class Cascade:
    def __init__(self):
        self.cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_alt2.xml")

    def detect(self, picture):
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        boxes = self.cascade.detectMultiScale(grey, 1.1, 3, minSize=(24, 24))
        return [(np.float32(box), None, 1.0) for box in boxes]


class EmotionNet:
    """The shipped model under onnxruntime, with the crop and scaling that its metadata asks for."""

    def __init__(self, path, threads, spin):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spin else "0")
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0]
        metadata = self.session.get_modelmeta().custom_metadata_map
        self.mean = float(metadata.get("input.mean", 0))
        self.scale = float(metadata.get("input.scale", 1 / 255))
        self.by_crop = metadata.get("input.normalise", "none") == "crop"
        self.temperature = float(metadata.get("temperature", 1))
        template = metadata.get("crop.template")
        self.template = template and np.float64(template.split(",")).reshape(5, 2)

    def crop(self, frame, box, landmarks):
        if self.template is not None and landmarks is not None:
            matrix = similarity(landmarks, self.template)
        else:
            x, y, w, h = box
            side = max(w, h) * 1.1
            scale = 48 / side
            left, top = x + w / 2 - side / 2, y + h / 2 - side / 2
            matrix = np.float64([[scale, 0, -left * scale], [0, scale, -top * scale]])
        patch = cv2.warpAffine(frame, matrix, (48, 48), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY)

    def probabilities(self, crops):
        batch = np.stack(crops)[:, None].astype(np.float32)
        if self.by_crop:
            mean = batch.mean(axis=(1, 2, 3), keepdims=True)
            batch = (batch - mean) / np.maximum(batch.std(axis=(1, 2, 3), keepdims=True), 1)
        else:
            batch = (batch - self.mean) * self.scale
        logits = self.session.run(None, {self.input.name: batch})[0] / self.temperature
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        return weights / weights.sum(axis=1, keepdims=True)


def similarity(points, template):
    """The least-squares rotation, scale and shift from `points` to `template`, as a 2x3 matrix."""
    points = points.astype(np.float64)
    p, t = points - points.mean(axis=0), template - template.mean(axis=0)
    square = max((p * p).sum(), 1e-9)
    a = (p * t).sum() / square
    b = (p[:, 0] * t[:, 1] - p[:, 1] * t[:, 0]).sum() / square
    matrix = np.float64([[a, -b], [b, a]])
    return np.hstack([matrix, (template.mean(axis=0) - matrix @ points.mean(axis=0))[:, None]])


def draw(frame, box, probabilities):
    x, y, w, h = (int(v) for v in box)
    cv2.rectangle(frame, (x, y), (x + w, y + h), (80, 220, 80), 2)
    best = int(probabilities.argmax())
    label = f"{EMOTIONS[best]} {probabilities[best]:.2f}"
    cv2.putText(frame, label, (x, max(y - 6, 12)), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    for i, share in enumerate(probabilities):
        top = y + h + 4 + 6 * i
        cv2.rectangle(frame, (x, top), (x + int(60 * share), top + 4), (80, 220, 80), -1)


def start_encoder(source, output, size, fps):
    return subprocess.Popen(
        ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{size[0]}x{size[1]}",
         "-r", str(fps), "-i", "pipe:0", "-i", str(source), "-map", "0:v", "-map", "1:a?", "-c:a", "copy",
         "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-movflags", "+faststart", str(output)],
        stdin=subprocess.PIPE)


def rows_of(index, seconds, faces, probabilities):
    if not faces:
        yield [index, f"{seconds:.6f}", *[""] * 15, "no_face"]
    for number, ((box, _, score), shares) in enumerate(zip(faces, probabilities), start=1):
        best = int(shares.argmax())
        yield [index, f"{seconds:.6f}", number, f"{score:.4f}", *(f"{v:.1f}" for v in box),
               *(f"{v:.4f}" for v in shares[:7]), EMOTIONS[best], f"{shares[best]:.4f}", "detected"]


def run(arguments):
    capture = cv2.VideoCapture(str(arguments.input))
    if not capture.isOpened():
        raise SystemExit(f"cannot open {arguments.input}")
    width, height = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    fps = capture.get(cv2.CAP_PROP_FPS)
    shrink = min(1.0, LONGEST_SIDE / max(width, height))
    small_size = (round(width * shrink), round(height * shrink))
    detector = YuNet(arguments.yunet, small_size) if arguments.yunet else Cascade()
    net = EmotionNet(arguments.model, arguments.threads, arguments.spin)
    encoder = start_encoder(arguments.input, arguments.video, (width, height), fps) if arguments.video else None

    watch, index, faces_seen = Stopwatch(), 0, 0
    start, cpu_start = time.perf_counter(), time.process_time()
    with open(arguments.csv, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        while True:
            with watch.stage("decode"):
                ok, frame = capture.read()
            if not ok:
                break
            with watch.stage("scale"):
                small = cv2.resize(frame, small_size) if shrink < 1 else frame
            with watch.stage("detect"):
                faces = detector.detect(small)
                faces = [(box / shrink, None if marks is None else marks / shrink, score)
                         for box, marks, score in faces]
            probabilities = []
            if faces:
                with watch.stage("crop"):
                    crops = [net.crop(frame, box, landmarks) for box, landmarks, _ in faces]
                with watch.stage("classify"):
                    probabilities = net.probabilities(crops)
            with watch.stage("csv"):
                writer.writerows(rows_of(index, index / fps if fps else 0, faces, probabilities))
            if encoder:
                with watch.stage("draw"):
                    for (box, _, _), shares in zip(faces, probabilities):
                        draw(frame, box, shares)
                with watch.stage("encode"):
                    encoder.stdin.write(frame.data)
            index, faces_seen = index + 1, faces_seen + len(faces)
    if encoder:
        with watch.stage("encode"):
            encoder.stdin.close()
            if encoder.wait() != 0:
                raise SystemExit("ffmpeg failed")
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu_start

    own, child = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "pipeline": "plain python", "detector": type(detector).__name__.lower(),
        "opencv": cv2.__version__, "onnxruntime": onnxruntime.__version__,
        "frames": index, "faces": faces_seen,
        "wall_s": round(wall, 4), "cpu_s": round(cpu + child.ru_utime + child.ru_stime, 4),
        "fps": round(index / wall, 2), "peak_rss_mb": round(own.ru_maxrss / 1024, 1),
        "encoder_peak_rss_mb": round(child.ru_maxrss / 1024, 1) if encoder else 0,
        "stages_s": {name: round(seconds, 4) for name, seconds in watch.seconds.items()},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", type=Path)
    parser.add_argument("--model", type=Path, required=True, help="emotion model, ONNX")
    parser.add_argument("--yunet", type=Path, help="face_detection_yunet_2023mar.onnx; without it the cascade is used")
    parser.add_argument("--csv", type=Path, default=Path("/dev/null"))
    parser.add_argument("--video", type=Path, help="write an annotated video too")
    parser.add_argument("--threads", type=int, default=0, help="of onnxruntime and OpenCV; 0: as they come")
    parser.add_argument("--spin", action="store_true", help="let onnxruntime's idle threads spin, its default")
    arguments = parser.parse_args()
    if arguments.threads:
        cv2.setNumThreads(arguments.threads)
    print(json.dumps(run(arguments)))


if __name__ == "__main__":
    main()
