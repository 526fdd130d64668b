#!/usr/bin/env python3
"""Makes the sample clip and the sample pictures from photographs in the public domain.

The photographs are taken out of the wheels of scikit-image and matplotlib on PyPI, so that nothing
is fetched from the open web; each is held against its SHA-256. The moving pictures are crops of
the photographs that glide from one window to another, drawn by Pillow and encoded by the ffmpeg
command.

    python3 -m venv .venv && .venv/bin/pip install -r samples/requirements.txt
    .venv/bin/python samples/make_samples.py --check

`--check` looks for faces in every frame of the finished clip: as many as the script of SHOTS says.
"""
import argparse
import hashlib
import io
import math
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

WIDTH, HEIGHT, FPS = 640, 360, 25

# name: (wheel on PyPI, path inside it, SHA-256)
SOURCES = {
    "astronaut": (
        "scikit-image==0.26.0", "skimage/data/astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"),
    "coffee": (
        "scikit-image==0.26.0", "skimage/data/coffee.png",
        "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7"),
    "hopper": (
        "matplotlib==3.11.2", "matplotlib/mpl-data/sample_data/grace_hopper.jpg",
        "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130"),
}


@dataclass(frozen=True)
class Window:
    """A 16:9 part of a picture, by its centre and width in pixels of that picture."""
    x: float
    y: float
    width: float

    def box(self):
        height = self.width * HEIGHT / WIDTH
        return (self.x - self.width / 2, self.y - height / 2, self.x + self.width / 2, self.y + height / 2)

    def towards(self, other, share):
        def mix(a, b):
            return a + (b - a) * share
        return Window(mix(self.x, other.x), mix(self.y, other.y), mix(self.width, other.width))


@dataclass(frozen=True)
class Shot:
    picture: str
    seconds: float
    start: Window
    end: Window
    faces: int

    @property
    def frames(self):
        return round(self.seconds * FPS)


# Cuts between shots are hard. Frames 0-99, 100-174, 175-274 and 275-349.
SHOTS = [
    Shot("astronaut", 4.0, Window(256, 160, 512), Window(222, 128, 300), faces=1),
    Shot("coffee", 3.0, Window(215, 200, 400), Window(385, 210, 400), faces=0),
    Shot("hopper", 4.0, Window(256, 260, 512), Window(270, 210, 420), faces=1),
    Shot("pair", 3.0, Window(512, 288, 1024), Window(512, 288, 940), faces=2),
]


def fetch(folder: Path) -> dict[str, bytes]:
    """The photographs' bytes, out of the wheels, each checked."""
    wheels = {requirement for requirement, _, _ in SOURCES.values()}
    for requirement in sorted(wheels):
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
             "--dest", str(folder), requirement],
            check=True)
    files = {}
    for name, (requirement, inner, digest) in SOURCES.items():
        package, version = requirement.split("==")
        wheel = next(folder.glob(f"{package.replace('-', '_')}-{version}-*.whl"))
        data = zipfile.ZipFile(wheel).read(inner)
        found = hashlib.sha256(data).hexdigest()
        if found != digest:
            sys.exit(f"{inner} in {wheel.name} has SHA-256 {found}, expected {digest}")
        files[name] = data
    return files


def side_by_side(left: Image.Image, right: Image.Image) -> Image.Image:
    """Both people with faces of about one size, head to head on 1024x576."""
    panel = Image.new("RGB", (1024, 576))
    # The parts were chosen by eye: 8:9 each, the eyes on one line.
    for x, picture, part in ((0, left, (82, 10, 360, 322.75)), (512, right, (26, 30, 486, 547.5))):
        panel.paste(picture.resize((512, 576), Image.Resampling.LANCZOS, box=part), (x, 0))
    return panel


def ease(share: float) -> float:
    """Starts and stops gently."""
    return (1 - math.cos(math.pi * share)) / 2


