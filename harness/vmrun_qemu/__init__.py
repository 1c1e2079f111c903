"""vmrun-qemu: the programs `vmrun` and `vmware-vdiskmanager` of VMware, on QEMU.

A program of its own: it shares VMware's file formats and the identity of processes with the harness and nothing else,
and the harness knows it only as an executable. `vmrun-qemu start x.vmx nogui` reads the same VMX, boots the same disk
and ISO, and prints the same messages and exit codes as VMware's tool. Its packages, highest layer first; each imports
lower layers only:

    main                      the command line: flags before the verb, usage, exit codes
    commands                  the verbs, one module per group of VMware's documentation
    faults                    failures and wrong answers on demand, for tests of a driver
    supervisor                the process per running VM: starts QEMU, carries out requests, cleans up at power-off
    client                    the commands' connection to a supervisor, and to the guest agent behind it
    vdiskmanager              the second program: virtual disks
    state                     the inventory of running VMs, their power state, recovery after a crash
    network                   virtual networks: the daemon per network in use, its switch, gateway and capture
    disks                     disk images and backing chains through qemu-img: snapshots, clones, consolidation
    qemu                      finds QEMU and an accelerator, builds its arguments, speaks QMP and to the guest agent
    vmfiles                   the files of a VM directory: devices, `.vmsd`, `.vmss`, locks, `vmware.log`
    base, verbs               messages, home, records, processes, endpoints, daemons, waiting; the verb table

Environment:

    VMRUN_QEMU_HOME          directory of the state files; VMs of another home are invisible (`base.home`)
    VMRUN_QEMU_NETWORKS      subnets, stronger than `defineNetwork`: `vmnet1=192.168.6.0/24,vmnet2=10.0.0.0/24`
    VMRUN_QEMU_BIN           the `qemu-system-x86_64` to use (`qemu.locate`)
    VMRUN_QEMU_ACCEL         `tcg`, `kvm`, `whpx` or `hvf`, without a probe (`qemu.accelerator`)
    VMRUN_QEMU_TCG_THREADS   `multi` or `single`, whatever the version of QEMU (`qemu.accelerator`)
    VMRUN_QEMU_FAULTS        faults to inject, as they occur with VMware's `vmrun` (`faults.injection`)
    VMRUN_QEMU_SCREEN        `without-login`: `captureScreen` works without Tools and without a login
    VMRUN_QEMU_SOFT_STOP_S   how long `stop soft` waits for the guest; 180
    VMRUN_QEMU_WAIT_S        how long `getGuestIPAddress -wait` waits; 3600
    VMRUN_QEMU_PROGRAM_S     how long `runProgramInGuest` and `runScriptInGuest` wait for the program; 3600
"""
