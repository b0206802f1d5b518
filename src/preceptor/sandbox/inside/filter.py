"""The system call filter: what a program may ask of the kernel. Everything that is not named here is refused.

A list of what is allowed, because kernels gain system calls with every release. Numbers are from the kernel's
`unistd_64.h` (x86-64) and `asm-generic/unistd.h` (ARM64), written `name=x86-64/ARM64`; an empty side has none.
"""

import errno
import struct

ALLOWED = """
read=0/63 write=1/64 open=2/ close=3/57 stat=4/ fstat=5/80 lstat=6/ poll=7/ lseek=8/62 mmap=9/222 mprotect=10/226
munmap=11/215 brk=12/214 rt_sigaction=13/134 rt_sigprocmask=14/135 rt_sigreturn=15/139 pread64=17/67 pwrite64=18/68
readv=19/65 writev=20/66 access=21/ pipe=22/ select=23/ sched_yield=24/124 mremap=25/216 msync=26/227 mincore=27/232
madvise=28/233 dup=32/23 dup2=33/ pause=34/ nanosleep=35/101 getitimer=36/102 alarm=37/ setitimer=38/103 getpid=39/172
sendfile=40/71 sendto=44/206 recvfrom=45/207 sendmsg=46/211 recvmsg=47/212 shutdown=48/210 getsockname=51/204
getpeername=52/205 setsockopt=54/208 getsockopt=55/209 fork=57/ vfork=58/ execve=59/221 exit=60/93 wait4=61/260
kill=62/129 uname=63/160 fcntl=72/25 flock=73/32 fsync=74/82 fdatasync=75/83 truncate=76/45 ftruncate=77/46
getdents=78/ getcwd=79/17 chdir=80/49 fchdir=81/50 rename=82/ mkdir=83/ rmdir=84/ creat=85/ link=86/ unlink=87/
symlink=88/ readlink=89/ chmod=90/ fchmod=91/52 chown=92/ fchown=93/55 lchown=94/ umask=95/166 gettimeofday=96/169
getrlimit=97/163 getrusage=98/165 sysinfo=99/179 times=100/153 getuid=102/174 getgid=104/176 setuid=105/146
setgid=106/144 geteuid=107/175 getegid=108/177 setpgid=109/154 getppid=110/173 getpgrp=111/ setsid=112/157
setreuid=113/145 setregid=114/143 getgroups=115/158 setgroups=116/159 setresuid=117/147 getresuid=118/148
setresgid=119/149 getresgid=120/150 getpgid=121/155 setfsuid=122/151 setfsgid=123/152 getsid=124/156 capget=125/90
rt_sigpending=127/136 rt_sigtimedwait=128/137 rt_sigqueueinfo=129/138 rt_sigsuspend=130/133 sigaltstack=131/132
utime=132/ statfs=137/43 fstatfs=138/44 getpriority=140/141 setpriority=141/140 sched_setparam=142/118
sched_getparam=143/121 sched_setscheduler=144/119 sched_getscheduler=145/120 sched_get_priority_max=146/125
sched_get_priority_min=147/126 sched_rr_get_interval=148/127 mlock=149/228 munlock=150/229 prctl=157/167 arch_prctl=158/
setrlimit=160/164 gettid=186/178 readahead=187/213 getxattr=191/8 lgetxattr=192/9 fgetxattr=193/10 listxattr=194/11
llistxattr=195/12 flistxattr=196/13 tkill=200/130 time=201/ futex=202/98 sched_setaffinity=203/122
sched_getaffinity=204/123 epoll_create=213/ getdents64=217/61 set_tid_address=218/96 restart_syscall=219/128
fadvise64=221/223 timer_create=222/107 timer_settime=223/110 timer_gettime=224/108 timer_getoverrun=225/109
timer_delete=226/111 clock_gettime=228/113 clock_getres=229/114 clock_nanosleep=230/115 exit_group=231/94
epoll_wait=232/
epoll_ctl=233/21 tgkill=234/131 utimes=235/ waitid=247/95 ioprio_get=252/31 openat=257/56 mkdirat=258/34 fchownat=260/54
futimesat=261/ newfstatat=262/79 unlinkat=263/35 renameat=264/38 linkat=265/37 symlinkat=266/36 readlinkat=267/78
fchmodat=268/53 faccessat=269/48 pselect6=270/72 ppoll=271/73 set_robust_list=273/99 get_robust_list=274/100
splice=275/76 tee=276/77 utimensat=280/88 epoll_pwait=281/22 timerfd_create=283/85 eventfd=284/ fallocate=285/47
timerfd_settime=286/86 timerfd_gettime=287/87 signalfd=282/ signalfd4=289/74 eventfd2=290/19 epoll_create1=291/20
dup3=292/24 pipe2=293/59 preadv=295/69 pwritev=296/70 rt_tgsigqueueinfo=297/240 recvmmsg=299/243 prlimit64=302/261
sendmmsg=307/269 getcpu=309/168 sched_setattr=314/274 sched_getattr=315/275 renameat2=316/276 getrandom=318/278
membarrier=324/283 mlock2=325/284 copy_file_range=326/285 preadv2=327/286 pwritev2=328/287 statx=332/291 rseq=334/293
pidfd_send_signal=424/424 pidfd_open=434/434 close_range=436/436 openat2=437/437 faccessat2=439/439 epoll_pwait2=441/441
futex_waitv=449/449
"""
ABSENT = {"clone3": (435, 435)}
"""Answered "no such call": its flags lie in memory, where a filter cannot look, and libc then takes `clone`."""
IN_PART = {"clone": (56, 220), "socketpair": (53, 199), "ioctl": (16, 29)}
NEW_NAMESPACES = 0x7E020080  # CLONE_NEW* of linux/sched.h, CLONE_NEWTIME with them
AF_UNIX = 1
TERMINAL_INPUT = (0x5412, 0x541C)  # TIOCSTI and TIOCLINUX: typing into somebody else's terminal

ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
X32_BIT = 0x40000000

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND = 0, 4, 16, 24