def draw_frames(pictures: dict[str, Image.Image]):
    for shot in SHOTS:
        for i in range(shot.frames):
            window = shot.start.towards(shot.end, ease(i / (shot.frames - 1)))
            # EXTENT takes fractions of a pixel, so slow pans do not jump from pixel to pixel.
            yield pictures[shot.picture].transform(
                (WIDTH, HEIGHT), Image.Transform.EXTENT, window.box(), Image.Resampling.BICUBIC)


def encode(frames, seconds: float, path: Path):
    tone = f"sine=frequency=330:sample_rate=44100:duration={seconds}"
    command = [
        "ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}",
        "-r", str(FPS), "-i", "pipe:0", "-f", "lavfi", "-i", tone,
        "-vf", "scale=out_color_matrix=bt601:out_range=tv,format=yuv420p", "-colorspace", "smpte170m",
        "-color_primaries", "smpte170m", "-color_trc", "smpte170m",
        "-af", f"volume=0.5,tremolo=f=0.5:d=0.6,afade=t=in:d=0.5,afade=t=out:st={seconds - 1}:d=1",
        "-c:v", "libx264", "-preset", "slow", "-crf", "23", "-g", "100", "-threads", "1",
        "-c:a", "aac", "-b:a", "48k", "-ac", "1", "-movflags", "+faststart",
        "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        for frame in frames:
            process.stdin.write(frame.tobytes())
        process.stdin.close()
        if process.wait() != 0:
            sys.exit("ffmpeg failed")


def check(clip: Path, detector_model: Path | None) -> bool:
    """Counts faces in every frame of the clip; prints each stretch that differs from SHOTS."""
    import cv2

    if detector_model:
        yunet = cv2.FaceDetectorYN.create(str(detector_model), "", (WIDTH, HEIGHT), 0.6)

        def count(frame):
            faces = yunet.detect(frame)[1]
            return 0 if faces is None else len(faces)
    else:
        cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_alt2.xml")

        def count(frame):
            grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
            return len(cascade.detectMultiScale(grey, 1.1, 3, minSize=(40, 40)))

    expected = [shot.faces for shot in SHOTS for _ in range(shot.frames)]
    capture, found = cv2.VideoCapture(str(clip)), []
    while (read := capture.read())[0]:
        found.append(count(read[1]))
    wrong = [i for i, (a, b) in enumerate(zip(expected, found)) if a != b]
    kind = "YuNet" if detector_model else "cascade alt2"
    print(f"{clip.name}: {len(found)} frames of {len(expected)}, "
          f"{len(wrong)} with another number of faces than planned ({kind})")
    for i in wrong[:20]:
        print(f"  frame {i}: planned {expected[i]}, found {found[i]}")
    return len(found) == len(expected) and not wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="where the samples are written")
    parser.add_argument("--check", action="store_true", help="look for the planned faces in the finished clip")
    parser.add_argument("--detector-model", type=Path, help="YuNet 2023mar for --check, instead of the cascade")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        files = fetch(Path(folder))
    pictures = {name: Image.open(io.BytesIO(data)).convert("RGB") for name, data in files.items()}
    pictures["pair"] = side_by_side(pictures["astronaut"], pictures["hopper"])

    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    pictures["astronaut"].save(out / "astronaut.jpg", quality=88, optimize=True)
    (out / "grace_hopper.jpg").write_bytes(files["hopper"])
    # 128 colours keep the PNG small and give the palette path of the reader something to do.
    panel = pictures["pair"].resize((768, 432), Image.Resampling.LANCZOS)
    panel.quantize(128).save(out / "two_people.png", optimize=True)
    clip = out / "ad.mp4"
    encode(draw_frames(pictures), sum(shot.seconds for shot in SHOTS), clip)

    for path in [clip, out / "astronaut.jpg", out / "grace_hopper.jpg", out / "two_people.png"]:
        data = path.read_bytes()
        print(f"{hashlib.sha256(data).hexdigest()}  {path.name}  {len(data)} bytes")
    if arguments.check and not check(clip, arguments.detector_model):
        sys.exit(1)


if __name__ == "__main__":
    main()
