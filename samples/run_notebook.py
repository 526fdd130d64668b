#!/usr/bin/env python3
"""Executes samples/emotiond.ipynb from its first cell to its last and says whether it still does what it shows.

    EMOTIOND=.build/release/emotiond samples/run_notebook.py [--write]

Without --write the file stays as it is. With it the new outputs are kept, if they are small enough for a repository.
"""
import argparse
import os
from pathlib import Path
import sys

import nbclient
import nbformat

NOTEBOOK = Path(__file__).resolve().with_name("emotiond.ipynb")
LARGEST = 400_000  # bytes of the file with its outputs
TIMEOUT = 600  # seconds a cell


def execute(notebook: nbformat.NotebookNode):
    """In the samples' folder, since the notebook names its pictures from there."""
    if os.environ.get("EMOTIOND"):
        os.environ["EMOTIOND"] = str(Path(os.environ["EMOTIOND"]).resolve())
    nbclient.NotebookClient(notebook, timeout=TIMEOUT, kernel_name="python3", record_timing=False,
                            resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()


def faults(notebook: nbformat.NotebookNode) -> list[str]:
    """What is wrong with the outputs; nothing, for a notebook that may be committed."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    kinds = [kind for output in outputs for kind in output.get("data", {})]
    told = [f"it writes to standard error: {output.text[:200]}" for output in outputs if output.get("name") == "stderr"]
    told += [f"no output of kind {kind}" for kind in ("image/jpeg", "image/png", "text/html") if kind not in kinds]
    size = len(nbformat.writes(notebook).encode())
    if size > LARGEST:
        told.append(f"{size:,} bytes with its outputs, more than {LARGEST:,}")
    home = str(Path.home())
    text = nbformat.writes(notebook)
    told += [f"the path {place} stands in it" for place in (home + "/", str(NOTEBOOK.parent)) if len(place) > 2 and place in text]
    return told


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    try:
        execute(notebook)
    except nbclient.exceptions.CellExecutionError as error:
        sys.exit(f"{NOTEBOOK.name}: {error}")
    told = faults(notebook)
    if told:
        sys.exit(f"{NOTEBOOK.name}: {'; '.join(told)}")
    if arguments.write:
        notebook.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
                             "language_info": {"name": "python"}}
        nbformat.write(notebook, NOTEBOOK)
    print(f"{NOTEBOOK.name}: {sum(cell.cell_type == 'code' for cell in notebook.cells)} cells ran")


if __name__ == "__main__":
    main()
