#!/usr/bin/env python3
"""Sorts the sources of a target into batches that the compiler can take as one file.

A source is a second of its own code and three of headers and templates, so five in one cost little more than one. Two
sources that give the same name to something private (`kSchema`, `refused`) never share a batch, nor does one with a
private name that another's headers use: nobody has to invent names for the build's sake. Prints one line `<batch> <source>` per source that shares its batch; what is
generated later is compiled alone.
"""

import argparse
import re
import sys
from pathlib import Path
from typing import NamedTuple

# What begins in the first column is of a namespace; the name is what stands before the bracket, brace or value.
TYPE = re.compile(r"(?:class|struct|enum class|enum|union|concept)\s+(\w+)|using\s+(\w+)\s*=")
OBJECT = re.compile(r"[A-Za-z_][\w:<>,&*\s\[\]()]*?[\s&*>](\w+)\s*(?:\(|=|\{|\[|;)")
INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)
MACRO = re.compile(r"#define\s+(\w+)")
OTHER = re.compile(r"(?:namespace|template|using namespace|extern|friend)\b|TEST|INSTANTIATE|[#/}]")


class Source(NamedTuple):
    path: Path
    defines: frozenset  # names of its own
    sees: frozenset  # names in the headers that it includes


def names_in(text):
    """The names that a text defines in its namespaces, private or not."""
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


class Reader:
    """What sources and their headers define; a header is read once."""

    def __init__(self, folders):
        self.folders = folders
        self.read = {}

    def source(self, path):
        text = path.read_text()
        return Source(path, frozenset(names_in(text)), frozenset(self.seen_from(path, text)))

    def seen_from(self, path, text):
        """The names in the headers of ours that it includes, directly or through others."""
        names = set()
        for header in self.headers(path, text, set()):
            names |= self.read[header][1]
        return names

    def headers(self, path, text, known):
        for include in INCLUDE.findall(text):
            header = next((folder / include for folder in (path.parent, *self.folders) if (folder / include).is_file()), None)
            if header is None or header in known:
                continue
            known.add(header)
            if header not in self.read:
                content = header.read_text()
                self.read[header] = (content, names_in(content))
            self.headers(header, self.read[header][0], known)
        return known


def agree(one, other):
    """Whether neither defines what the other defines or sees."""
    return one.defines.isdisjoint(other.defines | other.sees) and other.defines.isdisjoint(one.sees)


def batches(sources, size):
    """First fit: lists of at most `size` sources that agree with each other."""
    result = []
    for source in sources:
        for batch in result:
            if len(batch) < size and all(agree(source, other) for other in batch):
                batch.append(source)
                break
        else:
            result.append([source])
    return result


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--size", type=int, default=5, help="sources in a batch, at most")
    arguments.add_argument("--include", action="append", type=Path, default=[], help="where headers of ours lie")
    arguments.add_argument("sources", nargs="*", type=Path)
    options = arguments.parse_args()
    reader = Reader(options.include)
    sources = [reader.source(source) for source in options.sources if source.exists()]
    for number, batch in enumerate(batches(sources, options.size)):
        for source in batch if len(batch) > 1 else ():
            print(number, source.path)


if __name__ == "__main__":
    sys.exit(main())
