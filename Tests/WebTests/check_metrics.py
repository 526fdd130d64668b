"""Reads Prometheus' text format 0.0.4 from stdin, by the grammar and not by our writer; exits 1 with the first faults."""

import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)')
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? ([^ ]+)$")


def labels(text, fault):
    found, rest = [], text
    while rest:
        match = LABEL.match(rest)
        if not match:
            fault(f"labels {rest!r}")
            return tuple(found)
        found.append((match.group(1), match.group(2)))
        rest = rest[match.end():]
    if len({name for name, _ in found}) != len(found):
        fault("a label twice")
    return tuple(sorted(found))


def main():
    faults, helps, types, samples, open_family, closed = [], {}, {}, set(), None, set()
    text = sys.stdin.read()
    if not text.endswith("\n"):
        faults.append("no line break at the end")
    for number, line in enumerate(text.split("\n")[:-1], 1):
        def fault(what):
            faults.append(f"line {number}: {what}: {line}")

        if line.startswith("# "):
            match = re.match(rf"# (HELP|TYPE) ({NAME}) (.+)$", line)
            if not match:
                fault("neither HELP nor TYPE")
                continue
            kind, name, rest = match.groups()
            table = helps if kind == "HELP" else types
            if name in table:
                fault(f"{kind} twice")
            table[name] = rest
            if kind == "TYPE" and rest not in ("counter", "gauge", "histogram", "summary", "untyped"):
                fault("type")
            continue
        match = SAMPLE.match(line)
        if not match:
            fault("no sample")
            continue
        name, inner, value = match.groups()
        if name != open_family:
            if name in closed:
                fault("the family's lines are not together")
            closed.add(open_family)
            open_family = name
        if name not in types or name not in helps:
            fault("no TYPE or HELP before it")
        if not name.startswith("emotiond_"):
            fault("a foreign name")
        if types.get(name) == "counter" and not name.endswith("_total"):
            fault("a counter without _total")
        try:
            if float(value) < 0:
                fault("below zero")
        except ValueError:
            fault("no number")
        key = (name, labels(inner or "", fault))
        if key in samples:
            fault("the same sample twice")
        samples.add(key)
    faults += [f"{name} has no sample" for name in types if name not in {name for name, _ in samples}]
    if len(samples) < 10:
        faults.append(f"only {len(samples)} samples")
    print("\n".join(faults))
    sys.exit(1 if faults else 0)


main()
