/* boot sector: real -> protected -> long mode with paging, page table edit + exception + wrmsr, answers on port 0xE9 */
.code16
.globl _start
_start:
    cli
    xorw %ax,%ax
    movw %ax,%ds
    movw %ax,%es
    movw %ax,%ss
    movw $0x7c00,%sp
    movb $'1',%al
    outb %al,$0xe9
    /* page tables at 0x1000: PML4, 0x2000 PDPT, 0x3000 PD 2MiB pages */
    movw $0x1000,%di
    movw $0x1800,%cx
    xorl %eax,%eax
    cld
    rep stosw
    movl $0x2003,0x1000
    movl $0x3003,0x2000
    movl $0x83,0x3000
    /* long mode */
    movl %cr4,%eax
    orl $0x20,%eax
    movl %eax,%cr4
    movl $0x1000,%eax
    movl %eax,%cr3
    movl $0xC0000080,%ecx
    rdmsr
    orl $0x100,%eax
    wrmsr
    movl %cr0,%eax
    orl $0x80000001,%eax
    lgdt gdtr
    movl %eax,%cr0
    ljmp $8,$long
.code64
long:
    movb $'2',%al
    outb %al,$0xe9
    movw $16,%ax
    movw %ax,%ds
    movw %ax,%es
    movw %ax,%ss
    movw %ax,%fs
    movw %ax,%gs
    movl $0x7c00,%esp
    /* IDT at 0x5000: entry 14 (#PF) and 32 (timer) */
    movl $0x5000+14*16,%edi
    movl $fault,%eax
    call gate
    lidt idtr
    /* fill the second GiB.. map 2 MiB at 1 GiB lazily by page fault: touch 64 pages that the handler maps */
    movl $64,%ecx
    movl $0x200000,%esi
1:  movl %esi,(%rsi)
    cmpl %esi,(%rsi)
    jne bad
    addl $0x200000,%esi
    loop 1b
    movb $'3',%al
    outb %al,$0xe9
    /* user page table reload + wrmsr gs base + swapgs */
    movl $0xC0000101,%ecx
    movl $0x7000,%eax
    xorl %edx,%edx
    wrmsr
    swapgs
    swapgs
    rdmsr
    cmpl $0x7000,%eax
    jne bad
    movl $20000,%ebx
2:  movq %cr3,%rax
    movq %rax,%cr3
    xorl %eax,%eax
    cpuid
    movl $20000,%ebx
    decl count
    jnz 2b
    movb $'4',%al
    outb %al,$0xe9
    movb $'K',%al
    outb %al,$0xe9
    movb $0x10,%al
    outb %al,$0xf4
bad: hlt
    jmp bad
gate:
    movw %ax,(%rdi)
    movl $0x8e000008,2(%rdi)
    shrl $16,%eax
    movw %ax,6(%rdi)
    ret
fault:  /* #PF: map the 2 MiB page of cr2, drop the error code */
    pushq %rax
    pushq %rdx
    movq %cr2,%rax
    movq %rax,%rdx
    shrq $21,%rdx
    andl $0xffe00000,%eax
    orl $0x83,%eax
    movl %eax,0x3000(,%rdx,8)
    popq %rdx
    popq %rax
    addq $8,%rsp
    iretq
count: .long 2000
.align 8
gdt: .quad 0
     .quad 0x00209a0000000000
     .quad 0x0000920000000000
gdtr: .word 23
     .long gdt
idtr: .word 33*16-1
     .quad 0x5000
.org 510
.word 0xaa55
