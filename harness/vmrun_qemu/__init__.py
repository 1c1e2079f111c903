"""vmrun-qemu: VMware's `vmrun` and `vmware-vdiskmanager`, spoken by QEMU.

A program of its own: it shares the VMX reader with the harness and nothing else, and the harness knows it only as an
executable. `vmrun-qemu start x.vmx nogui` reads the same VMX, boots the same disk and ISO, and answers in the same
words and exit codes as VMware's tool.

    main            grammar: flags before the verb, usage, exit codes; one line per verb in `verbs`
    power, tools, netverbs, screen    what the verbs do
    supervisor      one process per running machine: starts QEMU, and does at power-off what VMware does
    keeper          one process per virtual network in use: holds the switch that the machines are plugged into
    hardware        VMX -> QEMU arguments, a table per device class (pure)
    instances, home, networks, locks  the files: what runs, what is remembered, what is locked
    qmp, agent      QEMU's machine protocol, the guest agent
    process, wait   the one door for processes, the one for waiting
"""
