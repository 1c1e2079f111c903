"""What the inventory of a good guest prints."""

from __future__ import annotations

GOOD_INVENTORY = """\
== block
sda 83886080
sr0 2097151
== cards
ens32
== addresses
2: ens32    inet 192.168.6.10/24 brd 192.168.6.255 scope global ens32\\       valid_lft forever preferred_lft forever
== routes
default via 192.168.6.1 dev ens32 proto static
192.168.6.0/24 dev ens32 proto kernel scope link src 192.168.6.10
local 192.168.6.10 dev ens32 table local proto kernel scope host src 192.168.6.10
broadcast 192.168.6.255 dev ens32 table local proto kernel scope link src 192.168.6.10
local ::1 dev lo table local proto kernel metric 0 pref medium
== rules
0:	from all lookup local
32766:	from all lookup main
32767:	from all lookup default
0:	from all lookup local
32766:	from all lookup main
== listeners
tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=400,fd=3))
tcp LISTEN 0 128 [::]:22 [::]:* users:(("sshd",pid=400,fd=4))
== accounts
root /root locked
ubuntu /home/ubuntu locked
== keys
ubuntu ssh-ed25519 AAAAKEY lab
== sshd
root passwordauthentication no
root permitrootlogin no
root authorizedkeysfile .ssh/authorized_keys .ssh/authorized_keys2
root authorizedkeyscommand none
root trustedusercakeys none
ubuntu passwordauthentication no
ubuntu permitrootlogin no
== matches
== sshd-age
1768210300 1768210200
== tries
root root@192.168.6.10: Permission denied (publickey).
ubuntu ubuntu@192.168.6.10: Permission denied (publickey).
== neighbour
root root@192.168.6.11: Permission denied (publickey).
ubuntu ubuntu@192.168.6.11: Permission denied (publickey).
== enabled
ssh enabled
ssh disabled
net enabled
== sysctl
net.ipv4.ip_forward = 1
net.bridge.bridge-nf-call-iptables=1
== modules
overlay
br_netfilter
== network
addresses: [192.168.6.10/24]
== shadows
== end
"""
