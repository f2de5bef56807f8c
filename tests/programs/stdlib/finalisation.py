# What finalisers see when the program ends: their globals, other objects, no new threads.
import os
import sys
import threading
import weakref


def helper(x):
    return x * 2


class Cycle:
    def __init__(self, name):
        self.name = name
        self.me = self

    def __del__(self):
        print("del", self.name, helper(2), sys.is_finalizing(), os.getpid() > 0)


kept = Cycle("kept")
Cycle("garbage")
local = threading.local()
local.value = "local"


class Reader:
    def __del__(self):
        print(local.value)


reader = Reader()
weakref.finalize(kept, print, "finalize runs first")
