#!/usr/bin/env python3
"""Sorts the sources of a target into batches that the compiler can take as one file.

A source is a second of its own code and three of headers and templates, so five in one cost little more than one. Two
sources that give the same name to something private (`kSchema`, `refused`) never share a batch: nobody has to invent
names for the build's sake. Prints one line `<batch> <source>` per source that shares its batch; what is
generated later is compiled alone.
"""

import argparse
import re
import sys
from pathlib import Path

# What begins in the first column is of a namespace; the name is what stands before the bracket, brace or value.
TYPE = re.compile(r"(?:class|struct|enum class|enum|union|concept)\s+(\w+)|using\s+(\w+)\s*=")
OBJECT = re.compile(r"[A-Za-z_][\w:<>,&*\s\[\]()]*?[\s&*>](\w+)\s*(?:\(|=|\{|\[|;)")
MACRO = re.compile(r"#define\s+(\w+)")
OTHER = re.compile(r"(?:namespace|template|using namespace|extern|friend)\b|TEST|INSTANTIATE|[#/}]")


def names_in(text):
    """The names that a source defines in its namespaces, private or not."""
    names = set()
    for line in text.splitlines():
        macro = MACRO.match(line)
        if macro:
            names.add(macro.group(1))
        elif not OTHER.match(line):
            found = TYPE.match(line) or OBJECT.match(line)
            if found:
                names.add(found[found.lastindex])
    return names


def batches(sources, size):
    """Lists of (source, names): first fit, at most `size` long, no name twice."""
    result = []
    for source, names in sources:
        for batch in result:
            if len(batch) < size and all(names.isdisjoint(taken) for _, taken in batch):
                batch.append((source, names))
                break
        else:
            result.append([(source, names)])
    return result


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--size", type=int, default=5, help="sources in a batch, at most")
    arguments.add_argument("sources", nargs="*", type=Path)
    options = arguments.parse_args()
    read = [(source, names_in(source.read_text())) for source in options.sources if source.exists()]
    for number, batch in enumerate(batches(read, options.size)):
        for source, _ in batch if len(batch) > 1 else ():
            print(number, source)


if __name__ == "__main__":
    sys.exit(main())
