import itertools
import os
import sys
import time

print(list(itertools.islice(itertools.count(3, 2), 4)), list(itertools.chain("ab", [1])))
print(list(itertools.combinations("abc", 2)), list(itertools.product([0, 1], repeat=2)))
print([(k, list(g)) for k, g in itertools.groupby("aabbbc")], list(itertools.pairwise("abc")))
print(list(itertools.accumulate([1, 2, 3])), list(itertools.permutations([1, 2, 3], 2)))
print(os.path.join("a", "b"), os.path.splitext("x.tar.gz"), os.sep, os.getpid() > 0)
print(sys.version_info[:2], sys.implementation.name, sys.maxsize == 2**63 - 1)
print(time.strftime("%Y-%m-%d", time.gmtime(0)), time.monotonic() > 0)
