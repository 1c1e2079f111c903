"""VMware's file formats as text: VMX, VMDK, linked clones.

Entry: `Vmx`, `inspect_disk`. Pure: no process is started and no VM is changed.
"""
