"""vmrun-qemu: VMware's `vmrun` and `vmware-vdiskmanager`, spoken by QEMU.

A program of its own: it shares the VMX reader and the process identity with the harness and nothing else, and the
harness knows it only as an executable. `vmrun-qemu start x.vmx nogui` reads the same VMX, boots the same disk and ISO,
and answers in the same words and exit codes as VMware's tool.

    texts                 VMware's words
    main                  grammar: flags before the verb, usage, exit codes; a table with one row per verb
    power, tools, netverbs, services, traffic, screen, variables, named, refusals, extras     what the verbs do
    guestprograms, guestfiles, guestcopy         what is done in the guest, by way of
    guestshell                                   a shell as the guest user whose password the guest has checked
    suspending, snapverbs, lifecycle             suspend, pause, unpause; the snapshot verbs; clone, upgradevm, deleteVM
    faults, lies                                 failures and lies on demand, for tests of what drives this
    supervisor, poweron, powerup                 one process per running machine: starts QEMU, and does at power-off
                                                 what VMware does
    control, orders, running, live               what commands have done to a running machine by its supervisor:
    plugging, keyboard                           stand still, be plugged, be typed on
    statefile, memory                            saved machines: `.vmss`, `.vmsn`
    site, snapshots, consolidation, clones       what snapshots and clones do to a machine's files
    vmsd, vmdk                                   the tree of snapshots, and a disk's words about its parent (pure)
    recovery              what is done about a machine whose supervisor was killed
    keeper, switch        one process per virtual network in use: the switch that the machines are plugged into,
    crossing, pipe        what crosses to its gateway, and one connection to a service of the host
    devices, identity, hardware                  VMX -> devices -> QEMU arguments, a table per device class (pure)
    home, instances, networks, vmlocks, vmlog, vmfiles    files: what runs, what is remembered, locked, logged
    guest, service, agent how a question reaches the guest's agent: by way of the supervisor, which keeps the line
    qmp, lines, endpoint  QEMU's machine protocol, JSON lines, where they listen
    qemu, accelerator, probe_sector              which QEMU, which accelerator, and the guest that proves it
    vdiskmanager, images, imagetool, overlays    virtual disks, through qemu-img
    process, wait         the one door for processes, the one door for waiting

Environment:

    VMRUN_QEMU_HOME          where it is remembered what runs; machines of another home are invisible (`home`)
    VMRUN_QEMU_NETWORKS      subnets, stronger than `defineNetwork`: `vmnet1=192.168.6.0/24,vmnet2=10.0.0.0/24`
    VMRUN_QEMU_BIN           the `qemu-system-x86_64` to use (`qemu`)
    VMRUN_QEMU_ACCEL         `tcg`, `kvm`, `whpx` or `hvf`, without proof (`accelerator`)
    VMRUN_QEMU_TCG_THREADS   `multi` or `single`, whatever the version of QEMU (`accelerator`)
    VMRUN_QEMU_FAULTS        what is to go wrong, as it does with VMware's `vmrun` (`faults`)
    VMRUN_QEMU_SCREEN        `anybody`: `captureScreen` works without Tools and without a login
    VMRUN_QEMU_SOFT_STOP_S   how long `stop soft` waits for the guest; 180
    VMRUN_QEMU_WAIT_S        how long `getGuestIPAddress -wait` waits; 3600
    VMRUN_QEMU_PROGRAM_S     how long `runProgramInGuest` and `runScriptInGuest` wait for the program; 3600
"""
