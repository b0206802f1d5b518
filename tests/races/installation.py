"""A whole installation in a process of its own: says where it is, then runs until SIGTERM. Settings by environment."""

import json

from preceptor.cli.serve import served
from preceptor.kit.settings import Settings


def main() -> None:
    with served(Settings()) as (supervisor, url, base):
        print(json.dumps({"url": url, "base": base}), flush=True)
        supervisor.run()


if __name__ == "__main__":
    main()
