# os: folders of descriptors, links, attributes, pseudo-terminals, spawning, scheduling, events; hostile arguments.
import errno, os, posix, pty, signal, stat, sys, tempfile, termios, warnings

def show(call, *args, **kwargs):
    try:
        return call(*args, **kwargs)
    except Exception as error:
        return f"{type(error).__name__}: {error}"

folder = tempfile.mkdtemp()
fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
os.mkdir("d", dir_fd=fd)
os.close(os.open("f", os.O_CREAT | os.O_WRONLY, 0o640, dir_fd=fd))
os.symlink("f", "link", dir_fd=fd)
os.link("f", "hard", src_dir_fd=fd, dst_dir_fd=fd)
os.mkfifo("fifo", dir_fd=fd)
print(sorted(os.listdir(fd)), sorted(entry.name for entry in os.scandir(fd)))
print(sorted((e.name, e.path, e.is_dir(), e.is_symlink(), e.is_dir() or e.stat().st_size) for e in os.scandir(fd)))
print(os.readlink("link", dir_fd=fd), stat.S_ISLNK(os.stat("link", dir_fd=fd, follow_symlinks=False).st_mode))
print(os.access("f", os.R_OK, dir_fd=fd, effective_ids=True), os.stat("f", dir_fd=fd).st_nlink)
os.chmod("f", 0o600, dir_fd=fd)
os.utime("f", ns=(10**9 + 5, 2 * 10**9 + 7), dir_fd=fd)
found = os.stat("f", dir_fd=fd)
print(oct(found.st_mode), found.st_atime_ns, found.st_mtime_ns, found.st_atime)
os.rename("f", "g", src_dir_fd=fd, dst_dir_fd=fd)
os.unlink("hard", dir_fd=fd)
os.rmdir("d", dir_fd=fd)
print(sorted(os.listdir(folder)), os.statvfs(folder).f_namemax == os.fstatvfs(fd).f_namemax)
print(os.pathconf(folder, "PC_NAME_MAX") == os.fpathconf(fd, "PC_NAME_MAX"), os.sysconf("SC_PAGESIZE") > 0)
for call in (os.open, os.stat, os.mkdir, os.rename, os.link, os.utime, os.chmod, os.chown, os.access, os.readlink):
    print(call.__name__, call in os.supports_dir_fd, call in os.supports_fd, call in os.supports_follow_symlinks)
print(show(os.stat, 1.5), show(os.stat, 0, dir_fd=3), show(os.stat, "a", dir_fd="x"), show(os.stat, "a\0b"))
print(show(os.utime, "a", (1, 2, 3)), show(os.utime, "a", (1, 2), ns=(1, 2)), show(os.listdir, 1.5))
print(show(os.rename, "/none/a", "/none/b"), show(os.mkfifo, "/none/a"), show(os.pathconf, "/", "PC_X"))
print(show(os.setuid, -2), show(os.chown, "a", "b", 1), show(os.putenv, "a=b", "c"), show(os.posix_spawn, "a", 1, {}))
print(*map(ascii, (os.path.normpath("a/./b/../\udfffc"), os.path.normpath("//a\0/.."), posix._path_splitroot_ex("//\ud800/b"))))

class Fake:
    __fspath__ = None

print(show(os.fspath, Fake()))
pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 3"], os.environ, setsigdef=[signal.SIGPIPE], setpgroup=0)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), show(os.posix_spawn, "/bin/true", ["x"], {}, file_actions=[(9,)]))
event = os.eventfd(3)
os.eventfd_write(event, 4)
print(os.eventfd_read(event), show(os.eventfd, -1), os.sched_param(sched_priority=2), show(os.sched_param))
memory = os.memfd_create("name")
print(os.pwritev(memory, [b"abc", b"def"], 0), os.preadv(memory, [bytearray(2), bytearray(9)], 1), os.pread(memory, 3, 2))
print(show(os.copy_file_range, memory, memory, -1))
master, slave = os.openpty()
mode = termios.tcgetattr(slave)
print(len(mode), len(mode[6]), mode[6][termios.VEOF], termios.tcsetwinsize(slave, (24, 80)), os.get_terminal_size(slave))
mode[3] &= ~termios.ICANON
termios.tcsetattr(slave, termios.TCSANOW, mode)
print(termios.tcgetattr(slave)[6][termios.VMIN], show(termios.tcsetattr, slave, 0, []), show(termios.tcgetattr, fd))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    iterator = os.scandir(folder)
    next(iterator)
    del iterator
print([w.category.__name__ for w in caught])
pid, fd = pty.fork()
if pid == 0:
    os.write(1, b"child %d" % os.isatty(0))
    os._exit(0)
print(os.read(fd, 100), os.waitpid(pid, 0)[1])
