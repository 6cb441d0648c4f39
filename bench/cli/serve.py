"""`lapmark serve`: a report in the browser that follows a run."""

from pathlib import Path
from typing import Annotated

import typer

from . import options
from .base import RESULTS, app, user_errors


@app.command(
    examples={
        "lapmark serve": "serve the report of the folder results, and follow its run",
        "lapmark serve grid --port 8080 --open": "on another port, and open the browser",
    },
    note="Ctrl-C ends it. It is for this machine alone unless --host is another address, such as 0.0.0.0.",
)
def serve(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the results.")] = RESULTS,
    port: Annotated[int, typer.Option(metavar="PORT", min=0, max=65535, help="Port; 0 for any that is free.")] = 8000,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on.")] = "127.0.0.1",
    show: Annotated[bool, options.OPEN] = False,
) -> None:
    """Serve the report of a run, which is written again and reloaded while the run goes on."""
    import webbrowser

    from lapmark.bench.results.store import Store
    from lapmark.reports.live_report import LiveReport, server

    with user_errors():
        Store.open(directory, create=False).close()
        live = LiveReport(directory)
        try:
            listening = server(live, host, port)
        except OSError as error:
            reason = error.strerror or error
            raise ValueError(f"cannot listen on {host}:{port}: {reason}; choose another port with --port") from None
    with live, listening:
        address = f"http://{host}:{listening.server_port}/"
        typer.echo(f"{address} shows {directory} and follows its run. Ctrl-C ends it.")
        if show:
            webbrowser.open(address)
        listening.serve_forever()
