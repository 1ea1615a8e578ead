"""Recorded workloads and host lists: one file a format, read into common rows of exact integers.

===============  ==========================================================================================
`rows`           the common shape: `VmRow`, `HostRow`, `Batch`
`formats`        the register of formats, and `open_trace`, which recognises the format of a trace
`trace_format`   what a format is: how it is recognised, and how it is read
`azure`          a window of the Azure VM trace of 2017; `azure_files`: which of its files is which
`huawei`         Huawei-East-1
`openb`          hosts and pods of Alibaba's openb cluster
`plain`          a plain table anybody can write, read and written
`mapped`         any other table, read by a column map; `column_map`: what a map may say
`batches`        rows into requests for several copies of one shape
`cutting`        a window, a share, another pace of a trace
`table`          the reader of comma-separated tables, for every format, host list and course of use
`lines`          text read one line at a time, and the list of faults found in it
`numbers`        exact numbers out of text
===============  ==========================================================================================

Every reader is a generator that holds one line (of Azure: one slot), takes gzip, a byte order mark and CRLF,
and raises `InvalidInput` for a file of another shape.
"""
