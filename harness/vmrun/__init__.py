"""Driver of any `vmrun`: one method per verb, typed results, classified failures.

Entry: `harness.vmrun.driver.Vmrun`, and `harness.vmrun.discovery.find_hypervisor`. `driver` has the methods, with the
verbs by subject in `power`, `snapshots`, `networks`, `runtime` and `guest`. `invocation` makes one call, `parse*` read
its output, and `error_table` selects one of `errors`.
"""
