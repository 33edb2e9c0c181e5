/**
 * Random histories of open, write, close, fsync, dup and fork by several
 * processes, one step at a time, played on a device and on an export of another
 * one. Each fsync must give the same result on both.
 *
 * @module
 */

/**
 * The program, in Python because it forks. Arguments: the device, the export,
 * a seed, the number of histories, the size of the good part, the start of the
 * lost one. It prints one line of figures, or the steps of a history that
 * differs, and ends with 1.
 */
export const HISTORIES: string = `
import errno, os, random, socket, sys
device, export = sys.argv[1:3]
seed, count, good, lost = map(int, sys.argv[3:7])
PROCESSES = 5
HANDLES = 6
BLOCK = b"w" * 4096

def result(call, *args):
    try:
        call(*args)
        return 0
    except OSError as error:
        return error.errno

ends = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(PROCESSES)]

def serve(number, files):
    "A client: does what it is told to both files."
    while True:
        step = ends[number][1].recv(200).decode().split()
        if not step:
            os._exit(0)
        a = b = 0
        do, args = step[0], list(map(int, step[1:]))
        if do == "open":
            files[args[0]] = (os.open(device, args[1]), os.open(export, args[1]))
        elif do == "dup":
            files[args[1]] = tuple(map(os.dup, files[args[0]]))
        elif do == "write":
            for fd in files[args[0]]:
                os.pwrite(fd, BLOCK, args[1])
        elif do == "fsync":
            a, b = (result(os.fsync, fd) for fd in files[args[0]])
        elif do == "close":
            a, b = (result(os.close, fd) for fd in files.pop(args[0]))
        elif do == "fork":
            if os.fork() == 0:
                number = args[0]
        elif do == "exit":
            for pair in files.values():
                for fd in pair:
                    result(os.close, fd)
        ends[number][1].send(b"%d %d" % (a, b))
        if do == "exit":
            os._exit(0)

class Clients:
    def __init__(self):
        self.files = {}
        self.next = 0
        self.pids = []
    def start(self, number):
        pid = os.fork()
        if pid == 0:
            serve(number, {})
        self.files[number] = {}
        self.pids.append(pid)
    def tell(self, number, *step):
        ends[number][0].send(" ".join(map(str, step)).encode())
        return tuple(map(int, ends[number][0].recv(200).split()))
    def handles(self):
        return [(n, h) for n in self.files for h in self.files[n]]

def settle(path):
    fd = os.open(path, os.O_RDWR)
    while result(os.fsync, fd):
        pass
    os.close(fd)

def play(chance, name):
    "Plays a history; returns how many fsyncs it had, and how many failed."
    settle(device)
    settle(export)
    keep = os.open(device, os.O_RDWR) if chance.random() < 0.6 else None
    clients = Clients()
    log = []
    fsyncs = failed = 0
    starts = chance.randint(1, 3)
    for number in range(starts):
        clients.start(number)
    for _ in range(chance.randint(5, 40)):
        kind = chance.random()
        handles = clients.handles()
        free = [n for n in range(PROCESSES) if n not in clients.files]
        if not clients.files:
            break
        if not handles or (kind < 0.18 and len(handles) < HANDLES):
            number = chance.choice(list(clients.files))
            flags = chance.choice([os.O_RDWR, os.O_RDWR, os.O_WRONLY, os.O_RDONLY])
            clients.next += 1
            clients.tell(number, "open", clients.next, flags)
            clients.files[number][clients.next] = flags
            log.append((number, "open", clients.next, flags))
            continue
        number, handle = chance.choice(handles)
        flags = clients.files[number][handle]
        if kind < 0.24 and len(handles) < HANDLES:
            clients.next += 1
            clients.tell(number, "dup", handle, clients.next)
            clients.files[number][clients.next] = flags
            log.append((number, "dup", handle, clients.next))
        elif kind < 0.28 and free:
            log.append((number, "fork", free[0]))
            clients.tell(number, "fork", free[0])
            # The reply of the child's first request shows that it is there.
            assert ends[free[0]][0].recv(200)
            clients.files[free[0]] = dict(clients.files[number])
        elif kind < 0.56 and flags != os.O_RDONLY:
            loses = chance.random() < 0.65
            first, blocks = (lost, 10000) if loses else (0, good // 4096)
            where = first + chance.randrange(blocks) * 4096
            log.append((number, "lose" if loses else "write", handle))
            clients.tell(number, "write", handle, where)
        elif kind < 0.66:
            a, b = clients.tell(number, "close", handle)
            log.append((number, "close", handle, a, b))
            assert a == 0 and (flags != os.O_RDONLY or b == 0), log
            del clients.files[number][handle]
        elif kind < 0.68 and len(clients.files) > 1:
            log.append((number, "exit"))
            clients.tell(number, "exit")
            del clients.files[number]
        else:
            a, b = clients.tell(number, "fsync", handle)
            log.append((number, "fsync", handle, a, b))
            fsyncs += 1
            failed += a != 0
            if a != b:
                print("history", name, "differs:", log)
                sys.exit(1)
    for number in clients.files:
        clients.tell(number, "exit")
    for pid in clients.pids:
        os.waitpid(pid, 0)
    if keep is not None:
        os.close(keep)
    return fsyncs, failed

fsyncs = failed = 0
for i in range(count):
    more = play(random.Random(seed * 1000003 + i), i)
    fsyncs += more[0]
    failed += more[1]
print(count, "histories,", fsyncs, "fsyncs,", failed, "failed on both")
`;
