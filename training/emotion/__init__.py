"""Training of the emotion net: data in, one ONNX file out. README.md one folder up says how."""
