"""multiprocessing and concurrent.futures: pools by fork, spawn and forkserver; queues, managers, shared memory, errors."""
import concurrent.futures
import multiprocessing
import os
from multiprocessing import shared_memory


def square(number):
    return number * number


def fail(number):
    raise ValueError("bad", number)


def fill(queue, event, count):
    event.wait()
    for number in range(count):
        queue.put((number, "x" * number))


def shared(name):
    block = shared_memory.SharedMemory(name)
    block.buf[0] = 42
    block.close()


def main():
    for method in ("fork", "spawn", "forkserver"):
        context = multiprocessing.get_context(method)
        with context.Pool(3) as pool:
            print(method, pool.map(square, range(20)), sorted(pool.imap_unordered(square, range(5), chunksize=2)), pool.starmap(pow, [(2, 3), (3, 2)]))
            print(pool.apply_async(square, (7,)).get(30), len(set(pool.map(os.getpgid, [0] * 3))))
            try:
                pool.apply(fail, (1,))
            except ValueError as error:
                print(repr(error), type(error.__cause__).__name__)
        queue, event = context.Queue(), context.Event()
        process = context.Process(target=fill, args=(queue, event, 4), name="filler")
        process.start()
        event.set()
        print([queue.get(timeout=30) for _ in range(4)], process.name)
        process.join()
        print(process.exitcode, process.is_alive())
        with context.Manager() as manager:
            values, names = manager.list([3, 1, 2]), manager.dict(a=1)
            values.sort()
            names["b"] = values
            print(list(values), names.keys())
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as executor:
            print(list(executor.map(square, range(6))), executor.submit(os.path.join, "a", "b").result())
            print(repr(executor.submit(fail, 2).exception()))
        block = shared_memory.SharedMemory(create=True, size=16)
        process = context.Process(target=shared, args=(block.name,))
        process.start()
        process.join()
        print(block.buf[0], process.exitcode)
        block.close()
        block.unlink()
    ours, theirs = multiprocessing.Pipe()
    ours.send({"a": [1, 2]})
    print(theirs.recv(), theirs.poll(0))


if __name__ == "__main__":
    main()
