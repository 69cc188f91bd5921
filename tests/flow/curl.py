"""The little of curl that docs/rehearsing.md uses, for a machine that has no curl: `-s -f -X -H -d -o URL`."""

from __future__ import annotations

import argparse
import sys
import urllib.error
import urllib.request
from pathlib import Path


def main() -> int:
    """curl's exit codes: 0, 22 for an HTTP error with `-f`, 7 where nobody answers."""
    options = argparse.ArgumentParser(prog="curl")
    options.add_argument("-s", action="store_true")
    options.add_argument("-f", action="store_true")
    options.add_argument("-X", dest="method")
    options.add_argument("-H", dest="headers", action="append", default=[])
    options.add_argument("-d", dest="data")
    options.add_argument("-o", dest="output", type=Path)
    options.add_argument("url")
    asked = options.parse_args()
    url = asked.url if "://" in asked.url else f"http://{asked.url}"
    data = None if asked.data is None else asked.data.encode()
    request = urllib.request.Request(url, data, method=asked.method)
    for header in asked.headers:
        name, _, value = header.partition(":")
        request.add_header(name, value.strip())
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            body = answer.read()
    except urllib.error.HTTPError as error:
        with error:
            body = error.read()
        if asked.f:
            return 22
    except OSError:
        return 7
    if asked.output is None:
        sys.stdout.buffer.write(body)
    else:
        asked.output.write_bytes(body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
