"""Files in: scenarios and conformance cases, read, checked as a whole and built into a ledger.

==============================  =====================================================================
`load`                          files into `Scenario` and `Case`
`schema`                        JSON Schemas for editors
`documents`, `cases`            what a file may say; `places`, `storage`, `networks`, `shapes`,
                                `requests`, `expectations`: its parts; `base`: their common types
`reading`, `locating`           YAML and JSON into plain data; lines and columns of paths
`hosts_csv`                     hosts as columns
`shape`, `wording`, `faults`    faults of shape, in simclone's words
`validate`                      faults of sense: `resolve`, `config`, `attachments`, `capacities`,
                                `addresses`, `check_vms`, `check_wishes`, `check_requests`, `expand`
`build`                         a checked document into a ledger: `build_storage`, `build_network`,
                                `build_shapes`
==============================  =====================================================================
"""
