"""Workloads: what is asked of a cloud, and when.

====================  =====================================================================================
`distributions`       laws out of plain data, by inverse transform; `laws`, `values`, `recorded`: its parts
`courses`             how much of what it was given a VM uses over time
`arrivals`            when requests come; `clock`, `hours`, `bursts`: its parts
`streams`             `StreamSpec` into `Arrival`s; `draws`: the uniforms, `replay`: a trace as a stream
`fit`                 a recorded trace into a stream that resembles it; `goodness`: how well
`failure_presets`     published laws of failures and repairs
====================  =====================================================================================

Recorded traces are read in `simclone.traces`; `open_trace` is its reader of any of them.
"""

from simclone.traces.formats import open_trace

__all__ = ["open_trace"]
