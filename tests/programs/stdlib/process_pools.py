# multiprocessing and concurrent.futures on every way to start a process.
import concurrent.futures, multiprocessing, os, sys, time
from multiprocessing import shared_memory

def square(x):
    return x * x

def child(queue, lock, event, connection):
    with lock:
        connection.send(("from child", os.getpid() != os.getppid()))
    event.set()
    queue.put(sorted({"a": 1, "b": 2}.items()))

def fail(x):
    raise ValueError(f"bad {x}")

def fill(name):
    memory = shared_memory.SharedMemory(name=name)
    memory.buf[:4] = b"abcd"
    memory.close()

def main():
    for method in ("fork", "spawn", "forkserver"):
        context = multiprocessing.get_context(method)
        with context.Pool(2) as pool:
            print(method, pool.map(square, range(8)), pool.apply(square, (9,)))
            try:
                pool.apply(fail, (1,))
            except ValueError as error:
                print("raised", error)
        queue, lock, event = context.Queue(), context.Lock(), context.Event()
        ours, theirs = context.Pipe()
        process = context.Process(target=child, args=(queue, lock, event, theirs))
        process.start()
        print(queue.get(), ours.recv(), event.wait(10))
        process.join()
        print(process.exitcode)
        memory = shared_memory.SharedMemory(create=True, size=16)
        process = context.Process(target=fill, args=(memory.name,))
        process.start()
        process.join()
        print(bytes(memory.buf[:4]))
        memory.close()
        memory.unlink()
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as executor:
            print(list(executor.map(square, range(5))), executor.submit(fail, 2).exception())
    lock = multiprocessing.RLock()
    print(lock.acquire(), lock.acquire(), lock.release(), lock.release())
    try:
        lock.release()
    except AssertionError as error:
        print(error)
    semaphore = multiprocessing.BoundedSemaphore(1)
    print(semaphore.acquire(), semaphore.acquire(timeout=0.01), semaphore.release())
    try:
        semaphore.release()
    except ValueError as error:
        print(error)

if __name__ == "__main__":
    main()
