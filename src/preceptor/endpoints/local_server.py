"""The small local model behind an OpenAI-compatible server: `python -m preceptor.endpoints.local_server --model FILE`.

Reads its API key from the first line of standard input, writes `{"base_url": ...}` as one line of standard output,
and ends when standard input is closed: so it never outlives who started it, however that one ends.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence

CONTEXT_TOKENS = 4_096
PARALLEL = 2
"""Conversations at a time, each with half of the context."""


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="preceptor.endpoints.local_server", description=__doc__)
    parser.add_argument("--model", required=True, help="a GGUF file")
    parser.add_argument("--name", required=True, help="what the model is called in answers")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args(argv)
    key = sys.stdin.readline().strip()
    if not key:
        parser.error("the first line of standard input must be the API key")
    serve(given.model, given.name, key, given.port, given.threads)


def serve(model: str, name: str, key: str, port: int, threads: int) -> None:
    import xllamacpp

    # What the library prints belongs to the log; standard output is for the address alone.
    said = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.model_alias = {name}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx = CONTEXT_TOKENS * PARALLEL
    params.n_parallel = PARALLEL
    params.cpuparams.n_threads = threads
    params.api_keys = [key]
    params.verbosity = 1
    server = xllamacpp.Server(params)
    print(json.dumps({"base_url": f"{server.listening_address}/v1"}), file=said, flush=True)
    while sys.stdin.readline():
        pass
    os._exit(0)  # at once: nothing here is worth an orderly end, and generations may be running


if __name__ == "__main__":
    main()
