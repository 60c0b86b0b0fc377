"""`lm-eval-ext view`: look at runs in the browser."""

from __future__ import annotations

import signal
import tempfile
import threading
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from lm_eval_ext.cli.app import app


@app.command("view")
def view_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with runs or batches.")],
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0: a free port.")] = 8321,
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")] = True,
) -> None:
    """Look at a folder of runs in the browser, also while they are running.

    \b
        lm-eval-ext view out/
        lm-eval-ext view out/plan --port 0 --no-open

    Scores, progress, every response with its verdict, two runs side by side. Only this machine can reach the
    page; from elsewhere: ssh -L 8321:localhost:8321 HOST. Nothing is written to DIR.
    """
    from lm_eval_ext.errors import UserError, required

    if not folder.is_dir():
        raise UserError(f"{folder} is no folder: name one with runs of lm-eval in it, or with a batch")
    required("latex2mathml", "view", "report")
    from lm_eval_ext.view.app import HOST, server
    from lm_eval_ext.view.folder import Folder
    from lm_eval_ext.view.follow import View
    from lm_eval_ext.view.index import Index

    with tempfile.TemporaryDirectory(prefix="lm-eval-ext-view-") as temporary:
        view, ended = View(folder.resolve(), Index(Path(temporary))), threading.Event()
        try:
            listening = server(view, port)
        except OSError as error:
            raise OSError(
                f"cannot listen on {HOST}:{port}: {error.strerror}; choose another --port"
            ) from error
        follower = threading.Thread(target=view.follow, args=(ended,), daemon=True)
        follower.start()
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # the index is removed then, too
        address = f"http://{HOST}:{listening.server_address[1]}/"
        typer.echo(f"{address}\nCtrl-C ends it. As one file to send to others: lm-eval-ext report {folder}")
        if not any(Folder(folder).files()):
            typer.echo(f"nothing found in {folder} yet; it is looked for until you end this")
        if open_:
            webbrowser.open(address)
        try:
            listening.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            ended.set()
            follower.join()
            listening.server_close()
