"""Writes measured figures into a model card, each block between its two comment lines, and nothing else."""
from pathlib import Path


class CardError(Exception):
    """A card without the marks of a block."""


def begin(block: str) -> str:
    return f"<!-- {block}: begin, written by make -C training -->"


def end(block: str) -> str:
    return f"<!-- {block}: end -->"


def fill(file: Path, block: str, text: str):
    """Replaces what stands in the block."""
    try:
        whole = file.read_text()
    except OSError as error:
        raise CardError(f"{file}: cannot be read ({error.strerror})") from error
    start, stop = whole.find(begin(block)), whole.find(end(block))
    if start < 0 or stop < start:
        raise CardError(f"{file}: the lines '{begin(block)}' and '{end(block)}' must stand in it, in this order")
    part = file.with_name(file.name + ".part")
    part.write_text(whole[:start + len(begin(block))] + "\n" + text + whole[stop:])
    part.replace(file)


def table(header, rows) -> str:
    """Markdown, with an empty line on both sides."""
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in (header, *rows)]
    return "\n".join(["", lines[0], "|---" * len(header) + "|", *lines[1:], "", ""])


def figures(report: dict) -> str:
    """Block `figures`, of what emotion.export measured."""
    public, clean, uncertain = report["public"], report["clean"], report["uncertain"]
    calibration, training = report["calibration"], report["training"]
    rows = [
        ("net", f"`{training['net']}`, {training['parameters']:,} parameters, {training['macs'] / 1e6:.1f} MMAC a face, "
                f"{report['file']['bytes']:,} bytes"),
        ("weights", f"SHA-256 `{report['file']['weights.sha256']}`"),
        ("trained", f"{training['epochs']} epochs, {training['steps']:,} steps, {training['minutes']} minutes"),
        ("PublicTest, all", _accuracy(public)),
        ("PublicTest, clean", _accuracy(clean)),
        *([("FER+ majority", f"{report['ferplus']['accuracy']:.2f} % of {report['ferplus']['n']:,}")]
          if report.get("ferplus") else []),
        ("macro-F1", f"{public['macro_f1']:.4f} (clean {clean['macro_f1']:.4f})"),
        ("ECE, 15 bins", f"{calibration['ece_after']:.4f} on the half of PublicTest that the temperature was not fitted on "
                         f"({calibration['ece_before']:.4f} before); {public['ece']:.4f} on all of it"),
        ("temperature", f"{calibration['temperature']}"),
        ("`uncertain.below`", f"{uncertain['below']}: {uncertain['share']} % of PublicTest lie below, right in "
                              f"{_percent(uncertain['accuracy_below'])}; the others in {_percent(uncertain['accuracy_above'])}"),
    ]
    lines = ["", "| | single pass, float32 |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows), ""]
    lines += ["| class | n | recall | precision | F1 | recall, clean |", "|---|---|---|---|---|---|"]
    lines += [f"| {name} | {c['n']} | {100 * c['recall']:.1f} % | {100 * c['precision']:.1f} % | {c['f1']:.3f} | "
              f"{100 * clean['per_class'][name]['recall']:.1f} % |" for name, c in public["per_class"].items()]
    names = list(public["per_class"])
    lines += ["", "Rows: label; columns: answer.", "", "| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    lines += [f"| {name} | " + " | ".join(map(str, row)) + " |" for name, row in zip(names, public["confusion"])]
    return "\n".join(lines) + "\n\n"


def _accuracy(f: dict) -> str:
    return f"{f['accuracy']:.2f} % of {f['n']:,} (95 % interval {f['interval'][0]:.1f} to {f['interval'][1]:.1f})"


def _percent(value) -> str:
    return "no case" if value is None else f"{value:.1f} %"
