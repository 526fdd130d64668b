"""Writes one golden: a model, its input and what onnxruntime answers.

Raw little-endian float32 files; index.json lists them. Inputs are channel-first whatever the model's own
order is, and models with the same input shape share one file.
"""
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

SEED = 20251


class GoldenWriter:
    def __init__(self, folder: Path):
        self.folder = folder
        self.entries = []
        folder.mkdir(parents=True, exist_ok=True)

    def input_of(self, shape):
        """The same values for the same shape, in every run."""
        random = np.random.default_rng(SEED + int(np.prod(shape)))
        values = random.standard_normal(shape).astype("<f4")
        name = "input_" + "x".join(str(d) for d in shape) + ".f32"
        values.tofile(self.folder / name)
        return name, values

    def add(self, name, model, shape, channels_last=False, label=None):
        """`shape` is N,C,H,W (or N,F); a model of fixed batch 1 is run once an item."""
        data = model if isinstance(model, bytes) else model.SerializeToString()
        if not isinstance(model, bytes):
            onnx.checker.check_model(model)
        input_file, values = self.input_of(shape)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        feed = session.get_inputs()[0]
        given = values.transpose(0, 2, 3, 1) if channels_last else values
        if feed.shape[0] == 1:
            runs = [session.run(None, {feed.name: item[None]}) for item in given]
            results = [np.concatenate([run[i] for run in runs]) for i in range(len(runs[0]))]
        else:
            results = session.run(None, {feed.name: given})
        outputs = []
        for index, (info, result) in enumerate(zip(session.get_outputs(), results)):
            file = f"{name}.{index}.f32"
            result.astype("<f4").tofile(self.folder / file)
            outputs.append({"name": info.name, "file": file, "shape": list(result.shape)})
        (self.folder / f"{name}.onnx").write_bytes(data)
        self.entries.append({"name": name, "model": f"{name}.onnx", "input": input_file,
                             "inputShape": list(shape), "outputs": outputs})

    def finish(self):
        text = json.dumps(self.entries, indent=1)
        (self.folder / "index.json").write_text(text + "\n")
        total = sum(f.stat().st_size for f in self.folder.iterdir())
        largest = max(self.folder.iterdir(), key=lambda f: f.stat().st_size)
        print(f"{len(self.entries)} goldens, {total} bytes, largest {largest.name} {largest.stat().st_size}")
