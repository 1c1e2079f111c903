# A guest of one boot sector that counts: its boots in the second sector of its disk, the timer's ticks in its memory.
#
# Each tick it writes one line to COM1: `B<boots> N<number drawn at this boot> T<ticks>`, four hexadecimal digits each.
.code16
.globl _start
_start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $0x7c00, %sp
    movb %dl, 0x7000
    rdtsc
    movw %ax, 0x7002
    movw $0, 0x7004
    movw $0x0201, %ax          # read the second sector to 0x8000
    call disk
    incw 0x8000
    movw $0x0301, %ax          # and write it back
    call disk
tick:
    sti
    hlt
    cli
    incw 0x7004
    movb $'B', %al
    movw 0x8000, %bx
    call word
    movb $'N', %al
    movw 0x7002, %bx
    call word
    movb $'T', %al
    movw 0x7004, %bx
    call word
    movb $'\n', %al
    call byte
    jmp tick
disk:
    movw $0x8000, %bx
    movw $0x0002, %cx
    movb $0, %dh
    movb 0x7000, %dl
    int $0x13
    ret
word:                          # the letter in AL, BX in hexadecimal, a blank
    call byte
    movw $4, %cx
1:  rolw $4, %bx
    movb %bl, %al
    andb $15, %al
    cmpb $10, %al
    jb 2f
    addb $39, %al
2:  addb $48, %al
    call byte
    loop 1b
    movb $' ', %al
byte:                          # AL to COM1
    movw $0x3f8, %dx
    outb %al, %dx
    ret
