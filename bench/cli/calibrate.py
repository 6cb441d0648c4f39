"""`lapmark calibrate`: the times that advice is given in, as on this machine."""

from .base import app, plain_console, user_errors


@app.command(examples={"lapmark calibrate": "before `lapmark choose`, once per machine"})
def calibrate() -> None:
    """Measure a few reference problems, so that `lapmark choose` predicts the seconds of this machine.

    It takes less than half a minute. The result is kept in the cache folder, and holds for this machine.
    """
    import time

    from rich.markup import escape

    from lapmark.bench.advice import calibration, shipped_measurements
    from lapmark.bench.system import measuring_support
    from lapmark.bench.util.status_line import doing
    from lapmark.bench.util.text_table import Column, TextTable

    with user_errors():
        measuring_support.check()
    started = time.monotonic()
    with doing("reference problems") as say:
        found = calibration.calibrate(shipped_measurements.load(), say)
    path = calibration.save(found)
    names = sorted({*found.small, *found.large} - {calibration.ALL})
    rows = [
        (name or "mean", *(f"{each[name]:.2f}" if name in each else "" for each in (found.small, found.large)))
        for name in (*names, calibration.ALL)
    ]
    columns = [Column("solver"), Column(f"n < {calibration.LARGE}", right=True), Column("above", right=True)]
    console = plain_console()
    console.print("Times here over those of the machine that the shipped measurements are from:")
    console.print(TextTable(columns, rows))
    console.print(f"\nKept in {escape(str(path))} after {time.monotonic() - started:.0f} s.", soft_wrap=True)
