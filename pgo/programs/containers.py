"""Lists, dictionaries, sets and what works on them."""
import bisect
import collections
import heapq
import itertools

from training import train

WORDS = "the quick brown fox jumps over the lazy dog while seventeen other animals look on in some surprise".split()
NUMBERS = [(i * 7919) % 1009 for i in range(400)]


def lists():
    values = []
    for n in NUMBERS:
        values.append(n)
        if n % 3 == 0:
            values.pop()
        if n % 50 == 0:
            values.insert(1, n)
    values.extend(range(20))
    values[2:5] = [1, 2]
    del values[3], values[-4:-2]
    values.reverse()
    copied = values[:] + values[::2] + [0] * 10
    for i in range(len(copied)):
        copied[i] += copied[-i - 1]
    return copied.index(copied[5]), copied.count(0), 7 in copied, values == copied, values < copied, copied.copy()


def sorting():
    return sorted(NUMBERS), sorted(WORDS), sorted(WORDS, key=len), sorted(NUMBERS, key=lambda n: -n), \
        sorted(zip(WORDS, NUMBERS)), sorted((float(n) for n in NUMBERS), reverse=True)


def dictionaries():
    table = {}
    for word in WORDS * 4:
        table[word] = table.get(word, 0) + 1
    for n in NUMBERS:
        table[n] = n
    for n in NUMBERS[::3]:
        table.pop(n, None)
    merged = table | {"x": 1, **{"y": 2}}
    merged.update(z=3)
    merged.setdefault("list", []).append(1)
    total = 0
    for key, value in merged.items():
        if key in table and not isinstance(value, list):
            total += value
    return total, list(table.values()), {v: k for k, v in table.items()}, sum(k is None for k in table), len(merged), \
        table == merged, dict(zip(WORDS, NUMBERS)), dict.fromkeys(WORDS)


def grids():
    cells = {}
    for x in range(20):
        for y in range(20):
            cells[x, y] = x ^ y
    return sum(cells.get((x + 1, y), 0) + cells[x, y] for x, y in cells)


def sets():
    evens, threes = set(range(0, 300, 2)), {n for n in range(300) if n % 3 == 0}
    words = frozenset(WORDS)
    for n in NUMBERS:
        if n in evens:
            evens.discard(n)
        else:
            evens.add(n)
    return evens & threes, evens | threes, evens - threes, evens ^ threes, evens <= threes, "fox" in words, len(words), sorted(threes)


def comprehensions():
    return [n * 2 for n in NUMBERS if n % 2], {n: str(n) for n in NUMBERS[:50]}, {n % 17 for n in NUMBERS}, \
        [(a, b) for a in range(12) for b in range(a) if a % (b + 1) == 0], sum(n for n in NUMBERS)


def unpacking():
    total = 0
    for (a, b), c in zip(zip(NUMBERS, NUMBERS[1:]), range(200)):
        first, *middle, last = a, b, c, 4
        a, b = b, a
        total += first + last + len(middle) + a - b
    return total


def iterating():
    total = 0
    for i, n in enumerate(NUMBERS):
        total += i * n
    for a, b in zip(NUMBERS, reversed(NUMBERS), strict=True):
        total += a - b
    for word in WORDS:
        for letter in word:
            total += letter == "o"
    iterator = iter(NUMBERS)
    while (n := next(iterator, None)) is not None:
        total += n
    return total, list(filter(None, NUMBERS)), list(map(str, NUMBERS[:40])), list(range(10, 0, -2))


def collected():
    counts = collections.Counter(WORDS)
    counts.update("letters of a word")
    groups = collections.defaultdict(list)
    for word in WORDS:
        groups[len(word)].append(word)
    queue = collections.deque(NUMBERS[:50], maxlen=40)
    for n in NUMBERS[:100]:
        queue.append(n)
        queue.appendleft(queue.pop())
        queue.popleft()
    order = collections.OrderedDict.fromkeys(WORDS)
    order.move_to_end("fox")
    chain = collections.ChainMap({"a": 1}, groups)
    return counts.most_common(3), chain["a"], list(order), counts + counts, sum(queue)


def heaps():
    heap = []
    for n in NUMBERS:
        heapq.heappush(heap, (n, WORDS[n % len(WORDS)]))
    out = [heapq.heappop(heap) for _ in range(100)]
    keys = sorted(NUMBERS)
    for n in NUMBERS[:60]:
        bisect.insort(keys, n)
    return out, heapq.nsmallest(5, NUMBERS), heapq.nlargest(5, NUMBERS, key=lambda n: n % 100), bisect.bisect_left(keys, 77)


def iterators():
    return list(itertools.chain(NUMBERS, WORDS)), list(itertools.islice(itertools.count(3), 50)), \
        [k for k, _ in itertools.groupby(sorted(NUMBERS[:80]))], list(itertools.product("ab", repeat=4)), \
        list(itertools.permutations(range(4))), list(itertools.combinations(range(7), 3)), list(itertools.accumulate(NUMBERS)), \
        list(itertools.zip_longest(WORDS, NUMBERS[:30])), list(itertools.takewhile(lambda n: n < 1000, NUMBERS)), \
        list(itertools.pairwise(NUMBERS)), list(itertools.starmap(pow, [(2, 3), (3, 2)])), list(itertools.batched(NUMBERS, 7))


def shortest_paths():
    graph = {n: [((n * 7 + k) % 60, k + 1) for k in range(4)] for n in range(60)}
    best, todo = {0: 0}, [(0, 0)]
    while todo:
        far, node = heapq.heappop(todo)
        if far > best[node]:
            continue
        for other, length in graph[node]:
            if far + length < best.get(other, 1 << 30):
                best[other] = far + length
                heapq.heappush(todo, (far + length, other))
    return sum(best.values())


def knapsack():
    best = [0] * 101
    for weight, value in zip(NUMBERS[:20], NUMBERS[20:40]):
        weight = weight % 30 + 1
        for room in range(100, weight - 1, -1):
            best[room] = max(best[room], best[room - weight] + value)
    return best[-1]


train(lists, sorting, dictionaries, grids, sets, comprehensions, unpacking, iterating, collected, heaps, iterators, shortest_paths,
      knapsack,
      seconds=0.3)
