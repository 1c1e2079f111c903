"""The operating system: processes, signals, ports, files, and the parts that only Windows has.

Entry: `harness.system.process.run`, `HeldPorts`. Each side effect has one module, and tests replace it there.
"""
