"""A stand-in for `vllm serve` without a GPU: `python -m tests.training.scripted_server PORT MODEL`.

It speaks what TRL's VLLMClient asks of the server. Of the completions of a prompt every other one is right.
Each transfer of weights is a line on the standard output.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from transformers import AutoTokenizer

from lm_eval_ext.harness.docs import arith_words

GOLDS = {doc["problem"]: int(doc["gold"]) for doc in arith_words.generate("train", 600)}


def completion(tokenizer: Any, prompt: list[int], number: int) -> dict[str, Any]:
    """One of the choices of /v1/completions."""
    text = tokenizer.decode(prompt)
    gold = next((gold for problem, gold in GOLDS.items() if problem in text), 0)
    said = (
        f" So the answer is {gold}." if number % 2 == 0 else f" {gold + number}, so: Final answer: {gold + 1}"
    )
    tokens = [*tokenizer.encode(said, add_special_tokens=False), tokenizer.eos_token_id]
    named = [f"token_id:{token}" for token in tokens]
    logprobs = {"tokens": named, "token_logprobs": [-1.0] * len(tokens), "top_logprobs": [{}] * len(tokens)}
    return {"prompt_token_ids": prompt, "token_ids": tokens, "logprobs": logprobs}


def serve(port: int, model: str) -> None:
    """Answers until it is ended."""
    tokenizer = AutoTokenizer.from_pretrained(model)

    def answer(path: str, given: dict[str, Any]) -> dict[str, Any]:
        if path == "/v1/models":
            return {"data": [{"id": model}]}
        if path == "/update_weights":
            print("weights:", len(given["update_info"]["names"]), flush=True)
        if path == "/v1/completions":
            choices = [completion(tokenizer, p, i) for p in given["prompt"] for i in range(given["n"])]
            return {"choices": choices}
        return {"success": True}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = json.dumps(answer(self.path, self._given())).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_POST = do_GET

        def _given(self) -> dict[str, Any]:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            return json.loads(content or b"{}")

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