def _step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def _give(verdict: int) -> bytes:
    return _step(_RETURN, verdict)


def allowed_numbers(machine: str) -> list[int]:
    side = ARCHITECTURES[machine][0]
    numbers = (entry.split("=")[1].split("/")[side] for entry in ALLOWED.split())
    return sorted(int(number) for number in numbers if number)


def program(machine: str) -> bytes:
    """The filter as BPF, for `seccomp(2)` or a bubblewrap that is given it as a file.

    A call of another architecture ends the process: its numbers mean something else.
    """
    side, architecture = ARCHITECTURES[machine]
    refused = _ERROR | errno.EPERM
    steps = [_step(_LOAD, _ARCHITECTURE), _step(_EQUAL, architecture, yes=1), _give(_KILL), _step(_LOAD, _NUMBER)]
    steps += [_step(_AT_LEAST, X32_BIT, no=1), _give(_KILL)]
    for numbers in ABSENT.values():
        steps += [_step(_EQUAL, numbers[side], no=1), _give(_ERROR | errno.ENOSYS)]
    # Each block of a call that is judged by an argument ends in a verdict, so the number need not be loaded again.
    steps += [_step(_EQUAL, IN_PART["clone"][side], no=4), _step(_LOAD, _FIRST)]
    steps += [_step(_ANY_BIT, NEW_NAMESPACES, no=1), _give(refused), _give(_ALLOW)]
    steps += [_step(_EQUAL, IN_PART["socketpair"][side], no=4), _step(_LOAD, _FIRST)]
    steps += [_step(_EQUAL, AF_UNIX, no=1), _give(_ALLOW), _give(refused)]
    steps += [_step(_EQUAL, IN_PART["ioctl"][side], no=5), _step(_LOAD, _SECOND)]
    steps += [_step(_EQUAL, TERMINAL_INPUT[0], yes=1), _step(_EQUAL, TERMINAL_INPUT[1], no=1), _give(refused)]
    steps += [_give(_ALLOW)]
    for number in allowed_numbers(machine):
        steps += [_step(_EQUAL, number, no=1), _give(_ALLOW)]
    steps += [_give(refused)]
    return b"".join(steps)
